"""How much of a bare aiohttp GET is left when a small JSON call goes through the proxy to WeChat.

Short rounds in turn; the server has a core of its own, WeChat's stand-in and the load share another
one. The opaque token is checked and swapped, the answer looked into, metrics and audit are on.
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

KEY = "0123456789abcdefghijklmnopqrstuv"
NAMES = ("bare", "ours")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench proxy_call")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args(arguments)
    server_core, load_core = machine.cores()
    rounds: dict[str, list[Round]] = {name: [] for name in NAMES}
    costs: dict[str, list[float]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        wechat, _, _ = stack.enter_context(_server("wechat", load_core or server_core))
        servers = {name: stack.enter_context(_server(name, server_core, wechat)) for name in NAMES}
        for number in range(options.rounds + 1):
            for name in NAMES if number % 2 else reversed(NAMES):
                port, path, process_id = servers[name]
                before = machine.cpu_seconds(process_id)
                result = measure(
                    Target(port, path, KEY),
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
def _server(name: str, core: int, upstream: int = 0) -> Iterator[tuple[int, str, int]]:
    """Run one of the servers; gives its port, the path to ask for and its process id."""
    module = "tests.bench.proxy_server"
    command = [sys.executable, "-m", module, name, str(core), KEY, str(upstream)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port, path = process.stdout.readline().split()
        yield int(port), path, process.pid
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _print(rounds: dict[str, list[Round]], connections: int) -> None:
    print(f"proxy_call: {len(rounds['ours'])} rounds in turn, {connections} connections,")
    print(f"  load by {generator()}, on {machine.describe()}")
    for name in NAMES:
        rates = sorted(result.requests_per_s for result in rounds[name])
        p99 = median(result.p99_ms for result in rounds[name])
        spread = f"{rates[0]:,.0f}-{rates[-1]:,.0f}"
        print(f"  {name}: {median(rates):>9,.0f} requests/s ({spread}), p99 {p99:.2f} ms")
    bare, ours = rounds["bare"], rounds["ours"]
    ratio = median(r.requests_per_s for r in ours) / median(r.requests_per_s for r in bare)
    print(f"  ratio of medians {ratio:.2f} (at least 0.35, then 0.45)")


def _print_costs(costs: dict[str, list[float]]) -> None:
    """Processor time of the server alone: WeChat's stand-in takes part of the other core."""
    bare, ours = median(costs["bare"]), median(costs["ours"])
    print(
        f"  processor time a request: bare {bare * 1e6:.1f} µs, ours {ours * 1e6:.1f} µs, "
        f"ratio {bare / ours:.2f}"
    )
