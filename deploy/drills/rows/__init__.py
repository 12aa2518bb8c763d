"""The rows of the table, by what they put out of order."""
