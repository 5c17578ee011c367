"""Callbacks that come together are stored together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest

from callback_gateway import batching
from callback_gateway.batching import Batcher
from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import Accepted, Arrival, Verdict
from callback_gateway.process import Process
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.runtime.tasks import TaskOwner


class SlowInbox:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.answers = asyncio.Semaphore(0)
        self.away = False

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        self.batches.append([arrival.event_id for arrival in arrivals])
        await self.answers.acquire()
        if self.away:
            raise StoreUnavailable("away")
        return [Accepted(Verdict.NEW, tries=int(arrival.event_id)) for arrival in arrivals]


@pytest.fixture
def inbox() -> SlowInbox:
    return SlowInbox()


@pytest.fixture
async def batcher(inbox: SlowInbox) -> AsyncIterator[Batcher]:
    process = Process("here", SystemClock(), SystemRandomness())
    async with TaskOwner(process.clock, process.randomness) as tasks:
        yield Batcher(cast(Inbox, inbox), process, tasks)


def arrival(number: int) -> Arrival:
    return Arrival(str(number), "shop", b"{}")


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_in_one_turn_of_the_loop_is_one_batch(
    batcher: Batcher, inbox: SlowInbox
) -> None:
    inbox.answers.release()
    answers = await asyncio.gather(*(batcher.accept(arrival(n)) for n in range(3)))
    assert inbox.batches == [["0", "1", "2"]]
    assert [answer.tries for answer in answers] == [0, 1, 2]


async def test_the_next_batch_gathers_while_one_is_on_its_way(
    batcher: Batcher, inbox: SlowInbox
) -> None:
    waiting = []
    for number in range(5):
        waiting.append(asyncio.ensure_future(batcher.accept(arrival(number))))
        await turns()
    assert inbox.batches == [["0"]]
    for _ in range(2):
        inbox.answers.release()
    await asyncio.gather(*waiting)
    assert inbox.batches == [["0"], ["1", "2", "3", "4"]]


async def test_everybody_in_a_batch_hears_that_the_store_is_away_and_the_next_is_tried(
    batcher: Batcher, inbox: SlowInbox
) -> None:
    inbox.away = True
    inbox.answers.release()
    told = await asyncio.gather(
        *(batcher.accept(arrival(n)) for n in range(2)), return_exceptions=True
    )
    assert [type(each) for each in told] == [StoreUnavailable, StoreUnavailable]
    assert told[0] is not told[1]
    assert batcher.failing
    inbox.away = False
    inbox.answers.release()
    assert (await batcher.accept(arrival(7))).tries == 7
    assert not batcher.failing


async def test_a_caller_that_gives_up_takes_nothing_back(
    batcher: Batcher, inbox: SlowInbox
) -> None:
    impatient = asyncio.ensure_future(batcher.accept(arrival(1)))
    patient = asyncio.ensure_future(batcher.accept(arrival(2)))
    await turns()
    impatient.cancel()
    inbox.answers.release()
    assert (await patient).tries == 2
    assert inbox.batches == [["1", "2"]]


async def test_nobody_is_let_wait_beyond_the_limit(
    batcher: Batcher, inbox: SlowInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "WAITING_LIMIT", 1)
    under_way = []
    for number in range(3):
        under_way.append(asyncio.ensure_future(batcher.accept(arrival(number))))
        await turns()
    with pytest.raises(StoreUnavailable, match="wait to be stored"):
        await batcher.accept(arrival(9))
    for each in under_way:
        each.cancel()
