"""POST /cgi-bin/openapi/rid/get."""

from __future__ import annotations

from typing import Any

from tests.emulator.platforms import (
    NOW,
    OTHER_APPID,
    OTHER_SECRET,
    account,
    classic,
    platform,
    stable,
)
from zhongkong.emulator.model import WeChatModel


def fail(model: WeChatModel, token: str) -> str:
    answer = model.call("/cgi-bin/ticket/getticket", token, NOW, query={"type": "none"})
    return str(answer["errmsg"]).rpartition("rid: ")[2]


def look_up(model: WeChatModel, rid: object, token: str, now: float = NOW) -> dict[str, Any]:
    return model.call("/cgi-bin/openapi/rid/get", token, now, body={"rid": rid})


def test_a_request_is_shown_with_its_answer_and_without_credentials() -> None:
    model = platform()
    token = classic(model)
    shown = look_up(model, fail(model, token), token)["request"]
    assert shown["invoke_time"] == int(NOW)
    assert shown["client_ip"] == "127.0.0.1"
    assert '"errcode":40035' in shown["response_body"]
    assert token not in str(shown)
    assert set(shown) == {
        "invoke_time",
        "cost_in_ms",
        "request_url",
        "request_body",
        "response_body",
        "client_ip",
    }


def test_a_secret_in_a_body_is_not_shown() -> None:
    model = platform()
    token = classic(model)
    refused = model.stable_token(next(iter(model.accounts)), "W" * 32, False, NOW)
    rid = refused["errmsg"].rpartition("rid: ")[2]
    assert "W" * 32 not in str(look_up(model, rid, token))


def test_a_malformed_an_unknown_an_old_and_a_strangers_rid_each_have_their_code() -> None:
    model = platform(account(), account(OTHER_APPID, OTHER_SECRET))
    token = classic(model)
    rid = fail(model, token)
    later = NOW + 7 * 86_400 + 1
    other = model.token(OTHER_APPID, OTHER_SECRET, NOW)["access_token"]
    assert look_up(model, "x", token)["errcode"] == 76002
    assert look_up(model, 5, token)["errcode"] == 76002
    assert look_up(model, "00000000-00000000-00000000", token)["errcode"] == 76001
    assert look_up(model, rid, other)["errcode"] == 76003
    assert look_up(model, rid, stable(model, later), later)["errcode"] == 76001
