"""What the file says, how it differs from what is live, and the schema of it. Pure."""
