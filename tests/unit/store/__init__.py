"""The laws of `shared.store` that need no store."""
