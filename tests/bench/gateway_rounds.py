"""Short rounds over all servers in turn, and what came of each.

In every round all servers get the same messages, which nobody has sent before. A server with a
store must hold one event more for every answer it gave, else the benchmark stops.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import gateway_quiet, machine
from tests.bench.gateway_load import fire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.gateway_messages import Correspondence
    from tests.bench.gateway_servers import Server
    from tests.bench.gateway_volley import Volley

_WARM_UP_S = 1.0
_FIRST_GUESS_PER_S = 25_000
_MARGIN = 1.3


@dataclass
class Results:
    """What one server did in each round, and its processor seconds a request."""

    volleys: list[Volley] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    disturbances: list[float] = field(default_factory=list)

    @property
    def disturbed(self) -> float | None:
        """What others took of its cores in the median round."""
        return median(self.disturbances) if self.disturbances else None

    @property
    def rates(self) -> list[float]:
        return [volley.requests_per_s for volley in self.volleys]

    @property
    def rate(self) -> float:
        return median(self.rates)

    @property
    def p50_ms(self) -> float:
        return median(volley.p50_ms for volley in self.volleys)

    @property
    def p99_ms(self) -> float:
        return median(volley.p99_ms for volley in self.volleys)

    def describe(self) -> str:
        rates = sorted(self.rates)
        text = (
            f"{self.rate:>7,.0f} requests/s ({rates[0]:,.0f}-{rates[-1]:,.0f}), "
            f"p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms"
        )
        if self.costs:
            text += f", {median(self.costs) * 1e6:.0f} µs"
        return text if self.disturbed is None else f"{text}, others took {self.disturbed:.0%}"

    def against(self, other: Results) -> str:
        """The ratio of the medians, that of the pairs, and that of the processor times."""
        pairs = median(mine / its for mine, its in zip(self.rates, other.rates, strict=True))
        text = f"{self.rate / other.rate:.2f} (median of pairs {pairs:.2f}"
        if self.costs and other.costs:
            text += f", by processor time {median(other.costs) / median(self.costs):.2f}"
        return f"{text})"


def in_turn(
    servers: Mapping[str, Server],
    messages: Correspondence,
    *,
    rounds: int,
    seconds: float,
    connections: int,
    cores: tuple[int, int],
) -> dict[str, Results]:
    """Load one after the other; the first round warms them up and isn't counted."""
    results = {name: Results() for name in servers}
    fastest = float(_FIRST_GUESS_PER_S)
    for number in range(rounds + 1):
        length_s = seconds if number else _WARM_UP_S
        requests = messages.write(int(fastest * length_s * _MARGIN))
        for name in servers if number % 2 else reversed(list(servers)):
            server = servers[name]
            quiet, before = _quiet(server, cores), machine.cpu_seconds(server.process_id)
            volley = load(server, requests, seconds=length_s, connections=connections)
            after, others = (
                machine.cpu_seconds(server.process_id),
                gateway_quiet.taken_by_others(quiet, _quiet(server, cores)),
            )
            fastest = max(fastest, volley.requests_per_s)
            if number:
                results[name].volleys.append(volley)
            if number and before is not None and after is not None:
                results[name].costs.append((after - before) / volley.requests)
            if number and others is not None:
                results[name].disturbances.append(others)
    return results


def _quiet(server: Server, cores: tuple[int, int]) -> gateway_quiet.Reading | None:
    return gateway_quiet.read(cores, server.process_id, server.helpers)


def load(
    server: Server, requests: bytes, *, seconds: float, connections: int, rate: float = 0
) -> Volley:
    """One round on one server. Raises RuntimeError when its store doesn't hold what it answered."""
    before = server.stored() if server.stored else 0
    volley = fire(
        server.port,
        requests,
        server.answer,
        seconds=seconds,
        connections=connections,
        rate=rate,
    )
    if server.stored and (stored := server.stored() - before) != volley.requests:
        raise RuntimeError(f"{volley.requests} requests were answered, {stored} events are stored")
    return volley
