"""`tandem replay`: arguments in, lines or JSON out, and an exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from typing import Any, Final, NoReturn

import click

from shared.domain.clock import SystemClock
from shared.runtime.log import LogUnavailable
from shared.runtime.logs import configure_logs
from shared.runtime.topics import Topic
from tandem_ops.adapters.recording import open_recording
from tandem_ops.domain.replay import SOURCES, WORDS, Choice, NoSuchPlace, Place, place_of
from tandem_ops.handlers.given import KAFKA, given_settings
from tandem_ops.handlers.replay import Order, Told
from tandem_ops.handlers.replay import replay as carry_out
from tandem_ops.settings import OpsSettings

EXIT_LEFT: Final = 1
EXIT_FAILED: Final = 2


@click.command()
@click.argument("source", type=click.Choice(list(SOURCES)))
@click.option("--from", "start", metavar="PLACE", help="beginning, an offset, a time, or how long ago (90m, 12h, 3d).")
@click.option("--to", "end", metavar="PLACE", help="The same, exclusive; without: what is there now.")
@click.option("--resume", is_flag=True, help="Go on where the last replay of this source stopped.")
@click.option("--dry-run", is_flag=True, help="Count only: how many, from when to when, and what would be left.")
@click.option("--topic", "topics", multiple=True, help="Of dead letters, only those from this topic; may be repeated.")
@click.option("--key", help="Only records of this key: connection:item, or a link.")
@click.option("--insist", is_flag=True, help="Also dead letters that came back several times.")
@click.option("--rate", type=click.FloatRange(min=0.1), default=200.0, show_default=True, help="Most copies a second.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(
    source: str,
    *,
    start: str | None,
    end: str | None,
    resume: bool,
    dry_run: bool,
    topics: tuple[str, ...],
    key: str | None,
    insist: bool,
    rate: float,
    as_json: bool,
) -> None:
    """Have changes, or dead letters whose cause is mended, handled once more.

    Safe while everything runs, and to repeat: nothing older wins over what is known, and nothing is doubled. Dead
    letters go on where the last replay stopped, if --from says nothing else. Exit codes: 0 done, 1 done but for some
    that were left for a reason, 2 it could not be done.
    """
    clock = SystemClock()
    given = given_settings()
    try:
        order = Order(
            topics=SOURCES[source],
            start=_start(source, start, resume=resume, clock=clock),
            end=None if end is None else place_of(end, clock.now()),
            choice=Choice(_known(topics), key, insist),
            dry=dry_run,
            per_s=rate,
        )
    except NoSuchPlace as error:
        _fail(str(error))
    wrong = [each for each in given.problems if any(name.upper() in each for name in given.wrong & KAFKA)]
    if wrong:
        _fail("; ".join(wrong))
    configure_logs("ERROR", service="replay", instance=given.settings.instance)
    told = _carry_out(order, given.settings, quiet=as_json)
    if as_json:
        click.echo(json.dumps(_as_json(told), indent=2))
    else:
        for line in _lines(told, dry=dry_run):
            click.echo(line)
    sys.exit(EXIT_LEFT if set(told.left) - {"copy", "other", "rehearsal"} else 0)


def _start(source: str, start: str | None, *, resume: bool, clock: SystemClock) -> Place | None:
    if start is not None and resume:
        raise NoSuchPlace("--from and --resume are both given; keep one of them")
    if start is not None:
        return place_of(start, clock.now())
    if resume or source == "dead":
        return None
    raise NoSuchPlace("say from where: --from beginning, an offset, a time or how long ago; or --resume")


def _known(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        if topic not in set(Topic):
            raise NoSuchPlace(f"there is no topic {topic}; there are {', '.join(Topic)}")
    return topics


def _carry_out(order: Order, settings: OpsSettings, *, quiet: bool) -> Told:
    last = Told()

    def tell(told: Told) -> None:
        nonlocal last
        last = told
        if not quiet and sys.stderr.isatty():
            click.echo(f"\r{told.records} of {told.of} read, {told.copies.total()} replayed", err=True, nl=False)

    async def run() -> Told:
        async with open_recording(settings) as recording:
            return await carry_out(order, recording, SystemClock(), tell)

    try:
        return asyncio.run(run())
    except LogUnavailable as error:
        done = f" after {last.copies.total()} were replayed; go on with --resume" if last.records else ""
        _fail(f"{error}{done}")
    except KeyboardInterrupt:
        _fail(f"broken off after {last.copies.total()} were replayed; go on with --resume")


def _lines(told: Told, *, dry: bool) -> Iterable[str]:
    verb = "would be replayed" if dry else "replayed"
    span = f", from {told.first:%Y-%m-%d %H:%M:%S%z} to {told.last:%Y-%m-%d %H:%M:%S%z}" if told.first else ""
    yield f"{told.copies.total()} of {told.records} records {verb}{span}."
    yield from (f"  {count} to {topic}" for topic, count in sorted(told.copies.items()))
    yield from (f"  {count} left: {WORDS[why]}" for why, count in sorted(told.left.items()))


def _as_json(told: Told) -> dict[str, Any]:
    return {
        "records": told.records,
        "replayed": dict(told.copies),
        "left": dict(told.left),
        "first": told.first and told.first.isoformat(),
        "last": told.last and told.last.isoformat(),
    }


def _fail(words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(EXIT_FAILED)
