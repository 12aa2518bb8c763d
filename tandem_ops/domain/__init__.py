"""What is judged, and the words for it. Pure."""
