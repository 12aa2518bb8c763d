"""What a person sees while the stack comes up.

Called by the download and start-up code of the local stack. Never decides anything.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Progress(Protocol):
    """Where the start-up code says what it is doing."""

    def stage(self, text: str) -> None:
        """Begin a new stage; the one before is done."""
        ...

    def advance(self, done: int, total: int) -> None:
        """Say how much of the current stage is done."""
        ...


class SilentProgress:
    """Show nothing: for the tests."""

    def stage(self, text: str) -> None:
        """Ignore the stage."""

    def advance(self, done: int, total: int) -> None:
        """Ignore the progress."""


class ConsoleProgress:
    """Show stages with a live bar on a terminal, as plain lines elsewhere. Use as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar = rich_progress.Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the last stage, unless it failed, and stop drawing."""
        if error is None:
            self._finish()
        self._bar.stop()

    def stage(self, text: str) -> None:
        """Begin a new stage; the one before is done."""
        self._finish()
        if not self._console.is_terminal:
            self._console.print(text)
        self._task = self._bar.add_task(text, total=1)

    def advance(self, done: int, total: int) -> None:
        """Move the bar of the current stage."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def _finish(self) -> None:
        if self._task is not None:
            total = self._bar.tasks[self._bar.task_ids.index(self._task)].total
            self._bar.update(self._task, completed=total)
