"""The dashboards of Grafana as code; `python -m deploy.monitoring` writes their JSON. `model` says what a page is."""

from typing import Final

from deploy.monitoring.dashboards.gateway import GATEWAY
from deploy.monitoring.dashboards.integration import INTEGRATION
from deploy.monitoring.dashboards.model import Dashboard
from deploy.monitoring.dashboards.overview import OVERVIEW
from deploy.monitoring.dashboards.pipeline import PIPELINE

DASHBOARDS: Final[tuple[Dashboard, ...]] = (OVERVIEW, INTEGRATION, PIPELINE, GATEWAY)
