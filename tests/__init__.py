"""The tests: unit, property, conformance on the real Kafka and Postgres, simulation, end to end."""
