"""The handler of this folder's tests takes what is signed, once that is on disk, and no more."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from callback_gateway.webhook_signature import SigningSecret
from tests.chaos.gateway.receipts import Handler
from tests.fixtures.processes import Launch
from zhongkong.runtime.clock import SystemClock

SECRET = f"whsec_{base64.b64encode(b'k' * 32).decode()}"
KEY = ("gh_shop", "oUser", 1_790_000_000, "77")


@pytest.fixture
async def handler(tmp_path: Path, launch: Launch) -> AsyncIterator[Handler]:
    it = Handler(tmp_path, SECRET, launch)
    await it.start()
    yield it
    it.kill()


async def deliver(handler: Handler, secret: str) -> int:
    names = ("to_user_name", "from_user_name", "create_time", "msg_id")
    data = {**dict(zip(names, KEY, strict=True)), "content": "您好"}
    body = json.dumps({"id": "msg_1", "data": data}).encode()
    now = int(SystemClock().now())
    headers = SigningSecret.parse(secret).headers("msg_1", now, body)
    async with (
        aiohttp.ClientSession() as session,
        session.post(handler.url, data=body, headers=headers) as response,
    ):
        return response.status


async def test_what_it_took_is_in_its_record_after_a_kill(handler: Handler) -> None:
    assert await deliver(handler, SECRET) == 204

    handler.kill()

    assert [(each.key, each.id) for each in handler.done()] == [(KEY, "msg_1")]
    assert handler.forged == []


async def test_what_another_secret_signed_is_refused(handler: Handler) -> None:
    other = f"whsec_{base64.b64encode(b'x' * 32).decode()}"

    assert await deliver(handler, other) == 400
    assert handler.done() == []
    assert len(handler.forged) == 1


async def test_a_line_that_a_death_cut_off_spoils_no_other(handler: Handler) -> None:
    handler.kill()
    with (handler.record).open("a") as file:
        file.write('{"what": "done", "at": 1.')

    await handler.start()

    assert await deliver(handler, SECRET) == 204
    assert len(handler.done()) == 1
