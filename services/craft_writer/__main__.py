"""`python -m services.craft_writer`."""

from services.craft_writer.bootstrap import open_service
from services.craft_writer.settings import CraftWriterSettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("craft_writer", CraftWriterSettings, open_service))
