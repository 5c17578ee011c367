"""What only the inbox in SQLite does: its file outlives processes, and serves one at a time."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import Keeping, Stamp, Verdict
from tests.callback_gateway.inbox.conftest import sqlite_inbox
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    CRM,
    SHOP,
    THEM,
    US,
    accept,
    begun,
    bury,
    done,
    leased,
    letters,
    nothing_due,
    notify,
    question,
    retry,
)
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.storage import AlreadyRunning, StoreUnavailable, StoreUnsupported


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "inbox.db"


def ask(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def crash_copy(path: Path) -> Path:
    """Copy the files as they are while the inbox is open, as a crash would leave them."""
    folder = path.parent.with_name("after_crash")
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        if file.suffix != ".lock" and not file.name.endswith("-shm"):
            shutil.copy(file, folder)
    return folder / path.name


async def test_a_second_process_on_the_file_is_refused(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    with pytest.raises(AlreadyRunning):
        await sqlite_inbox(path, clock)
    await inbox.close()


async def test_after_a_crash_what_was_leased_is_due_at_once(path: Path, clock: ManualClock) -> None:
    dead = await sqlite_inbox(path, clock)
    await accept(dead, notify())
    await leased(dead)
    inbox = await sqlite_inbox(crash_copy(path), clock)
    assert (await leased(inbox)).cut_off == 1
    for each in (dead, inbox):
        await each.close()


async def test_after_a_crash_a_waiting_retry_keeps_its_time(path: Path, clock: ManualClock) -> None:
    dead = await sqlite_inbox(path, clock)
    await accept(dead, notify())
    await retry(dead, await leased(dead), after_s=30.0)
    inbox = await sqlite_inbox(crash_copy(path), clock)
    assert await inbox.next_due_in([AUDIT]) == 30.0
    clock.advance(30.0)
    delivery = await leased(inbox)
    assert (delivery.failures, delivery.cut_off) == (1, 0)
    for each in (dead, inbox):
        await each.close()


async def test_after_a_crash_the_next_try_takes_the_answer_over(
    path: Path, clock: ManualClock
) -> None:
    dead = await sqlite_inbox(path, clock)
    first = await begun(dead)
    inbox = await sqlite_inbox(crash_copy(path), clock)
    answer = await accept(inbox, question())
    assert answer.lease is not None
    assert (answer.tries, answer.lease.cut_off) == (2, 1)
    assert await inbox.renew([first]) == [first]
    assert await inbox.renew([answer.lease]) == []
    for each in (dead, inbox):
        await each.close()


async def test_after_a_crash_all_that_was_acknowledged_is_there(
    path: Path, clock: ManualClock
) -> None:
    dead = await sqlite_inbox(path, clock, Keeping(limit=60))
    batches = [[notify(f"msg_{n}_{m}", AUDIT, CRM) for m in range(5)] for n in range(10)]
    await asyncio.gather(*(dead.accept(batch, owner=US) for batch in batches))
    await accept(dead, replace(question("msg_q"), stamp=Stamp("proof", "body")))
    await bury(dead, "msg_d", "slow")
    await done(dead, await leased(dead, AUDIT))
    await dead.disable(CRM, "f1")
    before, kept = await dead.depth(), await letters(dead)
    inbox = await sqlite_inbox(crash_copy(path), clock, Keeping(limit=60))
    after = await inbox.depth()
    assert after == replace(
        before,
        waiting={**before.waiting, **before.leased},
        leased={},
        oldest_due_s=after.oldest_due_s,
    )
    assert await letters(inbox) == kept
    assert await inbox.disabled() == {CRM: "f1"}
    answers = await inbox.accept([each for batch in batches for each in batch], owner=THEM)
    assert {answer.verdict for answer in answers} == {Verdict.DUPLICATE}
    forged = replace(notify("msg_x"), stamp=Stamp("proof", "other"))
    assert (await accept(inbox, forged)).verdict is Verdict.ALTERED
    for each in (dead, inbox):
        await each.close()


async def test_closing_and_opening_voids_leases_too(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    await accept(inbox, notify())
    old = await leased(inbox)
    await inbox.close()
    inbox = await sqlite_inbox(path, clock)
    assert await inbox.renew([old]) == [old]
    assert (await inbox.depth()).leased == {}
    assert (await leased(inbox)).cut_off == 1
    await inbox.close()


async def test_who_shares_the_file_leaves_its_leases_alone(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    await accept(inbox, notify())
    delivery = await leased(inbox)
    guest = await sqlite_inbox(path, clock, exclusive=False)
    assert await nothing_due(guest)
    assert await inbox.renew([delivery]) == []
    for each in (guest, inbox):
        await each.close()


async def test_a_delivered_event_leaves_no_document_behind(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await done(inbox, await leased(inbox, AUDIT))
    assert ask(path, "SELECT count(*) FROM events WHERE document IS NULL") == [(0,)]
    await done(inbox, await leased(inbox, CRM))
    assert ask(path, "SELECT document FROM events") == [(None,)]
    await inbox.close()


async def test_an_event_that_nobody_gets_leaves_no_document(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    await accept(inbox, replace(notify(), notify=()))
    await bury(inbox, "msg_2")
    assert ask(path, "SELECT document FROM events") == [(None,), (None,)]
    await inbox.close()


async def test_the_counters_agree_with_the_rows(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    for n in range(6):
        await accept(inbox, notify(f"msg_{n}", AUDIT, CRM))
    for n in range(4):
        await bury(inbox, f"msg_d{n}", "slow")
    await done(inbox, await leased(inbox, AUDIT))
    await inbox.redrive(ALL, limit=2)
    await inbox.drop(ALL, limit=1)
    counted = "SELECT target, count(*) FROM {} GROUP BY target ORDER BY target"
    deliveries = ask(path, counted.format("deliveries"))
    dead = ask(path, counted.format("dead_letters"))
    ((undelivered,),) = ask(path, "SELECT count(*) FROM events WHERE standing > 0")
    depth = await inbox.depth()
    assert sorted(depth.waiting.items()) == deliveries
    assert sorted(depth.dead.items()) == dead
    assert depth.events == undelivered + sum(count for _, count in dead)
    await inbox.close()


async def test_a_file_of_a_later_version_is_refused(path: Path, clock: ManualClock) -> None:
    await (await sqlite_inbox(path, clock)).close()
    ask(path, "UPDATE meta SET format = 2")
    with pytest.raises(StoreUnsupported, match="has format 2, this version reads up to 1"):
        await sqlite_inbox(path, clock)


async def test_a_file_that_was_taken_away_is_made_anew(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    await accept(inbox, notify())
    for file in path.parent.glob("inbox.db*"):
        if file.suffix != ".lock":
            file.unlink()
    assert (await accept(inbox, notify())).verdict is Verdict.NEW
    assert (await inbox.depth()).events == 1
    await inbox.close()


@pytest.mark.parametrize("method", ["depth", "disabled", "purge"])
async def test_a_closed_inbox_is_away(path: Path, clock: ManualClock, method: str) -> None:
    inbox: Inbox = await sqlite_inbox(path, clock)
    await inbox.close()
    with pytest.raises(StoreUnavailable):
        await getattr(inbox, method)()


async def test_accepting_fails_as_a_whole_or_not_at_all(path: Path, clock: ManualClock) -> None:
    inbox = await sqlite_inbox(path, clock)
    twice = replace(notify("msg_2"), notify=(AUDIT, AUDIT))
    with pytest.raises(sqlite3.IntegrityError):
        await inbox.accept([notify("msg_1"), twice], owner=US)
    assert (await inbox.depth()).events == 0
    assert (await inbox.join(SHOP, "msg_1", owner=US)).reply is None
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.NEW
    await inbox.close()
