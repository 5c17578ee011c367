"""Calls to WeChat through the service."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.token_service.client import scripted
from tests.token_service.client.scripted import KEY, plain, problem, world
from token_service.client import NotAllowed, ServiceBusy, ServiceUnreachable, TokenUnavailable
from zhongkong.wechat.errors import (
    CredentialRejected,
    OutcomeUnknown,
    RequestRejected,
    UnreadableAnswer,
)

MENU = "/cgi-bin/menu/create"


def wechat(**document: Any) -> scripted.Answer:
    # WeChat says text/plain for JSON.
    return plain(json.dumps(document, ensure_ascii=False).encode())


async def test_a_call_goes_through_the_account_s_proxy() -> None:
    async with world() as it:
        it.service.answer = wechat(errcode=0, errmsg="ok", msgid=7)
        body = {"button": [{"name": "买入"}]}
        answer = await it.tokens.call("shop", "post", MENU, params={"a": "b c&d"}, json=body)
        assert answer == {"errcode": 0, "errmsg": "ok", "msgid": 7}
        [asked] = it.service.asked
        assert (asked.method, asked.path) == ("POST", f"/v1/accounts/shop/wechat{MENU}")
        assert asked.query in {"a=b+c%26d", "a=b%20c%26d"}
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
        assert "买入".encode() in asked.body


async def test_bytes_and_forms_go_out_as_they_are() -> None:
    async with world() as it:
        it.service.answer = wechat(media_id="m")
        await it.tokens.call("shop", "POST", "/a", data=b"\x00\x01")
        form = aiohttp.FormData()
        form.add_field("media", b"\xff\xd8", filename="a.jpg")
        await it.tokens.call("shop", "POST", "/a", data=form)
        first, second = it.service.asked
        assert first.body == b"\x00\x01"
        assert second.headers["Content-Type"].startswith("multipart/form-data")
        assert b"\xff\xd8" in second.body


async def test_json_and_data_exclude_each_other() -> None:
    async with world() as it:
        with pytest.raises(ValueError, match="not both"):
            await it.tokens.call("shop", "POST", "/a", json={}, data=b"")


@pytest.mark.parametrize(
    ("errcode", "error"), [(40018, RequestRejected), (40001, CredentialRejected)]
)
async def test_wechat_s_codes_are_raised(errcode: int, error: type[Exception]) -> None:
    async with world() as it:
        it.service.answer = wechat(errcode=errcode, errmsg="invalid rid: 0a-0b-0c")
        with pytest.raises(error, match=str(errcode)):
            await it.tokens.call("shop", "GET", MENU)
        assert len(it.service.asked) == 1


@pytest.mark.parametrize("answer", [plain(b"\xff\xd8\xff"), plain(b"<html>", 502), plain(b"")])
async def test_what_is_no_json_is_an_unreadable_answer(answer: scripted.Answer) -> None:
    async with world() as it:
        it.service.answer = answer
        with pytest.raises(UnreadableAnswer):
            await it.tokens.call("shop", "GET", "/cgi-bin/media/get")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "no-key"), NotAllowed),
        (problem(403, "no-right"), NotAllowed),
        (problem(429, "rate"), ServiceBusy),
        (problem(503, "no-live-token"), TokenUnavailable),
        (problem(502, "wechat-unreadable"), OutcomeUnknown),
        (problem(504, "wechat-slow"), OutcomeUnknown),
        (problem(500), OutcomeUnknown),
        (scripted.cut_short, OutcomeUnknown),
    ],
)
async def test_the_service_s_own_refusals_are_told_from_wechat_s(
    answer: scripted.Answer, error: type[Exception]
) -> None:
    async with world() as it:
        it.service.answer = answer
        with pytest.raises(error):
            await it.tokens.call("shop", "POST", MENU, json={})


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_may_have_been_carried_out_is_never_repeated(method: str) -> None:
    async with world() as it:
        await it.tokens.get("shop")  # leaves a connection to be used again
        it.service.answer = scripted.reset
        with pytest.raises(OutcomeUnknown):
            await it.tokens.call("shop", method, "/cgi-bin/menu/delete")
        assert len(it.service.asked) == 2


async def test_what_never_left_is_told_from_it() -> None:
    async with world() as it:
        await it.service.stop()
        with pytest.raises(ServiceUnreachable):
            await it.tokens.call("shop", "POST", MENU, json={})


async def test_an_answer_that_does_not_come_is_waited_for_so_long_and_no_longer() -> None:
    async with world() as it:
        it.service.hold = asyncio.Event()
        with pytest.raises(OutcomeUnknown, match=r"0\.5 s"):
            await it.tokens.call("shop", "POST", MENU, json={}, timeout_s=0.5)
        it.service.hold.set()


@pytest.mark.parametrize(
    "path",
    ["", "cgi-bin/menu", "/", "/a//b", "/../tokens", "/a/..", "/a/./b", "/a?b=c", "/%2e", "/a;b"],
)
async def test_only_plain_paths_leave(path: str) -> None:
    async with world() as it:
        with pytest.raises(ValueError, match="a path is WeChat's own"):
            await it.tokens.call("shop", "GET", path)
        assert not it.service.asked


async def test_an_answer_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("token_service.client.requests._ANSWER_BYTES", 1000)
    async with world() as it:
        it.service.answer = wechat(errmsg="x" * 2000)
        with pytest.raises(OutcomeUnknown, match="larger than 1000"):
            await it.tokens.call("shop", "GET", MENU)
