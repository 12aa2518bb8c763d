"""`python -m services.reconciler`."""

from services.reconciler.bootstrap import open_service
from services.reconciler.settings import ReconcilerSettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("reconciler", ReconcilerSettings, open_service))
