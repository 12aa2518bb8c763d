"""The whole system in one process on virtual time: real handlers, in-memory log, store and vendors, one seed (`make simulate`)."""
