"""What Tandem tells of itself in figures."""
