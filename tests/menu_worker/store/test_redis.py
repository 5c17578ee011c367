"""What only a shared Redis meets: the loss of its memory, its absence, and clusters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from menu_worker.claims import stand_down
from menu_worker.store.base import CLAIMS_KEPT, Claim, MenuStore, Outcome
from menu_worker.store.open import open_menu_store
from menu_worker.store.redis import SHARDS, RedisMenuStore, key_of, shard_of
from tests.fixtures.redis import RedisServer
from tests.menu_worker.store.conftest import SHOP, begun, redis_store
from tests.token_service.stores.manual_clock import START, ManualClock
from zhongkong.runtime.clock import SystemClock
from zhongkong.runtime.storage import StoreUnavailable

MENU: dict[str, list[str]] = {"button": []}


@pytest.fixture
async def store(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisMenuStore]:
    store = await redis_store(redis_server, clock)
    yield store
    await store.close()


@pytest.fixture
async def other(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisMenuStore]:
    other = await redis_store(redis_server, clock)
    yield other
    await other.close()


async def everything(store: MenuStore, account: str = SHOP) -> None:
    """Each method once."""
    await store.claim(account, "a", "red")
    await store.standing(account)
    lease = await store.acquire(account, "a", 60)
    assert lease is not None
    assert await store.holds(lease, 60)
    number = await begun(store, account=account)
    await store.finish(account, number, Outcome.VERIFIED)
    assert len(await store.history(account)) >= 1
    assert await store.revision(account, number) is not None
    await store.set_verified(account, "red", MENU)
    assert await store.verified(account) is not None
    assert await store.spend(account, "create", 1000)
    assert await store.spent(account) != {}
    await store.record_drift(account, "blue")
    assert (await store.drifts(account))[0]
    await store.pause(account, paused=True, by="li")
    assert await store.paused(account) == "li"
    await store.pause(account, paused=False, by="li")
    await store.release(lease)


async def test_an_emptied_redis_is_used_on_without_a_restart(
    store: RedisMenuStore, redis_server: RedisServer
) -> None:
    await everything(store)
    redis_server.flush()
    assert (await store.standing(SHOP)).claims == ()
    assert list(await store.history(SHOP)) == []
    assert await store.verified(SHOP) is None
    await everything(store)


async def test_fences_grow_over_an_emptied_redis(
    store: RedisMenuStore, redis_server: RedisServer, clock: ManualClock
) -> None:
    lease = None
    for _ in range(50):
        lease = await store.acquire(SHOP, "a", 60)
        assert lease is not None
        await store.release(lease)
    redis_server.flush()
    clock.advance(1)
    again = await store.acquire(SHOP, "a", 60)
    assert lease is not None
    assert again is not None
    assert again.fence > lease.fence
    assert not await store.holds(lease, 60)


async def test_of_running_workers_the_same_wins_after_an_emptying(
    store: RedisMenuStore, other: RedisMenuStore, redis_server: RedisServer, clock: ManualClock
) -> None:
    await store.claim(SHOP, "old", "red")
    clock.advance(60)
    await other.claim(SHOP, "new", "blue")
    redis_server.flush()
    clock.advance(60)
    await other.claim(SHOP, "new", "blue")
    standing = await store.claim(SHOP, "old", "red")
    assert standing.claims == (Claim("new", "blue", START + 60), Claim("old", "red", START))
    assert stand_down(standing, "red") is not None


async def test_ids_of_revisions_dont_come_twice_in_one_process(
    store: RedisMenuStore, redis_server: RedisServer
) -> None:
    ids = [await begun(store) for _ in range(3)]
    redis_server.flush()
    ids += [await begun(store) for _ in range(3)]
    assert ids == sorted(set(ids))
    assert [each.id for each in await store.history(SHOP)] == ids[:2:-1]


async def test_a_history_with_gaps_is_read_over_them(
    store: RedisMenuStore, other: RedisMenuStore, redis_server: RedisServer
) -> None:
    late = [await begun(store) for _ in range(9)][-1]
    redis_server.flush()
    first = await begun(other)
    last = await begun(store)
    assert last == late + 1
    assert [each.id for each in await store.history(SHOP, limit=2)] == [last, first]


async def test_a_killed_redis_is_away_and_comes_back_without_our_restart(
    store: RedisMenuStore, redis_server: RedisServer
) -> None:
    await everything(store)
    redis_server.stop()
    for call in (
        store.claim(SHOP, "a", "red"),
        store.acquire(SHOP, "a", 60),
        begun(store),
        store.spend(SHOP, "create", 9),
        store.paused(SHOP),
    ):
        with pytest.raises(StoreUnavailable, match="redis://"):
            await call
    redis_server.start()
    assert (await store.standing(SHOP)).claims == (Claim("a", "red", START),)
    await everything(store)


async def test_the_server_is_the_clock_of_every_worker(redis_server: RedisServer) -> None:
    store = await open_menu_store(redis_server.url, base=Path(), clock=SystemClock())
    with redis_server.client() as client:
        before, _ = client.time()
    await everything(store)
    claim = (await store.standing(SHOP)).claims[0]
    with redis_server.client() as client:
        after, _ = client.time()
    assert before <= claim.claimed_at <= after + 1
    await store.close()


async def test_a_cluster_serves_every_shard(redis_cluster: RedisServer) -> None:
    url = f"redis+cluster://{redis_cluster.host}:{redis_cluster.port}"
    store = await open_menu_store(url, base=Path(), clock=SystemClock())
    accounts = [f"account-{n}" for n in range(64)]
    assert {shard_of(account) for account in accounts} == set(range(SHARDS))
    for account in accounts:
        await everything(store, account)
    await store.close()


async def test_nothing_expires_and_all_keys_carry_their_shard(
    store: RedisMenuStore, redis_server: RedisServer
) -> None:
    await everything(store)
    with redis_server.client() as client:
        keys = sorted(client.scan_iter())
        assert {client.ttl(key) for key in keys} == {-1}
    tag = f"zk:mw:{{{shard_of(SHOP)}}}:"
    assert len(keys) >= 6
    assert all(key.decode().startswith(tag) for key in keys)
    assert key_of(SHOP, "lease").encode() in keys


async def test_claims_never_pile_up(store: RedisMenuStore, redis_server: RedisServer) -> None:
    for number in range(CLAIMS_KEPT * 3):
        await store.claim(SHOP, f"pod-{number}", "red")
    with redis_server.client() as client:
        assert client.hlen(key_of(SHOP, "claims")) == CLAIMS_KEPT
