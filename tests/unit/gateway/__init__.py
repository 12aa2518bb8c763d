"""The laws of the webhook gateway."""
