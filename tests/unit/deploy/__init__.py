"""How Tandem is deployed."""
