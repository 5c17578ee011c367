"""The three servers of the benchmark `proxy_call`, each in a process of its own.

`python -m tests.bench.proxy_server bare|ours|wechat CORE KEY UPSTREAM_PORT`; `ours` is the real
proxy over the real rotation; `wechat` answers a small JSON at once; `bare` does the same and is
what `ours` is measured against.
"""

from __future__ import annotations

import sys

from tests.bench.serving import rotating, run, serve, serve_bare
from token_service import configured
from token_service.opaque import NONCE_BYTES, OpaqueTokens
from token_service.proxy.faces import Faces
from token_service.proxy.parts import Around, make_parts

PATH = "/cgi-bin/menu/get"
BODY = b'{"menu":{"button":[{"type":"click","name":"x","key":"' + b"k" * 200 + b'"}]}}'


async def serve_ours(key: str, upstream_port: int) -> None:
    upstream = f'wechat: {{base_urls: ["http://127.0.0.1:{upstream_port}"]}}'
    client = 'verbs: [proxy], proxy_paths: ["/cgi-bin/**"]'
    async with rotating(key, client, more=upstream) as parts:
        opaque = OpaqueTokens(["k" * 32])
        faces = Faces(
            make_parts(
                parts.rotator,
                configured.directory(parts.settings),
                opaque,
                Around(parts.tasks, parts.room, parts.clock, parts.randomness, {}),
                settings=parts.settings.proxy,
                base_urls=parts.settings.wechat.base_urls,
            )
        )
        parts.metrics.register(faces.tallies)
        nonce = bytes.fromhex(parts.randomness.token(NONCE_BYTES))
        token = opaque.mint("orders", "shop", "access_token", now=parts.clock.now(), nonce=nonce)
        await serve(parts, f"{PATH}?access_token={token}", faces)
        faces.close()


if __name__ == "__main__":
    which, core, bearer, upstream = sys.argv[1:]
    ours = which == "ours"
    query = f"?access_token={'o' * 100}"
    run(
        serve_ours(bearer, int(upstream)) if ours else serve_bare(PATH, BODY, query),
        int(core),
    )
