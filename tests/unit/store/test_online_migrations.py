"""Migrations run while the release before still works: every statement is of a form that holds nobody up, takes nothing
away and demands nothing that the release before would not give (ADR 0036).
"""

from __future__ import annotations

import importlib
import io
import re
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.engine import IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData

VERSIONS: Final = Path(__file__).parents[3] / "shared" / "store" / "migrations" / "versions"
LAST_BEFORE_THE_RULE: Final = "0014"
STEPS: Final = sorted(path.stem for path in VERSIONS.glob("0*.py") if path.stem[:4] > LAST_BEFORE_THE_RULE)

NAME = r"[a-z_][a-z0-9_]*"
ALLOWED: Final = {
    "a new table": rf"CREATE TABLE (IF NOT EXISTS )?{NAME} ?\(.*",
    "a new column that may be empty, or has a constant default: no row is written anew": (
        rf"ALTER TABLE (ONLY )?{NAME} ADD COLUMN (?!.*\bNOT NULL\b(?!.*\bDEFAULT\b))"
        r"(?!.*\b(UNIQUE|PRIMARY KEY|REFERENCES|GENERATED)\b)(?!.*DEFAULT\s+[a-z_]+\().*"
    ),
    "a constraint that is not checked on what is there": rf"ALTER TABLE {NAME} ADD CONSTRAINT .* NOT VALID",
    "checking it afterwards, beside the work": rf"ALTER TABLE {NAME} VALIDATE CONSTRAINT {NAME}",
    "a new default": rf"ALTER TABLE {NAME} ALTER COLUMN {NAME} (SET DEFAULT .*|DROP DEFAULT|DROP NOT NULL)",
    # Not IF NOT EXISTS: that would keep the invalid index which a build that broke off leaves behind.
    "an index built beside the work (shared/store/migrations/online.py)": (
        rf"CREATE (UNIQUE )?INDEX CONCURRENTLY {NAME} ON .*"
    ),
    "an index taken away beside the work": rf"DROP INDEX CONCURRENTLY (IF EXISTS )?{NAME}",
    "rows of a new table": r"INSERT INTO .*",
    "a function or a trigger, which the release before need not know of": (
        rf"CREATE (OR REPLACE )?(FUNCTION|TRIGGER) {NAME}\b.*"
    ),
    "rows filled in some at a time": r"WITH .*\bLIMIT \d+ FOR UPDATE\b.*",
    "words for people": r"COMMENT ON .*",
    "alembic's own": r"(BEGIN|COMMIT|UPDATE alembic_version .*)",
}


class Asked:
    """A database that a step asks something itself: it takes note and holds nothing."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: object, _: object = None) -> Result[Any]:
        self.statements.append(str(statement))
        return IteratorResult(SimpleResultMetaData(["nothing"]), iter(()))


def statements_of(step: str) -> list[str]:
    """Return what a step would have the database do."""
    text = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": text, "transaction_per_migration": True}
    )
    asked = Asked()
    vars(context.impl)["connection"] = asked
    module = importlib.import_module(f"shared.store.migrations.versions.{step}")
    with Operations.context(context):
        module.upgrade()
    bodies = re.compile(r"\$\$.*?\$\$", re.DOTALL)
    written = bodies.sub("$$", text.getvalue()).split(";") + asked.statements
    return [" ".join(each.split()) for each in written if each.strip()]


def problems(statements: list[str]) -> list[str]:
    """Return the statements that are of no allowed form; an index on a table of the same step holds nobody up."""
    new = {found[1] for each in statements if (found := re.match(rf"CREATE TABLE (?:IF NOT EXISTS )?({NAME})", each))}
    of_new = re.compile(rf"CREATE (UNIQUE )?INDEX {NAME} ON ({'|'.join(sorted(new)) or '-'})\b.*", re.DOTALL)
    forms = [of_new, *(re.compile(form, re.DOTALL) for form in ALLOWED.values())]
    return [each for each in statements if not any(form.fullmatch(each) for form in forms)]


@pytest.mark.parametrize("step", STEPS)
def test_every_statement_of_a_migration_is_of_a_form_that_holds_nobody_up(step: str) -> None:
    assert problems(statements_of(step)) == [], f"allowed are: {'; '.join(ALLOWED)}"


@pytest.mark.parametrize("step", STEPS)
def test_a_migration_only_goes_forward(step: str) -> None:
    module = importlib.import_module(f"shared.store.migrations.versions.{step}")
    assert not hasattr(module, "downgrade")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX links_x ON links (x)",
        "ALTER TABLE links ADD COLUMN x text NOT NULL",
        "ALTER TABLE links ADD COLUMN x text UNIQUE",
        "ALTER TABLE links ADD COLUMN x timestamptz NOT NULL DEFAULT clock_timestamp()",
        "ALTER TABLE links DROP COLUMN body",
        "ALTER TABLE links RENAME COLUMN body TO doc",
        "ALTER TABLE links ALTER COLUMN body TYPE jsonb",
        "ALTER TABLE links ALTER COLUMN body SET NOT NULL",
        "ALTER TABLE links ADD CONSTRAINT c CHECK (x > 0)",
        "UPDATE links SET x = 1",
        "DELETE FROM links",
        "DROP TABLE links",
        "DROP INDEX links_x",
        "LOCK TABLE links",
    ],
)
def test_what_would_hold_everybody_up_or_break_the_release_before_is_found(statement: str) -> None:
    assert problems([statement]) == [statement]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE links ADD COLUMN x text",
        "ALTER TABLE audit ADD COLUMN retried boolean NOT NULL DEFAULT false",
        "CREATE INDEX CONCURRENTLY links_x ON links (x) WHERE x IS NOT NULL",
        "ALTER TABLE links ADD CONSTRAINT c CHECK (x > 0) NOT VALID",
    ],
)
def test_what_holds_nobody_up_is_allowed(statement: str) -> None:
    assert problems([statement]) == []
