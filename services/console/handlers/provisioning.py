"""Provisions connections and integrations from mounted files, the same as `tandem apply` takes.

A file is saved when it (or a secret that it names) has changed since it was saved last, and not otherwise: what
somebody changes by hand meanwhile stays, and is told as drift. What is invalid or refused changes nothing that was
saved before. Every replica may run this: one provisions at a time, and each step may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog

from services.console.domain.provisioning import claimed_twice, refused_finding
from services.console.handlers.configuration import Configuration
from services.console.handlers.own_console import OwnConsole, Said
from services.console.ports import Folder, FolderUnreadable, Ports
from shared.as_code import commands
from shared.as_code.findings import Finding
from shared.as_code.plan import Kind
from shared.as_code.ports import Secrets, SecretUnreadable
from shared.as_code.reading import ReadFile, placed, read_file
from shared.domain.differences import Difference
from shared.runtime.error_words import told
from shared.store.port import StoreUnavailable
from shared.store.provisioning import FileFinding, FileState, ProvisionedFile, Subject

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_S: Final = 60.0
_HELD_ROUNDS: Final = 6
Digests = Callable[[bytes], Sequence[str]]
"""Returns what a content is known by, under each key of the store, the newest first."""


@dataclass(frozen=True, slots=True)
class _Again:
    """When a file that was refused is tried again."""

    digest: str
    at: float
    pause_s: float


class Provisioner:
    """Looks at the folder, round by round."""

    def __init__(
        self,
        ports: Ports,
        configuration: Configuration,
        folder: Folder,
        secrets: Callable[[], Secrets],
        digests: Digests,
        *,
        owner: str,
        interval_s: float,
    ) -> None:
        self._ports = ports
        self._desk = ports.reader
        self._configuration = configuration
        self._folder = folder
        self._secrets = secrets
        self._digests = digests
        self._owner = owner
        self._interval_s = interval_s
        self._again: dict[str, _Again] = {}
        self._said: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop`. Trouble of one round is told, and the next one tries again."""
        while not stop.is_set():
            try:
                await self.round()
                self._tell(None)
            except (StoreUnavailable, FolderUnreadable) as error:
                self._tell(told(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await stop.wait()

    async def round(self) -> None:
        """Look once, if it is this replica's turn. Raises `StoreUnavailable` and `FolderUnreadable`."""
        if not await self._desk.provision_as(self._owner, self._interval_s * _HELD_ROUNDS + _LONGEST_PAUSE_S):
            return
        files = self._folder.files()
        known = {each.file: each for each in await self._desk.provisioned()}
        for name in known.keys() - files.keys():
            await self._desk.forget_provisioned(name)
            log.info("provisioning_file_gone", file=name)
        read = {name: read_file(raw) for name, raw in sorted(files.items())}
        doubles = claimed_twice({name: said for name, said in read.items() if isinstance(said, ReadFile)})
        for name, said in read.items():
            findings = said if isinstance(said, list) else doubles.get(name, [])
            if findings or isinstance(said, list):
                await self._keep(known.get(name), self._not_in_effect(name, FileState.INVALID, findings, known))
            else:
                await self._provision(name, files[name], said, known)

    async def _provision(self, name: str, raw: bytes, said: ReadFile, known: Mapping[str, ProvisionedFile]) -> None:
        before = known.get(name)
        credentials = self._credentials(said)
        if isinstance(credentials, list):
            found = placed(said, credentials)
            await self._keep(before, self._not_in_effect(name, FileState.REFUSED, found, known))
            return
        digests = self._digests(raw + repr(sorted(credentials.items())).encode())
        console = OwnConsole(self._configuration, self._ports.config, credentials)
        if before is not None and before.digest in digests:
            await self._keep(before, await self._with_drift(said, console, before))
        elif self._is_due(name, digests[0]):
            await self._keep(before, await self._applied(name, said, console, digests[0], known))

    async def _applied(
        self, name: str, said: ReadFile, console: OwnConsole, digest: str, known: Mapping[str, ProvisionedFile]
    ) -> ProvisionedFile:
        applied = await commands.apply(said, console, self._secrets(), replace_secrets=False)
        if isinstance(applied, list) or applied.why is not None:
            self._put_off(name, digest)
            findings = applied if isinstance(applied, list) else refused_finding(said, applied)
            return self._not_in_effect(name, FileState.REFUSED, findings, known)
        self._again.pop(name, None)
        now = self._ports.clock.now()
        log.info("provisioning_file_in_effect", file=name, saved=len(applied.saved))
        findings = [finding for saved in applied.saved for finding in saved.findings]
        return ProvisionedFile(
            file=name,
            state=FileState.IN_EFFECT,
            digest=digest,
            applied_at=now,
            since=now,
            findings=_kept(findings),
            subjects=_subjects(said, {}),
        )

    async def _with_drift(self, said: ReadFile, console: OwnConsole, known: ProvisionedFile) -> ProvisionedFile:
        found = await commands.diff(said, console, replace_secrets=False)
        changes = () if isinstance(found, list) else found.changes
        drift = {(each.kind, each.id): each.differences for each in changes}
        state = FileState.IN_EFFECT
        findings = known.findings if known.state is state else ()
        return known.model_copy(update={"state": state, "findings": findings, "subjects": _subjects(said, drift)})

    async def _keep(self, known: ProvisionedFile | None, new: ProvisionedFile) -> None:
        """Store how a file is, if that is new, and tell what is to be told."""
        if known is not None and known.state is new.state:
            new = new.model_copy(update={"since": known.since})
        if new == known:
            return
        await self._desk.save_provisioned(new)
        if new.state is not FileState.IN_EFFECT and (known is None or known.findings != new.findings):
            # Not what is wrong there: that may repeat the file. GET /api/v1/provisioning has the words.
            places = [f"{new.file}:{each.line or 1}" for each in new.findings[:20]]
            log.warning("provisioning_file_not_in_effect", file=new.file, state=new.state, places=places)
        drifted = [f"{each.kind}:{each.id}" for each in new.subjects if each.drift]
        if drifted and (known is None or known.subjects != new.subjects):
            log.warning("provisioning_drift", file=new.file, subjects=drifted)

    def _not_in_effect(
        self, name: str, state: FileState, findings: Iterable[Finding], known: Mapping[str, ProvisionedFile]
    ) -> ProvisionedFile:
        """Return a file that is not in effect as it is now; what it said before is."""
        now = self._ports.clock.now()
        before = known.get(name) or ProvisionedFile(file=name, state=state, since=now)
        return before.model_copy(update={"state": state, "since": now, "findings": _kept(findings)})

    def _credentials(self, said: ReadFile) -> Said | list[Finding]:
        """Return the credentials that a file names, or which of them cannot be read."""
        secrets = self._secrets()
        findings: list[Finding] = []
        found: dict[str, dict[str, Any]] = {}
        for ident, each in said.workspace.connections.items():
            named = {"token": each.secrets.token, "url_token": each.secrets.url_token}
            single = {name: (reference,) for name, reference in named.items() if reference is not None}
            many = {"webhook_secrets": each.secrets.webhook_secrets} if each.secrets.webhook_secrets else {}
            found[ident] = {}
            for name, references in {**single, **many}.items():
                try:
                    texts = tuple(secrets.read(reference) for reference in references)
                except SecretUnreadable as error:
                    findings.append(Finding(("connections", ident, "secrets", name), str(error)))
                else:
                    found[ident][name] = texts if name in many else texts[0]
        return findings or found

    def _is_due(self, name: str, digest: str) -> bool:
        again = self._again.get(name)
        return again is None or again.digest != digest or self._ports.clock.monotonic() >= again.at

    def _put_off(self, name: str, digest: str) -> None:
        """Let a refused file wait longer each time: trying it asks vendors, and some lock accounts."""
        before = self._again.get(name)
        same = before is not None and before.digest == digest
        pause_s = min(_LONGEST_PAUSE_S, before.pause_s * 2) if same and before is not None else self._interval_s
        self._again[name] = _Again(digest, self._ports.clock.monotonic() + pause_s, pause_s)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._said:
            log.warning("provisioning_not_possible", error=trouble)
        self._said = trouble


def _subjects(said: ReadFile, drift: Mapping[tuple[Kind, str], Sequence[Difference]]) -> tuple[Subject, ...]:
    connections = [
        Subject(kind="connection", id=ident, drift=tuple(drift.get(("connection", ident), ())))
        for ident in said.workspace.connections
    ]
    integrations = [
        Subject(kind="integration", id=ident, drift=tuple(drift.get(("integration", ident), ())))
        for ident in said.workspace.integrations
    ]
    return (*connections, *integrations)


def _kept(findings: Iterable[Finding]) -> tuple[FileFinding, ...]:
    return tuple(
        FileFinding(
            severity=each.severity,
            line=each.place.line if each.place else None,
            column=each.place.column if each.place else None,
            where=each.where,
            message=each.message,
            fix=each.fix,
        )
        for each in findings
    )
