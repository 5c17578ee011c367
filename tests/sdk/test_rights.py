"""What a client may not do is refused in WeChat's words, before WeChat hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.peers import Opener, SdkError
from tests.sdk.worlds import BANK, KEYS, OPENID, SHOP, world

MENU = {"button": [{"type": "click", "name": "买入", "key": "BUY_IN"}]}
PICTURE = bytes(range(256)) * 64


async def test_a_client_with_rights_to_some_paths_is_refused_on_the_others(
    tmp_path: Path, opened: Opener
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, KEYS["menus"]) as sdk:
        await sdk.create_menu(MENU)
        for refused_call in (sdk.upload(PICTURE), sdk.send_text(OPENID, "hi")):
            with pytest.raises(SdkError) as refused:
                await refused_call
            assert refused.value.errcode == 48001
        assert it.ledger.calls("/cgi-bin/media/upload") == 0
        assert it.ledger.calls("/cgi-bin/message/custom/send") == 0


async def test_a_client_with_rights_to_one_account_is_refused_for_another(
    tmp_path: Path, opened: Opener
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, BANK.appid, KEYS["orders"]) as sdk:
        with pytest.raises(SdkError) as refused:
            await sdk.get_menu()
        assert refused.value.errcode == 48001


async def test_an_appid_that_is_not_configured_is_refused_as_wechat_would(
    tmp_path: Path, opened: Opener
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, "wx0", KEYS["orders"]) as sdk:
        with pytest.raises(SdkError) as refused:
            await sdk.get_menu()
        assert refused.value.errcode == 40013


async def test_an_unknown_key_is_refused_as_a_wrong_secret(tmp_path: Path, opened: Opener) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, SHOP.secret) as sdk:
        with pytest.raises(SdkError) as refused:
            await sdk.get_menu()
        assert refused.value.errcode == 40125
        assert "token-service keys new" in str(refused.value)
