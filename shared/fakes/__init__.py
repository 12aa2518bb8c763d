"""Stand-ins that ship with the product: they pass the same conformance suites as what they stand for."""
