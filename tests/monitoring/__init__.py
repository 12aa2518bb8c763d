"""Alerts, dashboards and runbooks: judged by Prometheus' own tools."""
