"""The laws of `shared.runtime`, on the log in memory."""
