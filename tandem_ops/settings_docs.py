"""Writes docs/configuration.md from the settings: `python -m tandem_ops.settings_docs`. A test proves it fresh."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tandem_ops.settings_reference import SETTINGS_CLASSES, Setting, all_settings

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
_HEAD: Final = """\
# Configuration

All settings, made from the code (`python -m tandem_ops.settings_docs`).

- They come from the environment. **Each may come from a file instead**: `NAME_FILE` names the file, as Kubernetes
  mounts secrets; `NAME` and `NAME_FILE` together are refused. Values are trimmed.
- A service that is given wrong settings says all that is wrong with them at once, and ends with exit code 2.
- A change needs a restart, but for the password and certificates of Kafka and the address of the database where they
  come from files: those are read again when they are replaced. What an admin sets (connections, integrations,
  mappings) needs none, and is no setting: see [configuration as code](as-code.md).
- Yes or no is written `true` or `false`.
"""
_EVERY: Final = "every service"


def document() -> str:
    """Return the whole page."""
    settings = list(all_settings().values())
    needed = [each for each in settings if each.required]
    groups: dict[tuple[str, ...], list[Setting]] = {}
    for each in settings:
        groups.setdefault(_services(each), []).append(each)
    lines = [_HEAD, "## What has no default\n", *_table(needed, whose=True)]
    for services, own in sorted(groups.items(), key=lambda group: -len(group[0])):
        lines += [f"\n## {_heading(services)}\n", *_table(own, whose=False)]
    return "\n".join(lines) + "\n"


def _services(setting: Setting) -> tuple[str, ...]:
    return tuple(each for each in setting.read_by if each in SETTINGS_CLASSES)


def _heading(services: tuple[str, ...]) -> str:
    if len(services) == len(SETTINGS_CLASSES):
        return "Of every service"
    named = [f"`{each}`" for each in services]
    return f"Of {' and '.join(filter(None, (', '.join(named[:-1]), named[-1])))}" if named else "Of the command line"


def _table(settings: Iterable[Setting], *, whose: bool) -> Iterator[str]:
    yield f"| setting | value | default | {'read by | ' if whose else ''}what for |"
    yield f"|---|---|---|{'---|' if whose else ''}---|"
    for each in settings:
        read_by = f"{_readers(each)} | " if whose else ""
        secret = "**Secret.** " if each.secret else ""
        default = f"`{each.default}`" if each.default else "" if each.default is None else "empty"
        words = each.description.replace("|", "&#124;")
        yield f"| `{each.variable}` | {_value(each)} | {default} | {read_by}{secret}{words} |"


def _value(setting: Setting) -> str:
    return ", ".join(filter(None, (setting.unit or setting.type, setting.bounds)))


def _readers(setting: Setting) -> str:
    services = _services(setting)
    others = [f"`{each}`" for each in setting.read_by if each not in SETTINGS_CLASSES]
    whole = len(services) == len(SETTINGS_CLASSES)
    return ", ".join([*([_EVERY] if whole else [f"`{each}`" for each in services]), *others])


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    sys.stdout.write(f"{DOCUMENT}\n")
