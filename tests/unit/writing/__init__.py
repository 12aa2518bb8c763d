"""Laws of the writers."""
