"""`python -m tests.bench NAME …` runs one benchmark, without a name all of them."""

from __future__ import annotations

import sys

from tests.bench import client_hit, gateway_intake, proxy_call, start_to_ready, token_get

BENCHMARKS = {
    "token_get": token_get.main,
    "proxy_call": proxy_call.main,
    "client_hit": client_hit.main,
    "gateway": gateway_intake.main,
    "start_to_ready": start_to_ready.main,
}


def main(arguments: list[str]) -> int:
    if not arguments:
        return max(run([]) for run in BENCHMARKS.values())
    name, *rest = arguments
    if name not in BENCHMARKS:
        print(f"no benchmark is called {name}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 64
    return BENCHMARKS[name](rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
