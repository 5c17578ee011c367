"""Which clients were revoked, as the stores keep it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.conftest import KEY, Place, redis_store, sqlite_store
from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import CLASSIC, OTHER, STABLE, granted
from token_service.slot import Changes
from token_service.stores.base import TokenStore
from token_service.stores.codec import Sealer

AT = START + 0.123456789


async def test_at_first_nobody_is_revoked(store: TokenStore) -> None:
    assert await store.revocations() == {}


async def test_a_revocation_is_kept_with_its_exact_time(store: TokenStore) -> None:
    assert await store.revoke("orders", AT) == AT
    assert await store.revocations() == {"orders": AT}


async def test_of_two_revocations_the_later_counts_in_whatever_order(store: TokenStore) -> None:
    assert await store.revoke("orders", AT) == AT
    assert await store.revoke("orders", AT + 1) == AT + 1
    assert await store.revoke("orders", AT) == AT + 1
    assert await store.revocations() == {"orders": AT + 1}


async def test_clients_are_apart(store: TokenStore) -> None:
    names = ("orders", "billing", "a.b-c_D", "订单")
    await asyncio.gather(*(store.revoke(name, AT + n) for n, name in enumerate(names)))
    assert await store.revocations() == {name: AT + n for n, name in enumerate(names)}


async def test_a_revocation_changes_no_slot(store: TokenStore) -> None:
    for slot in (CLASSIC, STABLE, OTHER):
        await store.snapshot(slot)
    cursor = (await store.changes(None, wait_s=0)).cursor
    await store.revoke("orders", AT)
    assert await store.changes(cursor, wait_s=0) == Changes(cursor, frozenset())


async def test_what_was_read_does_not_change_afterwards(store: TokenStore) -> None:
    before = await store.revocations()
    await store.revoke("orders", AT)
    assert before == {}


async def test_revocations_survive_a_restart_and_another_encryption_key(place: Place) -> None:
    store = await place.open(KEY)
    await store.revoke("orders", AT)
    await granted(store)
    store = await place.open("another key, which is long enough as well")
    assert await store.revocations() == {"orders": AT}


async def test_a_file_from_before_there_were_revocations_is_taken_over(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "tokens.db"
    await (await sqlite_store(path, clock, Sealer([KEY]))).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE revocations")
    connection.close()
    store = await sqlite_store(path, clock, Sealer([KEY]))
    await store.revoke("orders", AT)
    assert await store.revocations() == {"orders": AT}
    await store.close()


async def test_replicas_share_their_revocations(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    first, second = [await redis_store(redis_server.url, clock, Sealer()) for _ in range(2)]
    await first.revoke("orders", AT)
    assert await second.revocations() == {"orders": AT}
    with redis_server.client() as client:
        assert client.ttl("zk:ts:{meta}:revocations") == -1
    for store in (first, second):
        await store.close()
