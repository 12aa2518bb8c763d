"""Tests of the stand-in of Craft.io."""
