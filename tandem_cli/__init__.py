"""The command line: connections and integrations as one YAML file, exported from, compared with and applied to a
console.

Talks to the console's API only; knows no Kafka and no Postgres. The same anatomy as a service: domain, ports,
handlers, adapters, entrypoint.
"""
