"""A revoked client: its key is refused on every replica, by whatever way it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.running import KEY, Running, WeChat, running, wechat, write_config
from token_service.cli import main
from token_service.keys import digest_of_key

ADMIN_KEY = "admin-key-0123456789abcdefghij"
ADMIN = f"admin_key_sha256: {digest_of_key(ADMIN_KEY)}\n"


@pytest.fixture
async def emulator() -> AsyncIterator[WeChat]:
    async with wechat() as it:
        yield it


async def revoke(it: Running, name: str, key: str | None = ADMIN_KEY) -> tuple[int, Any]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{it.internal_port}/v1/clients/{name}/revocations"
    async with it.session.post(url, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def sdk_errcode(it: Running) -> int:
    url = f"http://127.0.0.1:{it.port}/cgi-bin/token"
    query = {"grant_type": "client_credential", "appid": "wx0123456789abcdef", "secret": KEY}
    async with it.session.get(url, params=query) as response:
        return int((await response.json(content_type=None)).get("errcode", 0))


async def test_a_revoked_client_is_refused_at_once_on_both_faces(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port, extra=ADMIN, verbs="read, proxy")
    async with running(path) as it:
        assert ((await it.token())[0], await sdk_errcode(it)) == (200, 0)
        assert (await revoke(it, "orders"))[0] == 200
        assert ((await it.token())[0], await sdk_errcode(it)) == (401, 40125)


async def test_a_revocation_outlives_a_restart(tmp_path: Path, emulator: WeChat) -> None:
    path = write_config(tmp_path, emulator.port, extra=ADMIN)
    async with running(path) as it:
        await revoke(it, "orders")
    async with running(path) as it:
        assert (await it.token())[0] == 401


async def test_the_client_is_let_in_again_with_another_key(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port, extra=ADMIN)
    other = "another-key-0123456789abcdefgh"
    async with running(path) as it:
        await revoke(it, "orders")
        path.write_text(path.read_text().replace(digest_of_key(KEY), digest_of_key(other)))
        await it.look_at_config()
        headers = {"Authorization": f"Bearer {other}"}
        url = f"http://127.0.0.1:{it.port}/v1/accounts/shop/tokens/access_token"
        async with it.session.get(url, headers=headers) as response:
            assert response.status == 200


async def test_every_replica_refuses_it_within_a_second(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer
) -> None:
    async with AsyncExitStack() as stack:
        replicas = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            path = write_config(tmp_path / name, emulator.port, extra=ADMIN, store=redis_server.url)
            replicas.append(await stack.enter_async_context(running(path)))
        assert (await replicas[1].token("?wait=20"))[0] == 200
        await revoke(replicas[0], "orders")
        for _ in range(99):  # a second of this loop, which a machine that stands still prolongs
            if (await replicas[1].token())[0] == 401:
                break
            await asyncio.sleep(0.01)
        assert (await replicas[1].token())[0] == 401


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("not-the-admin-key-0123456789", 401)])
async def test_only_the_admin_revokes(
    tmp_path: Path, emulator: WeChat, key: str | None, status: int
) -> None:
    async with running(write_config(tmp_path, emulator.port, extra=ADMIN)) as it:
        assert (await revoke(it, "orders", key))[0] == status
        assert (await it.token())[0] == 200


async def test_without_an_admin_key_nothing_can_be_revoked(
    tmp_path: Path, emulator: WeChat
) -> None:
    async with running(write_config(tmp_path, emulator.port)) as it:
        assert (await revoke(it, "orders", None))[0] == 401


async def test_an_unknown_client_is_said_to_be_unknown(tmp_path: Path, emulator: WeChat) -> None:
    async with running(write_config(tmp_path, emulator.port, extra=ADMIN)) as it:
        status, problem = await revoke(it, "nobody")
    assert (status, problem["title"]) == (404, "Unknown client")


async def test_the_command_revokes(
    tmp_path: Path,
    emulator: WeChat,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN_KEY)
    path = write_config(tmp_path, emulator.port, extra=ADMIN)
    command = ["clients", "revoke", "orders", "--config", str(path)]
    async with running(path) as it:
        assert await asyncio.to_thread(main, command) == 0
        assert (await it.token())[0] == 401
    assert "orders is revoked" in capsys.readouterr().out
    assert await asyncio.to_thread(main, command) == 1
    assert json.dumps(ADMIN_KEY) not in capsys.readouterr().err
