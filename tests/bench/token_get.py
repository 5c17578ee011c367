"""How much of a bare aiohttp GET is left when a token is handed out: key, metrics, audit on."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from tests.bench import machine
from tests.bench.duel import KEY, NAMES, Duel, Server, fight, options_of, process
from tests.bench.load import Target

PATH = "/v1/accounts/shop/tokens/access_token"
SERVER = "tests.bench.token_server"


def main(arguments: list[str]) -> int:
    options = options_of("token_get", arguments)
    server_core, load_core = machine.cores()
    servers: dict[str, Server] = {}
    with ExitStack() as stack:
        for name in NAMES:
            words, pid = stack.enter_context(process(SERVER, name, str(server_core), KEY))
            servers[name] = Server(Target(int(words[0]), PATH, KEY), pid)
        duel = fight(servers, options, load_core)
    duel.print_rounds("token_get", options.connections)
    _print_ratios(duel)
    duel.print_costs()
    return 0


def _print_ratios(duel: Duel) -> None:
    bare, ours = duel.rounds["bare"], duel.rounds["ours"]
    pairs = median(
        mine.requests_per_s / its.requests_per_s for mine, its in zip(ours, bare, strict=True)
    )
    p99 = median(r.p99_ms for r in ours) / median(r.p99_ms for r in bare)
    print(
        f"  ratio of medians {duel.ratio:.2f} (at least 0.80, then 0.90);"
        f" median of pairs {pairs:.2f}"
    )
    print(f"  ratio of p99 {p99:.2f} (at most 1.5, then 1.2)")
