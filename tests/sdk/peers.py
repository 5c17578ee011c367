"""The SDKs that are let loose on the token service, unmodified, under one set of names.

Each is wechatpy or co-wechat-api as its registry gives it, told only another address, and a
client's key in place of the AppSecret. What they are asked to do is in the tests.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatException

from scripts.bootstrap import NODE_PEERS, has_node_packages
from tests.fixtures.tools import require_tool
from token_service.client.wechatpy import through

_DRIVER = Path(__file__).with_name("node") / "driver.js"
_ANSWER_S = 30.0
_LINE_BYTES = 1 << 24


class SdkError(Exception):
    """What the SDK threw."""

    def __init__(self, errcode: int | None, message: str) -> None:
        super().__init__(f"{errcode}: {message}")
        self.errcode = errcode


class Peer(Protocol):
    """An SDK for one account. Every method raises SdkError."""

    async def fetch_token(self) -> str: ...
    async def create_menu(self, menu: dict[str, Any]) -> None: ...
    async def get_menu(self) -> dict[str, Any]: ...
    async def delete_menu(self) -> None: ...
    async def upload(self, picture: bytes) -> str: ...
    async def download(self, media_id: str) -> bytes: ...
    async def send_text(self, openid: str, text: str) -> None: ...
    async def user_info(self, openid: str) -> dict[str, Any]: ...
    async def log_in(self, js_code: str) -> dict[str, Any]: ...


class WechatpyPeer:
    """wechatpy, which blocks, in a thread."""

    def __init__(self, client: WeChatClient) -> None:
        self._client = client

    async def fetch_token(self) -> str:
        return str((await self._do(self._client.fetch_access_token))["access_token"])

    async def create_menu(self, menu: dict[str, Any]) -> None:
        await self._do(self._client.menu.create, menu)

    async def get_menu(self) -> dict[str, Any]:
        menu: dict[str, Any] = await self._do(self._client.menu.get)
        return menu

    async def delete_menu(self) -> None:
        await self._do(self._client.menu.delete)

    async def upload(self, picture: bytes) -> str:
        file = ("a.png", io.BytesIO(picture), "image/png")
        return str((await self._do(self._client.media.upload, "image", file))["media_id"])

    async def download(self, media_id: str) -> bytes:
        return bytes((await self._do(self._client.media.download, media_id)).content)

    async def send_text(self, openid: str, text: str) -> None:
        await self._do(self._client.message.send_text, openid, text)

    async def user_info(self, openid: str) -> dict[str, Any]:
        user: dict[str, Any] = await self._do(self._client.user.get, openid)
        return user

    async def log_in(self, js_code: str) -> dict[str, Any]:
        session: dict[str, Any] = await self._do(self._client.wxa.code_to_session, js_code)
        return session

    async def _do(self, call: Any, *arguments: Any) -> Any:
        try:
            return await asyncio.to_thread(call, *arguments)
        except WeChatException as error:
            raise SdkError(error.errcode, str(error.errmsg)) from error


@asynccontextmanager
async def wechatpy(base_url: str, appid: str, key: str) -> AsyncIterator[Peer]:
    client = through(WeChatClient(appid, key), base_url)
    try:
        yield WechatpyPeer(client)
    finally:
        client._http.close()


class CoWechatApiPeer:
    """co-wechat-api, in a Node process that takes a line for each call."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def fetch_token(self) -> str:
        return str((await self._do("getAccessToken"))["accessToken"])

    async def create_menu(self, menu: dict[str, Any]) -> None:
        await self._do("createMenu", menu)

    async def get_menu(self) -> dict[str, Any]:
        menu: dict[str, Any] = await self._do("getMenu")
        return menu

    async def delete_menu(self) -> None:
        await self._do("removeMenu")

    async def upload(self, picture: bytes) -> str:
        answer = await self._do("uploadMedia", _wire(picture), "image", "a.png", "image/png")
        return str(answer["media_id"])

    async def download(self, media_id: str) -> bytes:
        return base64.b64decode((await self._do("getMedia", media_id))["base64"])

    async def send_text(self, openid: str, text: str) -> None:
        await self._do("sendText", openid, text)

    async def user_info(self, openid: str) -> dict[str, Any]:
        user: dict[str, Any] = await self._do("getUser", openid)
        return user

    async def log_in(self, js_code: str) -> dict[str, Any]:
        session: dict[str, Any] = await self._do("code2Session", js_code)
        return session

    async def _do(self, method: str, *arguments: Any) -> Any:
        return await self.say({"method": method, "arguments": arguments})

    async def say(self, call: dict[str, Any]) -> Any:
        """One line there, one line back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(call).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            line = await self._process.stdout.readline()
        answer = json.loads(line)
        if error := answer.get("error"):
            raise SdkError(error["code"], error["message"])
        return answer["result"]


def _wire(data: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(data).decode()}


@asynccontextmanager
async def co_wechat_api(base_url: str, appid: str, key: str) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        _node(),
        str(_DRIVER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        peer = CoWechatApiPeer(process)
        await peer.say({"open": {"appid": appid, "secret": key, "baseUrl": base_url}})
        yield peer
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_ANSWER_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _node() -> str:
    """Skips the test, or fails it under CI, where Node or the packages are missing."""
    node = require_tool("node")
    if has_node_packages():
        return node
    reason = f"the npm packages of {NODE_PEERS} are not installed: run `make test`, which does it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Opener(Protocol):
    """Makes a peer for this account, with this key, at this address."""

    def __call__(
        self, base_url: str, appid: str, key: str
    ) -> AbstractAsyncContextManager[Peer]: ...


PEERS: dict[str, Opener] = {"wechatpy": wechatpy, "co-wechat-api": co_wechat_api}
