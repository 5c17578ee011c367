"""Unmodified SDKs do through the service what they do at WeChat."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.peers import Opener, SdkError
from tests.sdk.worlds import KEYS, OPENID, SHOP, world
from token_service.slot import Mode

MENU = {
    "button": [
        {"type": "click", "name": "买入", "key": "BUY_IN"},
        {
            "name": "查收益",
            "sub_button": [{"type": "view", "name": "昨日收益", "url": "http://www.soso.com/"}],
        },
    ]
}
PICTURE = bytes(range(256)) * 64
LARGE_PICTURE = PICTURE * 128


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_menu_is_made_read_and_removed(tmp_path: Path, opened: Opener, mode: Mode) -> None:
    async with (
        world(tmp_path, mode=mode) as it,
        opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk,
    ):
        await sdk.create_menu(MENU)
        shown = (await sdk.get_menu())["menu"]["button"]
        assert [button["name"] for button in shown] == ["买入", "查收益"]
        assert shown[1]["sub_button"][0]["url"] == "http://www.soso.com/"
        await sdk.delete_menu()
        assert it.ledger.effects("menu_created") == it.ledger.effects("menu_deleted") == 1


@pytest.mark.parametrize("picture", [PICTURE, LARGE_PICTURE], ids=["small", "large"])
async def test_media_come_back_as_they_were_sent(
    tmp_path: Path, opened: Opener, picture: bytes
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk:
        media_id = await sdk.upload(picture)
        assert await sdk.download(media_id) == picture
        assert it.ledger.effects("media_uploaded") == 1


async def test_a_custom_service_message_reaches_the_user(tmp_path: Path, opened: Opener) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk:
        with pytest.raises(SdkError) as refused:
            await sdk.send_text(OPENID, "too early")
        assert refused.value.errcode == 45015
        it.user_writes()
        await sdk.send_text(OPENID, "您好 ☕")
        [message] = it.wechat.model.accounts[SHOP.appid].outbox.to(OPENID)
        assert message.content == {"content": "您好 ☕"}


async def test_all_calls_together_cost_one_token_and_leave_no_credential_at_wechat(
    tmp_path: Path, opened: Opener
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk:
        token = await sdk.fetch_token()
        await sdk.create_menu(MENU)
        await sdk.download(await sdk.upload(PICTURE))
        assert it.token_calls == 1
        assert not it.ledger.alive(token, it.now)
        sightings = it.ledger.sightings
        assert [text for text in (token, *KEYS.values()) if sightings.saw(text)] == []
