"""Tests of what both stand-ins are built of."""
