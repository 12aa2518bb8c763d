"""The value side of mapping: shapes, kinds, translation, people, transforms."""
