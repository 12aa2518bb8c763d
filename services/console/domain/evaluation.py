"""What the console shows of items that wait to be decided again. Pure."""

from __future__ import annotations

from pydantic import Field

from services.console.domain.views import View


class EvaluationView(View):
    """Where an integration stands after a save: what waits for `POST …/evaluation`."""

    revision: int
    agreed_revision: int
    waiting: dict[str, int] = Field(description="Items that an older revision decided, by the state that they show.")
    total: int
