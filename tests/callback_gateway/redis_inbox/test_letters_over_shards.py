"""Dead letters of several shards: one list, oldest first, in pages and slices."""

from __future__ import annotations

import pytest

from callback_gateway.inbox import redis_letters
from callback_gateway.inbox.records import Dead, Selection, Settlement
from callback_gateway.inbox.redis import RedisInbox
from callback_gateway.inbox.redis_shards import SHARDS
from tests.callback_gateway.inbox.samples import ALL, AUDIT, US, letters, notify
from tests.callback_gateway.redis_inbox.conftest import OpenInbox
from tests.callback_gateway.redis_inbox.samples import ACCOUNTS
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock

ORDER = [3, 1, 4, 0, 5, 2, 6, 7, 3, 1, 4, 0]
NAMES = [f"msg_{place}.{AUDIT}" for place in range(len(ORDER))]


@pytest.fixture
async def inbox(
    redis_server: RedisServer,
    opened: OpenInbox,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> RedisInbox:
    """With a letter of each of ORDER's shards, one a second; slices are small."""
    monkeypatch.setattr(redis_letters, "SLICE", 2)
    monkeypatch.setattr(redis_letters, "LOOK_AT", 1)
    inbox = await opened(redis_server.url, clock=clock)
    for place, shard in enumerate(ORDER):
        await inbox.accept([notify(f"msg_{place}", account=ACCOUNTS[shard])], owner=US)
        (delivery,) = await inbox.lease({AUDIT: 1}, owner=US)
        await inbox.settle([Settlement(delivery, Dead("exhausted"))])
        clock.advance(1)
    return inbox


async def test_pages_go_through_all_letters_in_order_of_death(inbox: RedisInbox) -> None:
    found: list[str] = []
    after = None
    while True:
        page = await inbox.dead_letters(ALL, after=after, limit=5)
        found += [letter.id for letter in page.letters]
        after = page.next
        if after is None:
            break
    assert found == NAMES


async def test_letters_of_one_account_are_found_among_others(inbox: RedisInbox) -> None:
    mine = await letters(inbox, Selection(account=ACCOUNTS[3]))
    assert [letter.id for letter in mine] == [NAMES[0], NAMES[8]]


async def test_named_letters_are_found_in_whatever_shard(inbox: RedisInbox) -> None:
    found = await letters(inbox, Selection(ids=(NAMES[7], "msg_x.audit", NAMES[2], NAMES[11])))
    assert [letter.id for letter in found] == [NAMES[2], NAMES[7], NAMES[11]]


async def test_the_oldest_are_redriven_first(inbox: RedisInbox) -> None:
    assert await inbox.redrive(ALL, limit=5) == 5
    assert [letter.id for letter in await letters(inbox)] == NAMES[5:]
    assert len(await inbox.lease({AUDIT: 99}, owner=US)) == 5


async def test_dropping_goes_on_over_slices(inbox: RedisInbox) -> None:
    assert await inbox.drop(Selection(target=AUDIT)) == len(ORDER)
    assert (await inbox.depth()).events == 0
    assert (await inbox.depth()).dead == {}


async def test_letters_are_purged_in_every_shard(inbox: RedisInbox, clock: ManualClock) -> None:
    clock.advance(40 * 86_400)
    counts = []
    while count := await inbox.purge(limit=7):
        counts.append(count)
    assert sum(counts) == 2 * len(ORDER)  # ids and letters
    assert max(counts) <= 7
    assert await letters(inbox) == ()
    assert SHARDS > 1
