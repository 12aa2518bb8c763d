"""The sync core on its own: no log, no store, no vendor."""
