"""Tandem's services, one package each. They never import one another; they meet in `shared` and in Kafka."""
