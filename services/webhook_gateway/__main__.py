"""`python -m services.webhook_gateway`."""

from services.webhook_gateway.bootstrap import open_service
from services.webhook_gateway.settings import GatewaySettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("webhook_gateway", GatewaySettings, open_service))
