"""A client is revoked: what it was given opens nothing any more, and its SDK finds its own way.

How a revocation reaches other replicas is shown in tests/token_service/test_revocations.py.
"""

from __future__ import annotations

from pathlib import Path

from tests.sdk.peers import Opener
from tests.sdk.worlds import KEYS, SHOP, world

PATHS = ("/cgi-bin/menu/get", "/cgi-bin/get_current_selfmenu_info", "/cgi-bin/ticket/getticket")


async def test_what_a_revoked_client_holds_is_refused_at_once_on_every_path(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        token, others = await it.token_of("orders"), await it.token_of("menus")
        await it.service.service.revocations.revoke("orders")
        calls = it.ledger.calls()
        for path in PATHS:
            answer = await it.call(path, {"access_token": token, "type": "jsapi"})
            assert answer["errcode"] == 40001
            assert "revoked" in answer["errmsg"]
        assert it.ledger.calls() == calls
        assert (await it.call(PATHS[0], {"access_token": others})).get("errcode", 0) != 40001


async def test_an_sdk_whose_client_keeps_its_key_fetches_another_token_by_itself(
    tmp_path: Path, opened: Opener
) -> None:
    async with world(tmp_path) as it, opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk:
        media_id = await sdk.upload(b"picture")
        await it.service.service.revocations.revoke("orders")
        assert await sdk.download(media_id) == b"picture"
        assert it.token_calls == 1
