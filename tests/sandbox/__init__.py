"""Tests of the stand-ins: they behave as the vendors do, and do what a test asks of them."""
