"""Figures of one machine, for people (`make bench`): never a test, never a limit."""
