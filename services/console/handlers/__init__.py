"""The console's use cases, by what they are about. Each returns a view or raises a `Refusal`."""
