"""What is provisioned is kept as it was said, and one replica at a time provisions: in memory and on Postgres."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.differences import Difference
from shared.store.provisioning import FileFinding, FileState, ProvisionedFile, Subject
from tests.conformance.store_worlds import T0, Store, pass_time

DRIFT = Difference(path="name", change="changed", before="a\0b", after="c", words="name: a → c")
FILE = ProvisionedFile(
    file="tandem.yaml",
    state=FileState.IN_EFFECT,
    digest="d1",
    applied_at=T0,
    since=T0,
    findings=(FileFinding(severity="note", line=3, column=1, where="integrations.demo", message="said"),),
    subjects=(Subject(kind="integration", id="demo", drift=(DRIFT,)),),
)


async def test_a_file_is_kept_replaced_and_forgotten(store: Store) -> None:
    assert list(await store.provisioned()) == []
    other = FILE.model_copy(update={"file": "another.yaml", "state": FileState.INVALID})
    for each in (FILE, other):
        await store.save_provisioned(each)
    assert list(await store.provisioned()) == [other, FILE]
    changed = FILE.model_copy(update={"digest": "d2", "subjects": ()})
    await store.save_provisioned(changed)
    await store.forget_provisioned("another.yaml")
    await store.forget_provisioned("another.yaml")
    assert list(await store.provisioned()) == [changed]


async def test_one_replica_provisions_until_its_time_is_over(store: Store) -> None:
    assert await store.provision_as("a", 60)
    assert not await store.provision_as("b", 60)
    assert await store.provision_as("a", 60)
    await pass_time(store, timedelta(seconds=61))
    assert await store.provision_as("b", 60)
    assert not await store.provision_as("a", 60)
