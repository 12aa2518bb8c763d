"""What watches Tandem: alerts and recording rules as code, of which the files for Prometheus and its operator are made.

`rules` has the kinds of rule and their rendering, `objectives` the burn rates, `alerts` every alert; `expressions`
reads PromQL and holds it against the metrics catalogue. `python -m deploy.monitoring` writes the files; a test proves
that they are current. Nothing here is imported by a service.
"""
