"""The vocabulary that all services share."""
