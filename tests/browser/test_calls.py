"""What the page is served with, and the control calls that are there for its sake."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from io import BytesIO
from typing import Any

import orjson
import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp.plugin import AiohttpClient

from tests.emulator.callbacks.receivers import KEY, TOKEN, Receiver, sealed, text_reply
from tests.emulator.platforms import APPID, OPENID, SECRET, account, user
from tests.emulator.test_control import control
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.phone.origin import foreign
from zhongkong.emulator.phone.wiretap import BODY_HELD, EXCHANGES_HELD
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

Client = TestClient[Any, Any]
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
PUSHES = f"/accounts/{APPID}/pushes?wait_s=5"
PICTURES = f"/_emulator/accounts/{APPID}/users/{OPENID}/pictures"


@pytest.fixture
async def receiver(aiohttp_server: Any) -> Receiver:
    receiver = Receiver()
    server: TestServer = await aiohttp_server(receiver.app())
    receiver.url = str(server.make_url("/callback"))
    return receiver


@pytest.fixture
async def wechat(receiver: Receiver, aiohttp_client: AiohttpClient) -> Client:
    callback = CallbackSettings(url=receiver.url, token=TOKEN, aes_key=KEY)
    setup = Setup(accounts=(account(callback=callback, users=(user(),)),))
    client: Client = await aiohttp_client(make_app(World(setup, SystemClock(), seed=1)))
    return client


async def test_the_page_comes_with_a_policy_that_lets_nothing_foreign_in(wechat: Client) -> None:
    answer = await wechat.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.content_type == "text/html"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = await answer.text()
    assert "style=" not in text
    assert "<style" not in text


async def test_the_page_names_all_its_scripts_so_that_they_come_in_one_go(wechat: Client) -> None:
    named = re.findall(r'(?:href|src)="(/phone/[^"]+)"', await (await wechat.get("/")).text())
    assert [(await wechat.get(each)).status for each in named] == [200] * len(named)
    scripts = {f"/phone/{each.name}" for each in files("zhongkong.emulator.phone").iterdir()}
    assert {each for each in scripts if each.endswith(".js")} <= set(named)


async def test_a_file_is_asked_for_again_by_its_etag(wechat: Client) -> None:
    script = await wechat.get("/phone/app.js")
    assert (script.status, script.content_type) == (200, "text/javascript")
    again = await wechat.get("/phone/app.js", headers={"If-None-Match": script.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("path", ["/phone/pages.py", "/phone/pictures/none.svg", "/phone/x.js"])
async def test_nothing_but_the_page_lies_under_its_path(wechat: Client, path: str) -> None:
    assert (await wechat.get(path)).status == 404


async def test_other_paths_are_still_wechats(wechat: Client) -> None:
    answer = await (await wechat.post("/", data=b"{}")).json(content_type=None)
    assert answer["errcode"] == 40066


async def test_the_wire_shows_what_was_sent_and_answered_and_no_secret(
    wechat: Client, receiver: Receiver
) -> None:
    receiver.answers = [sealed(text_reply(OPENID, "好的"))]
    await control(wechat, "POST", PUSHES, {"user": OPENID, "text": "买入"})
    answer = await wechat.get("/_emulator/wire")
    assert KEY not in await answer.text()
    assert SECRET not in await answer.text()
    (seen,) = (await answer.json())["exchanges"]
    assert "<![CDATA[买入]]>" in seen["request"]["message"]["text"]
    assert seen["request"]["body"]["text"].encode() == receiver.posts[0].body
    assert seen["request"]["signatures"] == {"signature": "genuine", "msg_signature": "genuine"}
    assert (seen["answer"], seen["outcome"], seen["push_seen"]) == (
        "encrypted_reply", "answered", "reply",
    )  # fmt: skip
    assert seen["response"]["signature"] == "genuine"
    assert "好的" in seen["response"]["message"]["text"]


@pytest.mark.parametrize(
    ("attack", "signatures"),
    [
        ("wrong_token", {"signature": "wrong", "msg_signature": "wrong"}),
        ("unsigned", {"signature": "missing"}),
        ("envelope_dtd", {"signature": "genuine", "msg_signature": "unreadable"}),
        ("downgrade", {"signature": "genuine"}),
    ],
)
async def test_the_wire_tells_which_signatures_an_attack_left(
    wechat: Client, attack: str, signatures: dict[str, str]
) -> None:
    await control(wechat, "POST", PUSHES, {"text": "x", "course": {"attack": attack}})
    (seen,) = (await control(wechat, "GET", "/wire"))["exchanges"]
    assert seen["request"]["signatures"] == signatures


async def test_a_reader_of_the_wire_waits_for_what_concerns_him(
    wechat: Client, receiver: Receiver
) -> None:
    first = await control(wechat, "GET", "/wire")
    path = f"/wire?after={first['next']}&life={first['life']}&user={OPENID}&wait_s=5"
    waiting = asyncio.create_task(control(wechat, "GET", path))
    await control(wechat, "POST", PUSHES, {"user": "oAnother", "text": "not for him"})
    await control(wechat, "POST", PUSHES, {"user": OPENID, "text": "for him"})
    told = await waiting
    assert {each["user"] for each in told["exchanges"]} == {OPENID}


async def test_a_reset_ends_the_wait_and_begins_another_life(
    wechat: Client, receiver: Receiver
) -> None:
    await control(wechat, "POST", PUSHES, {"text": "x"})
    before = await control(wechat, "GET", "/wire")
    path = f"/wire?after={before['next']}&life={before['life']}&wait_s=30"
    waiting = asyncio.create_task(control(wechat, "GET", path))
    await control(wechat, "GET", "/wire")
    await control(wechat, "POST", "/reset", {})
    async with asyncio.timeout(5):
        assert (await waiting)["exchanges"] == []
        after = await control(wechat, "GET", path)
    assert (after["exchanges"], after["next"]) == ([], 0)
    assert after["life"] > before["life"]


async def test_what_the_wire_keeps_is_bounded_in_number_and_size(wechat: Client) -> None:
    course = {"attack": "huge_body", "huge_bytes": 4 * BODY_HELD}
    await control(wechat, "POST", PUSHES, {"text": "x", "course": course})
    (huge,) = (await control(wechat, "GET", "/wire"))["exchanges"]
    assert huge["request"]["body"]["bytes"] > 4 * BODY_HELD
    assert len(huge["request"]["body"]["text"]) == BODY_HELD
    bulk = {"count": EXCHANGES_HELD + 20, "push": {"text": "{n}"}}
    await control(wechat, "POST", f"/accounts/{APPID}/pushes/bulk?wait_s=10", bulk)
    kept = (await control(wechat, "GET", f"/wire?count={EXCHANGES_HELD}"))["exchanges"]
    assert len(kept) == EXCHANGES_HELD


async def test_a_picture_of_a_user_is_shown_and_can_be_fetched_by_the_account(
    wechat: Client,
) -> None:
    taken = await (await wechat.post(PICTURES, data=PNG)).json()
    shown = await wechat.get(taken["pic_url"].removeprefix(str(wechat.make_url("")).rstrip("/")))
    assert (shown.content_type, await shown.read()) == ("image/png", PNG)
    query = f"grant_type=client_credential&appid={APPID}&secret={SECRET}"
    token = (await (await wechat.get(f"/cgi-bin/token?{query}")).json(content_type=None))[
        "access_token"
    ]
    target = f"/cgi-bin/media/get?access_token={token}&media_id={taken['media_id']}"
    assert await (await wechat.get(target)).read() == PNG


@pytest.mark.parametrize(
    ("body", "status"), [(b"<svg onload=alert(1)>", 400), (b"", 400), (PNG * 22_000, 413)]
)
async def test_what_is_no_picture_or_too_large_is_refused(
    wechat: Client, body: bytes, status: int
) -> None:
    assert (await wechat.post(PICTURES, data=BytesIO(body))).status == status


async def test_material_is_told_by_what_a_phone_shows_of_it(wechat: Client) -> None:
    token = await (
        await wechat.get(
            f"/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}"
        )
    ).json(content_type=None)
    form = FormData()
    form.add_field("media", PNG, filename="a.png")
    query = f"access_token={token['access_token']}"
    kept = await wechat.post(f"/cgi-bin/material/add_material?type=image&{query}", data=form)
    thumb = (await kept.json(content_type=None))["media_id"]
    article = {"title": "新品", "digest": "快来看", "thumb_media_id": thumb, "content": "<p>x</p>"}
    body = orjson.dumps({"articles": [article]})
    made = await wechat.post(f"/cgi-bin/material/add_news?{query}", data=body)
    news = (await made.json(content_type=None))["media_id"]
    picture = await control(wechat, "GET", f"/accounts/{APPID}/material/{thumb}")
    assert (picture["kind"], picture["articles"]) == ("image", [])
    shown = await control(wechat, "GET", f"/accounts/{APPID}/material/{news}")
    assert shown["articles"] == [
        {"title": "新品", "author": "", "digest": "快来看", "thumb_media_id": thumb}
    ]
    await control(wechat, "GET", f"/accounts/{APPID}/material/none", status=404)


async def test_a_page_of_another_site_can_make_no_control_call(wechat: Client) -> None:
    form = FormData({"x": "y"})
    stranger = {"Origin": "http://evil.example"}
    refused = await wechat.post("/_emulator/reset", data=form, headers=stranger)
    assert refused.status == 403
    rebound = await wechat.get("/_emulator/accounts", headers={"Host": "evil.example:8080"})
    assert rebound.status == 403
    own = {"Origin": str(wechat.make_url("")).rstrip("/")}
    assert (await wechat.post("/_emulator/clock", data=b"{}", headers=own)).status == 200


@pytest.mark.parametrize(
    ("host", "origin", "any_name", "is_foreign"),
    [
        pytest.param("127.0.0.1:8080", None, False, False, id="a program calls by the address"),
        pytest.param("[::1]:8080", "http://[::1]:8080", False, False, id="the page, over IPv6"),
        pytest.param("localhost:8080", "http://LOCALHOST:8080", False, False, id="any case"),
        pytest.param("localhost:8080", "http://localhost:9000", False, True, id="another port"),
        pytest.param("localhost:8080", "null", False, True, id="a page without an origin"),
        pytest.param("localhost:8080", "http://[", False, True, id="an origin that is none"),
        pytest.param("emulator:8080", None, False, True, id="another name for this machine"),
        pytest.param("emulator:8080", None, True, False, id="another name, which is allowed"),
        pytest.param("emulator:8080", "http://evil", True, True, id="still no other site's page"),
    ],
)
def test_whose_calls_are_taken(
    host: str, origin: str | None, any_name: bool, is_foreign: bool
) -> None:
    assert (foreign(host, origin, any_name=any_name) is not None) == is_foreign
