"""Craft.io: its JSON shapes and the client of its public API."""
