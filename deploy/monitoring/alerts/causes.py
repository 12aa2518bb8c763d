"""What is likely to be behind a symptom, and what will become one unless somebody does something."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.credentials import CREDENTIALS
from deploy.monitoring.alerts.pipeline import PIPELINE
from deploy.monitoring.alerts.vendors import VENDORS
from deploy.monitoring.alerts.webhooks import WEBHOOKS

CAUSES: Final = (CREDENTIALS, VENDORS, WEBHOOKS, PIPELINE)
