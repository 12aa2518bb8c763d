"""The contract between the services: every message that travels through Kafka, as strict, versioned pydantic models.

Imported by all services; knows none of them and no Kafka client.
"""
