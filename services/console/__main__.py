"""`python -m services.console`."""

from services.console.bootstrap import open_service
from services.console.settings import ConsoleSettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("console", ConsoleSettings, open_service))
