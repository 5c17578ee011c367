"""What a callback costs in the gateway: verify, decrypt, de-duplicate, store, answer.

Beside it stand a bare aiohttp POST and two libraries that verify and decrypt but store nothing. The
row that counts is on Redis with appendfsync everysec; both ways of `durability: disk`, p99 at half
the top rate, and the gateway while it delivers each event to a target are printed beside it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench import gateway_quiet, machine
from tests.bench.gateway_delivery import measure_delivery
from tests.bench.gateway_messages import Correspondence
from tests.bench.gateway_rounds import Results, in_turn, load
from tests.bench.gateway_servers import (
    Server,
    gateway_on_redis,
    gateway_on_sqlite,
    on_core,
    other_server,
)
from tests.bench.peers import co_wechat

BARE, CO_WECHAT, WEROBOT = "bare aiohttp POST", "co-wechat", "WeRoBot"
EVERYSEC, ALWAYS, SQLITE = "gateway, everysec", "gateway, always", "gateway, SQLite"
NAMES = (BARE, EVERYSEC, CO_WECHAT, WEROBOT, ALWAYS, SQLITE)
RATIOS = ((BARE, "0.40, then 0.55"), (CO_WECHAT, "1.5, then 2.0"), (WEROBOT, "2.5, then 3.5"))

_FLUSHES = 200


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    names = [name for name in NAMES if not options.only or name in options.only]
    if CO_WECHAT in names and not co_wechat.is_here():
        print("co-wechat is left out: Node or its packages are missing; `make test` brings them")
        names.remove(CO_WECHAT)
    server_core, load_core = machine.cores()
    messages = Correspondence()
    with tempfile.TemporaryDirectory(dir=options.folder) as made, on_core(load_core):
        folder = Path(made)
        with ExitStack() as stack:
            servers = {name: _open(name, stack, folder, server_core, load_core) for name in names}
            results = in_turn(
                servers,
                messages,
                rounds=options.rounds,
                seconds=options.seconds,
                connections=options.connections,
                cores=(server_core, load_core),
            )
            _print_rounds(results, options, folder)
            if EVERYSEC in names:
                _measure_half(servers[EVERYSEC], results[EVERYSEC].rate, messages, options)
        if EVERYSEC in names:
            measure_delivery(folder, (server_core, load_core), messages, options)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench gateway")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--folder", type=Path, help="where the stores are: its disk is flushed")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be repeated")
    return parser.parse_args(arguments)


def _open(name: str, stack: ExitStack, folder: Path, core: int, load_core: int) -> Server:
    if name == SQLITE:
        opened = gateway_on_sqlite(folder / "sqlite", core)
    elif name == EVERYSEC:
        opened = gateway_on_redis(folder / "everysec", "everysec", core, load_core)
    elif name == ALWAYS:
        opened = gateway_on_redis(folder / "always", "always", core, load_core)
    elif name == CO_WECHAT:
        opened = other_server("tests.bench.peers.co_wechat", "empty", core)
    elif name == WEROBOT:
        opened = other_server("tests.bench.peers.werobot_tornado", "empty", core)
    else:
        opened = other_server("tests.bench.gateway_bare", "echo", core)
    return stack.enter_context(opened)


def _print_rounds(results: dict[str, Results], options: argparse.Namespace, folder: Path) -> None:
    share = max(volley.generator_share for each in results.values() for volley in each.volleys)
    print(f"gateway: {options.rounds} rounds in turn, {options.connections} connections,")
    print("  each request a message of its own in safe mode, every answer looked at,")
    print(f"  load by tests.bench.gateway_load (at most {share:.0%} of its core),")
    print(f"  on {machine.describe()}")
    print(f"  whose disk flushes in {_flush_ms(folder):.2f} ms")
    for name, each in results.items():
        print(f"  {name + ':':<18} {each.describe()}")
    _print_disturbance(results)
    if EVERYSEC not in results:
        return
    print("  every answer of a gateway stands for one event in its store")
    for name, wanted in RATIOS:
        if name in results:
            print(f"  by {name}: {results[EVERYSEC].against(results[name])}, at least {wanted}")
    for name in (ALWAYS, SQLITE):
        if name in results:
            print(f"  {name} by everysec: {results[name].against(results[EVERYSEC])}")


def _print_disturbance(results: dict[str, Results]) -> None:
    shares = [each.disturbed for each in results.values()]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        print("  how much other programs took of the cores can't be told here")
    elif max(known) > gateway_quiet.AT_MOST:
        print(f"  NO MEASUREMENT: others took up to {max(known):.0%} of a core, which strikes the")
        print("  servers unequally. No rate, ratio or p99 here stands: repeat on a quiet machine")


def _measure_half(
    server: Server, top_rate: float, messages: Correspondence, options: argparse.Namespace
) -> None:
    """Requests at even distances, half as many as it could take."""
    rate = top_rate / 2
    volleys = [
        load(
            server,
            messages.write(int(rate * options.seconds) + 1),
            seconds=options.seconds,
            connections=options.connections,
            rate=rate,
        )
        for _ in range(options.rounds)
    ]
    p99 = sorted(volley.p99_ms for volley in volleys)
    print(
        f"  at {rate:,.0f} requests/s, half its top rate: p99 {median(p99):.2f} ms"
        f" ({p99[0]:.2f}-{p99[-1]:.2f}; below 10 ms, then 5 ms)"
    )


def _flush_ms(folder: Path) -> float:
    """How long the disk under the stores takes to keep 4 KiB: the median, in milliseconds."""
    took: list[float] = []
    with (folder / "flushed").open("wb") as file:
        for _ in range(_FLUSHES):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return median(took) * 1000
