"""State in Postgres, and the same in memory for the simulation: links, operations, configuration, cursors.

`port` says what each service may ask; `postgres` and `memory` answer; both pass one conformance suite.
"""
