"""What the spool's file promises by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from callback_gateway.inbox.records import (
    REPLY_LEASE_S,
    Accepted,
    Arrival,
    Dead,
    Delivery,
    Done,
    Keeping,
    Release,
    ReplyState,
    Retry,
    Settlement,
    Stamp,
    Verdict,
)
from callback_gateway.inbox.spool import Spool, is_local
from tests.callback_gateway.inbox.samples import SHOP, US, attempt, notify, question, unread
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.storage import AlreadyRunning

OpenSpool = Callable[[], Awaitable[Spool]]


@pytest.fixture
async def open_spool(tmp_path: Path, clock: ManualClock) -> AsyncIterator[OpenSpool]:
    """Opens the file, as each start does."""

    async def opened() -> Spool:
        spool = await Spool.open(
            tmp_path / "spool.db",
            clock=clock,
            randomness=SystemRandomness(),
            keeping=Keeping(limit=3, stamp_s=1200.0),
            synchronous="NORMAL",
        )
        spools.push_async_callback(spool.close)
        return spool

    async with AsyncExitStack() as spools:
        yield opened


@pytest.fixture
async def spool(open_spool: OpenSpool) -> Spool:
    return await open_spool()


async def accept(spool: Spool, arrival: Arrival) -> Accepted:
    (answer,) = await spool.accept([arrival], owner=US)
    return answer


async def begun(spool: Spool) -> Delivery:
    lease = (await accept(spool, question())).lease
    assert lease is not None
    return lease


async def test_what_is_accepted_waits_with_its_tries(spool: Spool) -> None:
    first, second = await spool.accept([notify(), notify()], owner=US)
    assert (first.verdict, second.verdict) == (Verdict.NEW, Verdict.DUPLICATE)
    (waiting,) = await spool.waiting(9)
    assert (waiting.arrival, waiting.tries) == (notify(), 2)
    assert "msg_1" in spool
    assert len(spool) == 1


async def test_everything_of_an_arrival_is_kept(spool: Spool) -> None:
    arrivals = [
        replace(question("msg_1"), stamp=Stamp("proof", "body"), replier=None),
        replace(notify("msg_2", "a", "b"), stamp=Stamp("other", "body")),
        unread("bad_1"),
    ]
    await spool.accept(arrivals, owner=US)
    assert [each.arrival for each in await spool.waiting(9)] == arrivals


async def test_it_takes_no_more_than_its_limit(spool: Spool) -> None:
    verdicts = [
        each.verdict
        for each in await spool.accept([notify(f"msg_{n}") for n in range(5)], owner=US)
    ]
    assert verdicts == [Verdict.NEW] * 3 + [Verdict.FULL] * 2
    assert (await accept(spool, notify("msg_0"))).verdict is Verdict.DUPLICATE


async def test_a_stamp_with_another_body_is_altered_until_its_time_is_over(
    spool: Spool, clock: ManualClock
) -> None:
    await accept(spool, replace(notify(), stamp=Stamp("proof", "body")))
    await spool.remove(["msg_1"])
    forged = replace(notify("msg_2"), stamp=Stamp("proof", "other"))
    assert (await accept(spool, forged)).verdict is Verdict.ALTERED
    assert len(spool) == 0
    clock.advance(1201)
    await spool.purge()
    assert (await accept(spool, forged)).verdict is Verdict.NEW


async def test_a_new_question_is_leased_here(spool: Spool, clock: ManualClock) -> None:
    lease = await begun(spool)
    assert is_local(lease)
    assert lease.reply_until == clock.now() + 4.5
    assert (await accept(spool, question())).lease is None


async def test_an_attempt_under_way_is_joined_and_not_moved(
    spool: Spool, clock: ManualClock
) -> None:
    lease = await begun(spool)
    clock.advance(2)
    assert await spool.renew([lease]) == []
    clock.advance(2)
    joined = await spool.join("msg_1", owner=US)
    assert joined is not None
    assert (joined.reply_state, joined.lease) == (ReplyState.RUNNING, None)
    assert await spool.waiting(9) == []


async def test_a_lapsed_attempt_is_taken_over(spool: Spool, clock: ManualClock) -> None:
    lease = await begun(spool)
    clock.advance(REPLY_LEASE_S)
    joined = await spool.join("msg_1", owner=US)
    assert joined is not None
    assert joined.lease is not None
    assert joined.lease.cut_off == 1
    assert await spool.renew([lease, joined.lease]) == [lease]


async def test_a_lapsed_attempt_is_moved_and_not_taken_over_meanwhile(
    spool: Spool, clock: ManualClock
) -> None:
    await begun(spool)
    clock.advance(REPLY_LEASE_S)
    assert len(await spool.waiting(9)) == 1
    assert (await accept(spool, question())).lease is None
    await spool.stay(["msg_1"])
    assert (await accept(spool, question())).lease is not None


async def test_an_answer_is_kept_and_told(spool: Spool) -> None:
    lease = await begun(spool)
    assert await spool.settle([Settlement(lease, Done(b"{}"), attempt())]) == []
    again = await accept(spool, question())
    assert (again.reply_state, again.reply, again.tries) == (ReplyState.ANSWERED, b"{}", 2)
    (waiting,) = await spool.waiting(9)
    assert (waiting.reply_state, waiting.reply) == (ReplyState.ANSWERED, b"{}")


async def test_a_death_is_kept_with_its_reason(spool: Spool) -> None:
    lease = await begun(spool)
    await spool.settle([Settlement(lease, Dead("invalid_reply"), attempt())])
    (waiting,) = await spool.waiting(9)
    assert waiting.reply_state is ReplyState.GIVEN_UP
    assert (waiting.reason, waiting.attempts) == ("invalid_reply", (attempt(),))


async def test_a_retry_waits_for_its_time(spool: Spool, clock: ManualClock) -> None:
    await spool.settle([Settlement(await begun(spool), Retry(1.0), attempt())])
    assert (await accept(spool, question())).lease is None
    clock.advance(1)
    lease = (await accept(spool, question())).lease
    assert lease is not None
    assert (lease.failures, lease.cut_off, lease.attempts) == (1, 0, (attempt(),))


async def test_what_is_released_can_be_taken_at_once(spool: Spool) -> None:
    await spool.settle([Settlement(await begun(spool), Release())])
    joined = await spool.join("msg_1", owner=US)
    assert joined is not None
    assert joined.lease is not None


async def test_a_void_lease_ends_nothing_but_with_an_answer(
    spool: Spool, clock: ManualClock
) -> None:
    old = await begun(spool)
    clock.advance(REPLY_LEASE_S)
    await spool.join("msg_1", owner=US)
    await spool.settle([Settlement(old, Dead("timeout"))])
    assert (await accept(spool, question())).reply_state is ReplyState.RUNNING
    await spool.settle([Settlement(old, Done(b"{}"))])
    assert (await accept(spool, question())).reply == b"{}"


async def test_what_was_moved_is_not_settled_here(spool: Spool) -> None:
    settlement = Settlement(await begun(spool), Done(b"{}"))
    await spool.remove(["msg_1"])
    assert await spool.settle([settlement]) == [settlement]
    assert await spool.join("msg_1", owner=US) is None


async def test_a_restart_finds_everything_and_voids_the_attempts(
    spool: Spool, open_spool: OpenSpool
) -> None:
    lease = await begun(spool)
    await spool.waiting(9)
    await spool.close()
    again = await open_spool()
    assert "msg_1" in again
    taken = (await accept(again, question())).lease
    assert taken is not None
    assert (taken.cut_off, taken.account, taken.document) == (1, SHOP, lease.document)


async def test_a_file_has_one_process(spool: Spool, open_spool: OpenSpool) -> None:
    with pytest.raises(AlreadyRunning):
        await open_spool()
