"""The vocabulary and the plumbing that Tandem's services have in common. Never imports a service."""
