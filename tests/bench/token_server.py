"""The two servers of the benchmark `token_get`, each in a process of its own.

`python -m tests.bench.token_server bare|ours CORE KEY`; `ours` is the real API over the real
rotation.
"""

from __future__ import annotations

import sys

from tests.bench.serving import rotating, run, serve, serve_bare

PATH = "/v1/accounts/shop/tokens/access_token"
BODY = b'{"account":"shop","value":"' + b"x" * 136 + b'","padding":"' + b"y" * 160 + b'"}'


async def serve_ours(key: str) -> None:
    async with rotating(key, "verbs: [read]") as parts:
        await serve(parts, PATH)


if __name__ == "__main__":
    which, core, bearer = sys.argv[1:]
    run(serve_ours(bearer) if which == "ours" else serve_bare(PATH, BODY), int(core))
