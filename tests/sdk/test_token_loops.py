"""Clients that ask for tokens again and again, as SDKs do after 40001, cost nothing at WeChat."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tests.sdk.worlds import PROBE_PATH, SHOP, World, world

TIMES = 1000
AT_ONCE = 20
POD_ADDRESSES = [f"127.0.0.{last}" for last in range(11, 21)]


async def ask_often(it: World, client: str) -> set[str]:
    """The tokens that were given."""

    async def asker() -> set[str]:
        return {await it.token_of(client) for _ in range(TIMES // AT_ONCE)}

    return set().union(*await asyncio.gather(*(asker() for _ in range(AT_ONCE))))


async def test_a_client_that_loops_on_the_token_endpoint_causes_no_token_call(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as it:
        calls = it.token_calls
        assert len(await ask_often(it, "orders")) > 1
        assert it.token_calls == calls == 1
        assert it.ledger.calls(PROBE_PATH) == 0


async def test_one_that_is_handed_real_tokens_causes_at_most_one_probe_in_10_s(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as it:
        calls, began = it.token_calls, it.clock.monotonic()
        assert await ask_often(it, "pods") == {it.ledger.issued(SHOP.appid)[0].value}
        took_s = it.clock.monotonic() - began
        assert it.ledger.calls(PROBE_PATH) <= 1 + took_s // 10
        assert it.token_calls == calls == 1


async def test_ten_pods_that_share_a_key_are_no_suspicion(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        tokens = {await first_token_of_pod(it, address) for address in POD_ADDRESSES}
        assert len(tokens) == 1
        assert it.ledger.calls(PROBE_PATH) == 0
        assert it.token_calls == 1


async def first_token_of_pod(it: World, address: str) -> str:
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as pod:
        answer = await it.ask_for_token("pods", session=pod)
        return str(answer["access_token"])


async def test_one_pod_that_asks_again_is_verified_with_one_probe(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        assert await first_token_of_pod(it, "127.0.0.11") == await it.token_of("pods")
        assert it.ledger.calls(PROBE_PATH) == 0
        await it.token_of("pods")
        assert it.ledger.calls(PROBE_PATH) == 1
        assert it.token_calls == 1


async def test_one_that_holds_a_dead_real_token_is_given_another(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        dead = await it.token_of("pods")
        it.kill()
        fresh = await it.token_of("pods")
        assert fresh != dead
        assert it.ledger.alive(fresh, it.now)
        assert it.token_calls == 2
