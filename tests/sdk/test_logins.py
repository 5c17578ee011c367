"""Users' logins through the same base URL: their tokens are theirs, and nobody takes them for ours.

The secret of these calls is the client's key; the service puts the AppSecret in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from wechatpy.exceptions import WeChatOAuthException
from wechatpy.oauth import WeChatOAuth

from tests.sdk.peers import Opener, SdkError
from tests.sdk.worlds import GAME, KEYS, OPENID, SHOP, World, world

REDIRECT = "https://shop.example/after-login"


def web_code(it: World) -> str:
    """What the user's browser brings."""
    console = it.wechat.model.console
    return console.login_code(SHOP.appid, OPENID, it.now, kind="web", scope="snsapi_userinfo")


def mini_program_code(it: World) -> str:
    console = it.wechat.model.console
    return console.login_code(GAME.appid, OPENID, it.now, kind="mini_program", scope="snsapi_base")


@contextmanager
def web_login(it: World, key: str = KEYS["orders"]) -> Iterator[WeChatOAuth]:
    """wechatpy's web login; only its base URL is another."""
    oauth = WeChatOAuth(SHOP.appid, key, REDIRECT)
    oauth.API_BASE_URL = f"{it.base_url}/"
    try:
        yield oauth
    finally:
        oauth._http.close()


async def test_a_user_logs_in_on_the_web_and_is_known(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        with web_login(it) as oauth:
            given = await asyncio.to_thread(oauth.fetch_access_token, web_code(it))
            user = await asyncio.to_thread(oauth.get_user_info)
            renewed = await asyncio.to_thread(oauth.refresh_access_token, given["refresh_token"])
            assert await asyncio.to_thread(oauth.check_access_token)
        assert given["openid"] == renewed["openid"] == user["openid"] == OPENID
        assert user["nickname"] == "小明"
        assert not it.ledger.sightings.saw(KEYS["orders"])


async def test_a_user_logs_in_to_the_mini_program(tmp_path: Path, opened: Opener) -> None:
    async with world(tmp_path) as it, opened(it.base_url, GAME.appid, KEYS["orders"]) as sdk:
        session = await sdk.log_in(mini_program_code(it))
        assert session["openid"] == OPENID
        assert session["session_key"]
        assert it.ledger.effects("login_code_spent") == 1
        assert not it.ledger.sightings.saw(KEYS["orders"])


async def test_a_users_token_opens_nothing_of_the_account(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        with web_login(it) as oauth:
            given = await asyncio.to_thread(oauth.fetch_access_token, web_code(it))
        users = str(given["access_token"])
        calls = it.ledger.calls()
        answer = await it.call("/cgi-bin/user/info", {"access_token": users, "openid": OPENID})
        assert answer["errcode"] == 40001
        assert it.ledger.calls() == calls


async def test_a_dead_user_token_is_the_users_affair(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        calls = it.token_calls
        with web_login(it) as oauth, pytest.raises(WeChatOAuthException) as refused:
            await asyncio.to_thread(oauth.get_user_info, OPENID, "92_" + "x" * 100)
        assert refused.value.errcode in {40001, 40014}
        assert it.token_calls == calls


async def test_our_token_is_none_of_a_users(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        token = await it.token_of("orders")
        answer = await it.call("/sns/userinfo", {"access_token": token, "openid": OPENID})
        assert answer["errcode"] != 0
        assert not it.ledger.sightings.saw(token)


async def test_the_login_needs_its_right(tmp_path: Path, opened: Opener) -> None:
    async with world(tmp_path) as it:
        spent = it.ledger.calls("/sns/jscode2session")
        async with opened(it.base_url, GAME.appid, KEYS["menus"]) as sdk:
            with pytest.raises(SdkError) as refused:
                await sdk.log_in(mini_program_code(it))
        assert refused.value.errcode == 48001
        assert it.ledger.calls("/sns/jscode2session") == spent
