"""The use cases: export, validate, diff, apply. None of them prints; the entrypoint does."""
