"""How much of a bare aiohttp GET is left when a token is handed out: key, metrics, audit and all.

Short rounds in turn, server and load on a core each. The ratio of the medians is what counts; the
two servers differ by up to a quarter from one start to the next on a shared machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import machine
from tests.bench.load import Round, Target, generator, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/v1/accounts/shop/tokens/access_token"
KEY = "0123456789abcdefghijklmnopqrstuv"
NAMES = ("bare", "ours")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench token_get")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args(arguments)
    server_core, load_core = machine.cores()
    rounds: dict[str, list[Round]] = {name: [] for name in NAMES}
    costs: dict[str, list[float]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name, server_core)) for name in NAMES}
        for number in range(options.rounds + 1):
            for name in NAMES if number % 2 else reversed(NAMES):
                port, process_id = servers[name]
                before = machine.cpu_seconds(process_id)
                result = measure(
                    Target(port, PATH, KEY),
                    seconds=options.seconds if number else 1.0,
                    connections=options.connections,
                    core=load_core,
                )
                after = machine.cpu_seconds(process_id)
                if number:
                    rounds[name].append(result)
                if number and before is not None and after is not None:
                    costs[name].append((after - before) / result.requests)
    _print(rounds, options.connections)
    if all(costs.values()):
        _print_costs(costs)
    return 0


@contextmanager
def _server(name: str, core: int) -> Iterator[tuple[int, int]]:
    """Run one of the two servers; gives its port and its process id."""
    command = [sys.executable, "-m", "tests.bench.token_server", name, str(core), KEY]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _print(rounds: dict[str, list[Round]], connections: int) -> None:
    print(f"token_get: {len(rounds['ours'])} rounds in turn, {connections} connections,")
    print(f"  load by {generator()}, on {machine.describe()}")
    for name in NAMES:
        rates = sorted(result.requests_per_s for result in rounds[name])
        p99 = median(result.p99_ms for result in rounds[name])
        spread = f"{rates[0]:,.0f}-{rates[-1]:,.0f}"
        print(f"  {name}: {median(rates):>9,.0f} requests/s ({spread}), p99 {p99:.2f} ms")
    bare, ours = rounds["bare"], rounds["ours"]
    ratio = median(r.requests_per_s for r in ours) / median(r.requests_per_s for r in bare)
    pairs = median(
        mine.requests_per_s / its.requests_per_s for mine, its in zip(ours, bare, strict=True)
    )
    p99 = median(r.p99_ms for r in ours) / median(r.p99_ms for r in bare)
    print(f"  ratio of medians {ratio:.2f} (at least 0.80, then 0.90); median of pairs {pairs:.2f}")
    print(f"  ratio of p99 {p99:.2f} (at most 1.5, then 1.2)")


def _print_costs(costs: dict[str, list[float]]) -> None:
    """Processor time a request, which other programs on the machine disturb less."""
    bare, ours = median(costs["bare"]), median(costs["ours"])
    print(
        f"  processor time a request: bare {bare * 1e6:.1f} µs, ours {ours * 1e6:.1f} µs, "
        f"ratio {bare / ours:.2f}"
    )
