"""Laws of the vendor clients."""
