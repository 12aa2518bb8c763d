"""End to end: real processes of real services on real Kafka and Postgres."""
