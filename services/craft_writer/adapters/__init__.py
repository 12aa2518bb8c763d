"""What the writer touches: Craft.io."""
