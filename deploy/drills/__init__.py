"""Drills: each alert is caused on the local stack, seen by a real Prometheus and Alertmanager, and ended.

`table` has one row per alert; `performance` plays a row and says what was seen; `watchers` runs Prometheus and
Alertmanager and receives what they send; `stage` is the system with people in it. `make drill` plays all rows,
`make drill NAME=…` one, `make drill NAME=healthy` none of them: ten minutes of load that may fire nothing.

The rules are those of deploy/monitoring at a tempo at which an hour is a minute. Nothing here is part of `make test`.
"""
