from __future__ import annotations

from typing import Any

import orjson
import pytest

from callback_gateway.accounts import Account
from callback_gateway.cloud_event import cloud_event, malformed_event
from callback_gateway.event import Event, event_of
from callback_gateway.event_file import NoEvent, read_event
from tests.callback_gateway.settings_files import AES_KEY, TOKEN
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.envelope import AesKey, seal
from zhongkong.wechat.push import BodyFormat, push_envelope, render

KEY = AesKey.parse(AES_KEY)
SHOP = Account("shop", "wx1", "gh_shop", (TOKEN,), (KEY,))
BANK = Account("bank", "wx2", "gh_bank", (TOKEN,), (KEY,))
ACCOUNTS = {"shop": SHOP, "bank": BANK}
CLICK: dict[str, Any] = {
    "ToUserName": "gh_bank",
    "FromUserName": "oUser",
    "CreateTime": 1700000000,
    "MsgType": "event",
    "Event": "CLICK",
    "EventKey": "BUY_IN",
}


def event(account: str = "bank") -> Event:
    return event_of(normalise(CLICK), account)


def sealed(form: BodyFormat, account: Account = BANK) -> bytes:
    return push_envelope(
        "gh_bank", seal(render(CLICK, form), KEY, account.appid, "0123456789abcdef"), form
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(cloud_event(event()), id="a delivered document"),
        pytest.param(orjson.dumps(dict(event().data)), id="its data alone"),
        pytest.param(render(CLICK, BodyFormat.XML), id="WeChat's XML"),
        pytest.param(render(CLICK, BodyFormat.JSON), id="WeChat's JSON"),
        pytest.param(sealed(BodyFormat.XML), id="WeChat's XML, sealed"),
        pytest.param(sealed(BodyFormat.JSON), id="WeChat's JSON, sealed"),
        pytest.param(b"\n  " + render(CLICK, BodyFormat.XML), id="with blanks before it"),
    ],
)
def test_an_event_is_read_however_somebody_came_by_it(content: bytes) -> None:
    assert read_event(content, ACCOUNTS, None) == event()


def test_the_account_can_be_said() -> None:
    content = render(CLICK, BodyFormat.XML)

    assert read_event(content, ACCOUNTS, "shop").account == "shop"


def test_the_only_account_is_meant_whoever_is_addressed() -> None:
    content = render({**CLICK, "ToUserName": "gh_other"}, BodyFormat.XML)

    assert read_event(content, {"shop": SHOP}, None).account == "shop"
    with pytest.raises(NoEvent, match="--account; configured are shop, bank"):
        read_event(content, ACCOUNTS, None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither XML nor a JSON object"),
        (b"hello", "neither XML nor a JSON object"),
        (b"{", "this is no event"),
        (b"{}", "this is no event"),
        (b"<xml></xml>", "this is no event"),
        (b'{"specversion": "1.0"}', "has no `data` object"),
        (malformed_event("bad_1", "shop", b"x", 1.0), "could not be read, so no route"),
        (sealed(BodyFormat.XML, SHOP), "no AES key of the account opens it"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NoEvent, match=why):
        read_event(content, ACCOUNTS, None)
