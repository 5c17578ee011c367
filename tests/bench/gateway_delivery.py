"""The gateway while it delivers every event to a target: for information, no row asks for it."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.bench.gateway_rounds import load
from tests.bench.gateway_servers import gateway_on_redis, other_server

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from tests.bench.gateway_messages import Correspondence

_ROUNDS = 3
_GUESS_PER_S = 15_000
_DRAINED_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.05


def measure_delivery(
    folder: Path,
    cores: tuple[int, int],
    messages: Correspondence,
    options: argparse.Namespace,
) -> None:
    """Load it with a notify target beside the load, and wait until every event has arrived."""
    server_core, load_core = cores
    with (
        other_server("tests.bench.gateway_sink", "empty", load_core) as sink,
        gateway_on_redis(
            folder / "delivering", "everysec", server_core, load_core, sink.port
        ) as server,
    ):
        rates: list[float] = []
        delivered: list[float] = []
        for _ in range(_ROUNDS):
            requests = messages.write(int(_GUESS_PER_S * options.seconds))
            before, began = _count_at(sink.port), time.perf_counter()
            volley = load(
                server, requests, seconds=options.seconds, connections=options.connections
            )
            _wait_for_count(sink.port, before + volley.requests)
            rates.append(volley.requests_per_s)
            delivered.append(volley.requests / (time.perf_counter() - began))
    print(
        f"  while it delivers to one target: {median(rates):,.0f} requests/s,"
        f" {median(delivered):,.0f} events/s until the last has arrived; none was lost"
    )


def _wait_for_count(port: int, wanted: int) -> None:
    until = time.perf_counter() + _DRAINED_WITHIN_S
    while (count := _count_at(port)) < wanted:
        if time.perf_counter() > until:
            raise RuntimeError(f"{wanted - count} of {wanted} events were not delivered")
        time.sleep(_LOOK_EVERY_S)


def _count_at(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return int(answer.read())
