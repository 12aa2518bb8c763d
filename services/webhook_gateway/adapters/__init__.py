"""The gateway's own adapters."""
