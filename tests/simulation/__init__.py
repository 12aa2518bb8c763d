"""The whole system in one process on virtual time: real handlers; log, store and vendors in memory (`make simulate`)."""
