"""What Tandem tells of itself in figures: every metric in one typed catalogue, its exposition, its documentation.

`catalogue` declares; `metrics` makes each declaration an instrument of prometheus_client, and nothing else in the code
may make one. Services set the values. Nothing here does I/O.
"""
