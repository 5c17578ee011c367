"""Several accounts lie in several shards; what is leased is as if there were one."""

from __future__ import annotations

import asyncio

from callback_gateway.inbox.records import NOTIFY_LEASE_S, Keeping, Verdict
from callback_gateway.inbox.redis_shards import SHARDS
from tests.callback_gateway.inbox.samples import AUDIT, CRM, THEM, US, done, notify
from tests.callback_gateway.redis_inbox.conftest import OpenInbox
from tests.callback_gateway.redis_inbox.samples import ACCOUNTS
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock

EVERYWHERE = [notify(f"msg_{shard}", account=ACCOUNTS[shard]) for shard in range(SHARDS)]


async def test_the_longest_due_come_first_whatever_their_shard(
    redis_server: RedisServer, opened: OpenInbox, clock: ManualClock
) -> None:
    inbox = await opened(redis_server.url, clock=clock)
    order = [5, 0, 7, 2, 6, 1, 3, 4]
    for shard in order:
        await inbox.accept([EVERYWHERE[shard]], owner=US)
        clock.advance(0.5)
    first = await inbox.lease({AUDIT: 3}, owner=US)
    rest = await inbox.lease({AUDIT: 99}, owner=US)
    assert [each.event_id for each in [*first, *rest]] == [f"msg_{shard}" for shard in order]


async def test_no_more_are_leased_than_wanted(redis_server: RedisServer, opened: OpenInbox) -> None:
    inbox = await opened(redis_server.url)
    await inbox.accept(
        [notify(f"{n}_{each.event_id}", AUDIT, CRM, account=each.account)
         for n in range(3) for each in EVERYWHERE],
        owner=US,
    )  # fmt: skip
    found = await inbox.lease({AUDIT: 5, CRM: 2}, owner=US)
    assert sorted(each.target for each in found) == [AUDIT] * 5 + [CRM] * 2


async def test_nothing_is_missed_that_another_replica_accepted(
    redis_server: RedisServer, opened: OpenInbox
) -> None:
    ours, theirs = await opened(redis_server.url), await opened(redis_server.url)
    for each in EVERYWHERE:
        assert await ours.lease({AUDIT: 1}, owner=US) == []
        await theirs.accept([each], owner=THEM)
        (delivery,) = await ours.lease({AUDIT: 1}, owner=US)
        assert delivery.event_id == each.event_id


async def test_no_delivery_is_leased_to_two(redis_server: RedisServer, opened: OpenInbox) -> None:
    ours, theirs = await opened(redis_server.url), await opened(redis_server.url)
    await ours.accept(
        [notify(f"{n}_{each.event_id}", account=each.account)
         for n in range(8) for each in EVERYWHERE],
        owner=US,
    )  # fmt: skip
    found: list[str] = []

    async def take_all(inbox: object, owner: str) -> None:
        assert inbox is ours or inbox is theirs
        taker = ours if inbox is ours else theirs
        while leases := await taker.lease({AUDIT: 3}, owner=owner):
            found.extend(each.event_id for each in leases)

    await asyncio.gather(*(take_all(each, "owner") for each in (ours, theirs, ours, theirs)))
    assert len(found) == len(set(found)) == 8 * SHARDS


async def test_a_dead_owners_leases_are_taken_up_in_every_shard(
    redis_server: RedisServer, opened: OpenInbox, clock: ManualClock
) -> None:
    ours = await opened(redis_server.url, clock=clock)
    theirs = await opened(redis_server.url, clock=clock)
    await theirs.accept(EVERYWHERE, owner=THEM)
    held = await theirs.lease({AUDIT: 99}, owner=THEM)
    assert await ours.lease({AUDIT: 99}, owner=US) == []
    assert await ours.next_due_in([AUDIT]) == NOTIFY_LEASE_S
    clock.advance(NOTIFY_LEASE_S)
    taken = await ours.lease({AUDIT: 99}, owner=US)
    assert [each.cut_off for each in taken] == [1] * SHARDS
    assert len(await theirs.renew(held)) == SHARDS
    for each in taken:
        await done(ours, each)
    assert (await ours.depth()).events == 0


async def test_the_limit_holds_over_all_shards(
    redis_server: RedisServer, opened: OpenInbox
) -> None:
    inbox = await opened(redis_server.url, keeping=Keeping(limit=5))
    verdicts = [each.verdict for each in await inbox.accept(EVERYWHERE, owner=US)]
    assert verdicts == [Verdict.NEW] * 5 + [Verdict.FULL] * 3
    assert (await inbox.depth()).events == 5


async def test_room_that_another_replica_made_is_seen(
    redis_server: RedisServer, opened: OpenInbox
) -> None:
    keeping = Keeping(limit=1)
    ours = await opened(redis_server.url, keeping=keeping)
    theirs = await opened(redis_server.url, keeping=keeping)
    await ours.accept(EVERYWHERE[:1], owner=US)
    assert (await ours.accept(EVERYWHERE[1:2], owner=US))[0].verdict is Verdict.FULL
    await done(theirs, (await theirs.lease({AUDIT: 1}, owner=THEM))[0])
    assert (await ours.accept(EVERYWHERE[1:2], owner=US))[0].verdict is Verdict.NEW


async def test_retries_are_hastened_in_every_shard(
    redis_server: RedisServer, opened: OpenInbox
) -> None:
    from tests.callback_gateway.inbox.samples import retry

    inbox = await opened(redis_server.url)
    await inbox.accept(EVERYWHERE, owner=US)
    for each in await inbox.lease({AUDIT: 99}, owner=US):
        await retry(inbox, each, after_s=3600.0)
    assert await inbox.hasten(AUDIT) == SHARDS
    assert len(await inbox.lease({AUDIT: 99}, owner=US)) == SHARDS
