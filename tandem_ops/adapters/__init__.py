"""Kafka, Postgres and HTTP, as an operator's tools look at them."""
