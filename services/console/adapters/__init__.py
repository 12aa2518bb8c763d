"""The console's ways to the vendors."""
