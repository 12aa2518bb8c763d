"""Laws of the console."""
