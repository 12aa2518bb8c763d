"""What proves the manifests: the quick layer against the code (`make check`), the slow one against an API server."""
