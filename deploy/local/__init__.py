"""The stack on one machine: real Apache Kafka and Postgres, and the services supervised, without a system package.

Called by `make demo`, `make run` and the tests. Never imported by `services`, `shared` or `sandbox`.
"""
