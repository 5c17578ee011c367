"""How much of a bare aiohttp GET is left when a small JSON call goes through the proxy to WeChat.

The server has a core of its own, WeChat's stand-in and the load share another one. The opaque token
is checked and swapped, the answer looked into, metrics and audit are on.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import machine
from tests.bench.duel import KEY, NAMES, Server, fight, options_of, process
from tests.bench.load import Target

SERVER = "tests.bench.proxy_server"


def main(arguments: list[str]) -> int:
    options = options_of("proxy_call", arguments)
    server_core, load_core = machine.cores()
    servers: dict[str, Server] = {}
    with ExitStack() as stack:
        stand_in = process(SERVER, "wechat", str(load_core or server_core), KEY, "0")
        (wechat, *_), _ = stack.enter_context(stand_in)
        for name in NAMES:
            one = process(SERVER, name, str(server_core), KEY, wechat)
            (port, path), pid = stack.enter_context(one)
            servers[name] = Server(Target(int(port), path, KEY), pid)
        duel = fight(servers, options, load_core)
    duel.print_rounds("proxy_call", options.connections)
    print(f"  ratio of medians {duel.ratio:.2f} (at least 0.35, then 0.45)")
    duel.print_costs()
    return 0
