"""`python -m services.mapper`."""

from services.mapper.bootstrap import open_service
from services.mapper.settings import MapperSettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("mapper", MapperSettings, open_service))
