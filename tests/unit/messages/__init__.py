"""The contract between the services: old messages stay readable, and the documents say what the code does."""
