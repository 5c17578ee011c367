"""A bare aiohttp server and ours in short rounds in turn, under the same load, and what came of it.

The ratio of the medians is what counts; the two servers differ by up to a quarter from one start to
the next on a shared machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import machine
from tests.bench.load import Round, Target, generator, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "0123456789abcdefghijklmnopqrstuv"
NAMES = ("bare", "ours")


@dataclass(frozen=True)
class Server:
    """One of the two, in a process of its own."""

    target: Target
    process_id: int


@dataclass
class Duel:
    """The rounds of both servers, and their processor seconds a request where these can be read."""

    rounds: dict[str, list[Round]] = field(default_factory=lambda: {name: [] for name in NAMES})
    costs: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})

    @property
    def ratio(self) -> float:
        """Ours by bare: medians of requests per second."""
        bare, ours = (
            median(result.requests_per_s for result in self.rounds[name]) for name in NAMES
        )
        return ours / bare

    def print_rounds(self, title: str, connections: int) -> None:
        print(f"{title}: {len(self.rounds['ours'])} rounds in turn, {connections} connections,")
        print(f"  load by {generator()}, on {machine.describe()}")
        for name in NAMES:
            rates = sorted(result.requests_per_s for result in self.rounds[name])
            p99 = median(result.p99_ms for result in self.rounds[name])
            spread = f"{rates[0]:,.0f}-{rates[-1]:,.0f}"
            print(f"  {name}: {median(rates):>9,.0f} requests/s ({spread}), p99 {p99:.2f} ms")

    def print_costs(self) -> None:
        """Processor time of the servers alone, which other programs disturb less."""
        if not all(self.costs.values()):
            return
        bare, ours = median(self.costs["bare"]), median(self.costs["ours"])
        print(
            f"  processor time a request: bare {bare * 1e6:.1f} µs, ours {ours * 1e6:.1f} µs, "
            f"ratio {bare / ours:.2f}"
        )


def options_of(name: str, arguments: list[str]) -> argparse.Namespace:
    """Rounds, seconds a round and connections."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.bench {name}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=32)
    return parser.parse_args(arguments)


def fight(
    servers: Mapping[str, Server], options: argparse.Namespace, load_core: int | None
) -> Duel:
    """Load both in turn; the first round warms them up and isn't counted."""
    duel = Duel()
    for number in range(options.rounds + 1):
        for name in NAMES if number % 2 else reversed(NAMES):
            server = servers[name]
            before = machine.cpu_seconds(server.process_id)
            result = measure(
                server.target,
                seconds=options.seconds if number else 1.0,
                connections=options.connections,
                core=load_core,
            )
            after = machine.cpu_seconds(server.process_id)
            if number:
                duel.rounds[name].append(result)
            if number and before is not None and after is not None:
                duel.costs[name].append((after - before) / result.requests)
    return duel


@contextmanager
def process(module: str, *arguments: str) -> Iterator[tuple[list[str], int]]:
    """Run a server module until the block ends; gives the words of its first line, and its pid."""
    command = [sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield child.stdout.readline().split(), child.pid
    finally:
        child.stdin.close()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
