"""Clients of the two vendors and the HTTP transport under them."""
