"""What the console says of a mapping that was saved or checked, as models. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.console.domain.validation.finding import Finding, Severity
from services.console.domain.views import View
from shared.domain.mapping import Integration


class SavedIntegration(Integration):
    """An integration as it was saved, and what is to be said of it all the same."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, saved: Integration, findings: Sequence[Finding]) -> SavedIntegration:
        """Return the view of a saved integration."""
        return cls(**saved.model_dump(), findings=tuple(findings))


class CheckedMapping(View):
    """What a check of a draft found. Nothing was saved."""

    can_be_saved: bool
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> CheckedMapping:
        """Return the view of findings."""
        wrong = any(each.severity is Severity.ERROR for each in findings)
        return cls(can_be_saved=not wrong, findings=tuple(findings))
