"""What a token costs that the client holds, beside a dictionary look-up and a read from Redis.

The read is what SDKs do whose storage is a Redis on the same machine: one GET and its JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from tests.bench import machine
from tests.fixtures.redis import RedisServer
from tests.token_service.client.scripted import KEY, ScriptedService
from token_service.client import TokenClient

_HITS = 20_000
_READS = 500
_TOKEN = "92_" + "x" * 133


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench client_hit")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            with server.client() as redis:
                redis.set("token", json.dumps(_TOKEN))
                costs = uvloop.run(_measure(options.rounds, redis))
        finally:
            server.kill()
    hit, lookup, read = (median(costs[name]) for name in ("hit", "lookup", "read"))
    print(f"client_hit: {options.rounds} rounds in turn, on {machine.describe()}")
    print(f"  hit {hit * 1e9:.0f} ns, dictionary {lookup * 1e9:.0f} ns, Redis {read * 1e6:.1f} µs")
    print(f"  {read / hit:.0f} × faster than the read (at least 100, then 500)")
    return 0


async def _measure(rounds: int, redis: Any) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {"hit": [], "lookup": [], "read": []}
    service = ScriptedService()
    await service.start()
    async with TokenClient(service.url, key=KEY) as tokens:
        await tokens.get("shop")
        known = {("shop", "access_token"): _TOKEN}
        for _ in range(rounds):
            began = time.perf_counter()
            for _ in range(_HITS):
                await tokens.get("shop")
            ended = time.perf_counter()
            costs["hit"].append((ended - began) / _HITS)
            for _ in range(_HITS):
                known.get(("shop", "access_token"))
            costs["lookup"].append((time.perf_counter() - ended) / _HITS)
            began = time.perf_counter()
            for _ in range(_READS):
                json.loads(redis.get("token"))
            costs["read"].append((time.perf_counter() - began) / _READS)
            await asyncio.sleep(0)
    await service.stop()
    return costs
