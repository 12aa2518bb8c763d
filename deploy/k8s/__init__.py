"""Tandem on Kubernetes: Kustomize base, overlays and components (YAML), and what proves them (`checks`)."""
