"""The console over HTTP, and where secrets are."""
