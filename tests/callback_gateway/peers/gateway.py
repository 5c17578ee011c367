"""One `callback-gateway run` as a process, and callbacks posted to it as WeChat posts them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.callback_gateway.peers.cryptos import Keys, Sealed
from tests.chaos.patience import eventually
from tests.fixtures.processes import Child, Launch
from tests.fixtures.redis import free_port

KEYS = Keys(
    token="peersToken0123456789",
    aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    appid="wx0123456789abcdef",
)
OFFICIAL_ACCOUNT = "gh_0123456789ab"
STATIC_REPLY = "您好"

_START_S = 20.0
_ANSWER_S = 10.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


@dataclass(frozen=True)
class Gateway:
    port: int

    async def post(self, sealed: Sealed) -> Answer:
        """Send a ciphertext as WeChat does in safe mode."""
        body = (
            f"<xml><ToUserName><![CDATA[{OFFICIAL_ACCOUNT}]]></ToUserName>"
            f"<Encrypt><![CDATA[{sealed.encrypted}]]></Encrypt></xml>"
        )
        query = {
            "signature": _url_signature(sealed),
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
            "encrypt_type": "aes",
            "msg_signature": sealed.signature,
        }
        url = f"http://127.0.0.1:{self.port}/callback/shop"
        headers = {"Content-Type": "text/xml"}
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, params=query, data=body.encode(), headers=headers) as response,
        ):
            return Answer(response.status, await response.text())


@contextmanager
def running(folder: Path, launch: Launch) -> Iterator[Gateway]:
    """A gateway on SQLite with one account in safe mode and one static reply, for texts."""
    port, internal_port = free_port(), free_port()
    (folder / "token").write_text(KEYS.token)
    (folder / "aes_key").write_text(KEYS.aes_key)
    account = {
        "name": "shop",
        "appid": KEYS.appid,
        "tokens": [{"file": "token"}],
        "aes_keys": [{"file": "aes_key"}],
        "mode": "safe",
    }
    reply = {"type": "text", "content": STATIC_REPLY}
    config = folder / "callback_gateway.yaml"
    document = {
        "listen": f"127.0.0.1:{port}",
        "internal_listen": f"127.0.0.1:{internal_port}",
        "store": "sqlite:///events.db",
        "accounts": [account],
        "routes": [{"match": {"type": "text"}, "reply": reply}],
    }
    config.write_text(json.dumps(document))
    words = [sys.executable, "-m", "callback_gateway", "run", "--config", str(config)]
    child = Child(words, launch=launch)
    try:
        asyncio.run(_ready(child, internal_port))
        yield Gateway(port)
    finally:
        child.kill()


async def _ready(child: Child, port: int) -> None:
    async def look() -> bool:
        assert child.running, child.output
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async with aiohttp.ClientSession() as session:
        await eventually(look, "the gateway is ready", within_s=_START_S)


def _url_signature(sealed: Sealed) -> str:
    parts = sorted((KEYS.token, sealed.timestamp, sealed.nonce))
    return hashlib.sha1("".join(parts).encode()).hexdigest()
