"""Authenticates a webhook and makes it durable: 202 only once the log has it. Knows no mapping, asks no vendor."""
