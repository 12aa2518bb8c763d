"""Laws of rich text."""
