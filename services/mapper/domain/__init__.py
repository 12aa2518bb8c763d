"""The sync core of PROTOCOL: pure functions over one link. No I/O, no clock, no randomness."""
