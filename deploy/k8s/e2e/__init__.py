"""The whole system in pods: what `make k8s-e2e` does to the built image on a real cluster."""
