"""Laws of the reconciler."""
