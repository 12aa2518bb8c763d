"""What is installed where."""
