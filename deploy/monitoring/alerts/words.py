"""Pieces of summaries: names that people gave, instead of ids."""

from __future__ import annotations

from typing import Final


def _name(of: str) -> str:
    query = f"tandem_{of}_info{{{of}='%s'}}"
    asked = f'with printf "{query}" $labels.{of} | query'
    return f'{{{{ {asked} }}}}{{{{ . | first | label "name" }}}}{{{{ else }}}}{{{{ $labels.{of} }}}}{{{{ end }}}}'


INTEGRATION: Final = _name("integration")
"""The name of the alert's integration, or its id where no name is known."""

CONNECTION: Final = _name("connection")
"""The name of the alert's connection, or its id where no name is known."""

VALUE: Final = "{{ $value | humanize }}"
SHARE: Final = "{{ $value | humanizePercentage }}"
DURATION: Final = "{{ $value | humanizeDuration }}"
