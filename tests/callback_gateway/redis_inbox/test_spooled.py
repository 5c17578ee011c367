"""Accepting goes on while a real Redis is dead, and what was spooled reaches it afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callback_gateway.inbox.open import open_inbox
from callback_gateway.inbox.records import (
    REPLY_LEASE_S,
    Attempt,
    Dead,
    Done,
    Keeping,
    Kind,
    Mark,
    Release,
    ReplyState,
    Settlement,
    Stamp,
    Verdict,
)
from callback_gateway.inbox.spooled import PATIENCE_S, SpooledInbox
from tests.callback_gateway.inbox.samples import (
    AUDIT,
    SHOP,
    TRADING,
    US,
    accept,
    begun,
    done,
    leased,
    letters,
    notify,
    question,
    unread,
)
from tests.callback_gateway.redis_inbox.samples import Heard
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable

Open = Callable[[], Awaitable[SpooledInbox]]


@pytest.fixture
async def open_spooled(
    redis_server: RedisServer, tmp_path: Path, clock: ManualClock, heard: Heard
) -> AsyncIterator[Open]:
    """Opens the inbox as a start of the process does."""

    async def opened() -> SpooledInbox:
        inbox = await open_inbox(
            redis_server.url,
            base=tmp_path,
            spool="sqlite:///spool.db",
            durability="process",
            keeping=Keeping(),
            clock=clock,
            randomness=SystemRandomness(),
            observer=heard,
        )
        assert isinstance(inbox, SpooledInbox)
        inboxes.push_async_callback(inbox.close)
        return inbox

    async with AsyncExitStack() as inboxes:
        yield opened


@pytest.fixture
async def inbox(open_spooled: Open) -> SpooledInbox:
    return await open_spooled()


@pytest.fixture
async def living(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[SpooledInbox]:
    """On the machine's clock, with its loop running."""
    inbox = await open_inbox(
        redis_server.url,
        base=tmp_path,
        spool="sqlite:///living.db",
        durability="process",
        keeping=Keeping(),
        clock=SystemClock(),
        randomness=SystemRandomness(),
    )
    assert isinstance(inbox, SpooledInbox)
    loop = asyncio.ensure_future(inbox.run())
    yield inbox
    loop.cancel()
    await asyncio.wait({loop})
    await inbox.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


@contextmanager
def frozen(server: RedisServer) -> Iterator[None]:
    """It holds its connections and answers nothing."""
    os.kill(server.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.child.pid, signal.SIGCONT)


async def kill(server: RedisServer) -> None:
    await asyncio.to_thread(server.kill)


async def start(server: RedisServer) -> None:
    await asyncio.to_thread(server.start)


async def test_a_dead_store_costs_no_callback(
    inbox: SpooledInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await kill(redis_server)
    assert (await accept(inbox, notify())).verdict is Verdict.NEW
    assert (await accept(inbox, notify())).tries == 2
    assert inbox.away
    assert not inbox.drained
    assert await inbox.waiting() == 1
    assert (heard.away, heard.spooled_counts) == ([True], [1])


async def test_a_silent_store_is_given_up_in_time(
    inbox: SpooledInbox, redis_server: RedisServer
) -> None:
    await accept(inbox, notify("msg_1"))
    loop = asyncio.get_running_loop()
    with frozen(redis_server):
        began = loop.time()
        assert (await accept(inbox, notify("msg_2"))).verdict is Verdict.NEW
        assert loop.time() - began < PATIENCE_S + 0.5
        began = loop.time()
        # From now on nobody waits for it.
        assert (await accept(inbox, notify("msg_3"))).verdict is Verdict.NEW
        with pytest.raises(StoreUnavailable):
            await inbox.lease({AUDIT: 1}, owner=US)
        assert loop.time() - began < 0.5
    assert await inbox.drain(10)


async def test_what_was_spooled_is_delivered_and_marked(
    inbox: SpooledInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await kill(redis_server)
    await accept(inbox, notify("msg_1"))
    await accept(inbox, unread("bad_1"))
    await start(redis_server)
    assert await inbox.drain(10)
    assert (inbox.drained, inbox.away) == (True, False)
    delivery = await leased(inbox)
    assert (delivery.event_id, delivery.marks) == ("msg_1", frozenset({Mark.SPOOLED}))
    assert [letter.id for letter in await letters(inbox)] == ["bad_1.-"]
    assert (heard.away, sum(heard.drained_counts)) == ([True, False], 2)


async def test_what_the_store_knew_is_not_delivered_twice(
    inbox: SpooledInbox, redis_server: RedisServer
) -> None:
    await accept(inbox, notify("msg_1"))
    await done(inbox, await leased(inbox))
    await kill(redis_server)
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.NEW  # as far as we know
    await start(redis_server)
    assert await inbox.drain(10)
    assert await inbox.lease({AUDIT: 1}, owner=US) == []
    assert (await accept(inbox, notify("msg_1"))).tries == 3


async def test_tries_are_counted_on(inbox: SpooledInbox, redis_server: RedisServer) -> None:
    await kill(redis_server)
    await accept(inbox, notify())
    await accept(inbox, notify())
    await start(redis_server)
    await inbox.drain(10)
    assert (await accept(inbox, notify())).tries == 3


async def test_an_answer_found_while_the_store_was_away_is_carried_over(
    inbox: SpooledInbox, redis_server: RedisServer
) -> None:
    await kill(redis_server)
    await done(inbox, await begun(inbox), b'{"type": "text"}')
    told = await inbox.join(SHOP, "msg_1", owner=US)
    assert (told.reply_state, told.reply) == (ReplyState.ANSWERED, b'{"type": "text"}')
    await start(redis_server)
    assert await inbox.drain(10)
    told = await inbox.join(SHOP, "msg_1", owner=US)
    assert (told.reply_state, told.reply) == (ReplyState.ANSWERED, b'{"type": "text"}')
    assert await inbox.lease({TRADING: 1}, owner=US) == []
    assert (await inbox.depth()).events == 0


async def test_an_answer_given_up_becomes_a_dead_letter_of_the_store(
    inbox: SpooledInbox, redis_server: RedisServer
) -> None:
    tried = (Attempt(1.0, 0.5, "timeout"), Attempt(2.0, 0.5, "http_500"))
    await kill(redis_server)
    lease = replace(await begun(inbox), attempts=tried[:1])
    await inbox.settle([Settlement(lease, Dead("exhausted"), tried[1])])
    await start(redis_server)
    assert await inbox.drain(10)
    (letter,) = await letters(inbox)
    assert (letter.reason, letter.kind, letter.attempts) == ("exhausted", Kind.REPLY, tried)
    joined = await inbox.join(SHOP, "msg_1", owner=US)
    assert joined.reply_state is ReplyState.GIVEN_UP


async def test_an_attempt_under_way_is_not_moved_and_its_answer_counts(
    inbox: SpooledInbox, redis_server: RedisServer
) -> None:
    await kill(redis_server)
    lease = await begun(inbox)
    await start(redis_server)
    assert not await inbox.drain(0.3)
    again = await accept(inbox, question())
    assert (again.verdict, again.tries, again.lease) == (Verdict.DUPLICATE, 2, None)
    assert await inbox.renew([lease]) == []
    await done(inbox, lease, b"{}")
    assert await inbox.drain(10)
    assert (await accept(inbox, question())).reply == b"{}"


async def test_an_attempt_that_was_cut_off_is_made_by_the_store_afterwards(
    inbox: SpooledInbox, redis_server: RedisServer, clock: ManualClock
) -> None:
    await kill(redis_server)
    old = await begun(inbox)
    await start(redis_server)
    clock.advance(REPLY_LEASE_S)
    assert await inbox.drain(10)
    lease = await leased(inbox, TRADING)
    assert (lease.event_id, lease.kind) == ("msg_1", Kind.REPLY)
    assert lease.marks == {Mark.SPOOLED}
    await inbox.settle([Settlement(old, Release())])
    assert await inbox.renew([lease]) == []
    # The one that was thought dead has an answer after all.
    await inbox.settle([Settlement(old, Done(b"{}"))])
    joined = await inbox.join(SHOP, "msg_1", owner=US)
    assert joined.reply == b"{}"


async def test_only_a_probe_asks_a_silent_store_until_it_answers(
    living: SpooledInbox, redis_server: RedisServer
) -> None:
    await accept(living, notify())
    await kill(redis_server)
    with pytest.raises(StoreUnavailable):
        await living.depth()
    await start(redis_server)
    for method in (living.disabled(), living.next_due_in([AUDIT]), living.hasten(AUDIT)):
        with pytest.raises(StoreUnavailable):
            await method
    await until(lambda: not living.away)
    assert (await living.depth()).events == 1


async def test_it_drains_by_itself(living: SpooledInbox, redis_server: RedisServer) -> None:
    await kill(redis_server)
    await living.accept([notify(f"msg_{n}") for n in range(200)], owner=US)
    await start(redis_server)
    await until(lambda: living.drained)
    assert len(await living.lease({AUDIT: 999}, owner=US)) == 200


async def test_a_store_whose_memory_is_full_goes_on_delivering(
    living: SpooledInbox, redis_server: RedisServer
) -> None:
    await accept(living, notify("msg_1"))
    with redis_server.client() as client:
        client.config_set("maxmemory", "1")
        assert (await accept(living, notify("msg_2"))).verdict is Verdict.NEW
        await until(lambda: not living._watch.silent)
        await done(living, await leased(living))
        assert (living.away, living.drained) == (True, False)
        client.config_set("maxmemory", "0")
    await until(lambda: living.drained)
    assert (await leased(living)).event_id == "msg_2"


async def test_a_restart_finds_what_was_spooled(
    inbox: SpooledInbox, redis_server: RedisServer, open_spooled: Open
) -> None:
    await kill(redis_server)
    await accept(inbox, replace(notify("msg_1"), stamp=Stamp("proof", "body")))
    await accept(inbox, question("msg_2"))
    await inbox.close()
    again = await open_spooled()
    assert not again.drained
    assert (await accept(again, notify("msg_1"))).tries == 2
    await start(redis_server)
    assert await again.drain(10)
    assert {(await leased(again)).event_id, (await leased(again, TRADING)).event_id} == {
        "msg_1",
        "msg_2",
    }
    forged = replace(notify("msg_3"), stamp=Stamp("proof", "other"))
    assert (await accept(again, forged)).verdict is Verdict.ALTERED


async def test_a_full_store_leaves_the_rest_in_the_spool(
    redis_server: RedisServer, tmp_path: Path, clock: ManualClock
) -> None:
    inbox = await open_inbox(
        redis_server.url,
        base=tmp_path,
        spool="sqlite:///full.db",
        durability="process",
        keeping=Keeping(limit=2),
        clock=clock,
        randomness=SystemRandomness(),
    )
    assert isinstance(inbox, SpooledInbox)
    await accept(inbox, notify("msg_1"))
    await kill(redis_server)
    await inbox.accept([notify("msg_2"), notify("msg_3")], owner=US)
    await start(redis_server)
    assert not await inbox.drain(0.5)
    assert await inbox.waiting() == 1
    await done(inbox, await leased(inbox))
    assert await inbox.drain(10)
    await inbox.close()
