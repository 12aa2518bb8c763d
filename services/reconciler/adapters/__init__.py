"""What the reconciler's ports stand on here: Prometheus."""
