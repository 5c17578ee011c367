"""Whatever a caller sends, its key and its opaque token don't reach WeChat, in any field."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.token_service.proxy.world import APPID, KEYS, Service, service

KEY = KEYS["sdk"]
PATHS = [
    "/cgi-bin/menu/get",
    "/cgi-bin/menu/create",
    "/cgi-bin/get_api_domain_ip",
    "/sns/userinfo",
    "/sns/oauth2/access_token",
    "/sns/jscode2session",
    "/sns/auth",
    "/cgi-bin/clear_quota/v2",
    "/cgi-bin/clear_quota",
    "/cgi-bin/component/api_component_token",
    "/nowhere",
    "/v1/accounts/shop/wechat/cgi-bin/menu/get",
    "/v1/accounts/shop/wechat/sns/jscode2session",
]
HEADERS = ["User-Agent", "X-Any", "Cookie", "Referer", "Content-Type", "X-Forwarded-For"]
NAMES = ["access_token", "secret", "appsecret", "appid", "x", "Access_Token", "access%5Ftoken"]


def encoded(text: str) -> str:
    return "".join(f"%{ord(c):02X}" for c in text)


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


def basic(text: str) -> str:
    return "Basic " + b64encode(f"user:{text}".encode()).decode()


SPELLINGS = [str, quote, encoded, escaped, str.upper, lambda text: f"a{text}b"]


@contextmanager
def running_service(folder: Path) -> Iterator[tuple[asyncio.Runner, Service, list[str]]]:
    """One service for all examples: hypothesis calls plain functions."""
    with asyncio.Runner() as runner:
        context = service(folder)
        it = runner.run(context.__aenter__())
        try:
            tokens = [runner.run(it.token()), runner.run(it.token("menus"))]
            # The key of each client was seen: it is known as a text from here on.
            for text in (KEY, KEYS["menus"], *tokens):
                it.wechat.world.model.ledger.sightings.watch(text)
            yield runner, it, tokens
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[asyncio.Runner, Service, list[str]]]:
    with running_service(tmp_path_factory.mktemp("leaks")) as it:
        yield it


@settings(max_examples=4 * settings().max_examples, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_key_and_no_opaque_token_reaches_wechat(
    world: tuple[asyncio.Runner, Service, list[str]], data: st.DataObject
) -> None:
    runner, it, tokens = world
    secrets = st.sampled_from([KEY, KEY, tokens[0], tokens[0], tokens[1]])
    value = st.one_of(
        st.sampled_from([APPID, "x"]),
        st.builds(lambda secret, spell: spell(secret), secrets, st.sampled_from(SPELLINGS)),
    )
    fields = st.lists(st.tuples(st.sampled_from(NAMES), value), max_size=3)
    path = data.draw(st.sampled_from(PATHS))
    if data.draw(st.booleans()):
        path += "/" + data.draw(value)
    query = "&".join(f"{name}={text}" for name, text in data.draw(fields))
    if data.draw(st.booleans()):
        query = f"access_token={tokens[0]}&{query}"
    body = _body(data, fields, value)
    named = st.tuples(st.sampled_from(HEADERS), value)
    headers = dict(data.draw(st.lists(named, max_size=2)))
    if data.draw(st.booleans()):
        headers["Authorization"] = f"Bearer {KEY}"
    method = data.draw(st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"]))

    seen = it.wechat.world.model.ledger.sightings.watched
    for text in seen:
        seen[text] = 0

    async def call() -> None:
        await it.ask(method, f"{path}?{query}", data=body or None, headers=headers)

    runner.run(call())

    assert not any(seen.values()), {text[:8]: count for text, count in seen.items() if count}


def _body(
    data: st.DataObject,
    fields: st.SearchStrategy[list[tuple[str, str]]],
    value: st.SearchStrategy[str],
) -> bytes:
    kind = data.draw(st.sampled_from(["none", "json", "form", "text", "multipart", "large"]))
    if kind == "json":
        pairs = data.draw(fields)
        return ("{" + ",".join(f'"{n}":"{t}"' for n, t in pairs) + "}").encode()
    if kind == "form":
        return "&".join(f"{n}={t}" for n, t in data.draw(fields)).encode()
    if kind == "text":
        return data.draw(value).encode()
    if kind == "multipart":
        part = data.draw(value)
        return (
            f'--b\r\nContent-Disposition: form-data; name="access_token"\r\n\r\n{part}\r\n--b--\r\n'
        ).encode()
    if kind == "large":
        return b"x" * 1_200_000 + b" " + data.draw(value).encode() + b" " + b"y" * 200_000
    return b""


def test_the_fuzzed_calls_did_reach_wechat(
    world: tuple[asyncio.Runner, Service, list[str]],
) -> None:
    runner, it, tokens = world
    runner.run(it.get(f"/cgi-bin/menu/get?access_token={tokens[0]}"))

    assert it.wechat.world.model.ledger.requests("/cgi-bin/menu/get")


async def test_a_key_that_this_process_never_saw_is_known_by_its_digest(it: Service) -> None:
    token = await it.token()
    stranger = KEYS["bank"]
    sightings = it.wechat.world.model.ledger.sightings
    sightings.watch(stranger)
    target = f"/cgi-bin/menu/create?access_token={token}"
    # WeChat takes files of this size; a large menu it refuses before it has read all of it.
    upload = f"/cgi-bin/media/upload?type=video&access_token={token}"
    answers = [
        await it.get(f"{target}&x={stranger}"),
        await it.post(target, {"x": [{"y": stranger}]}),
        await it.get(target, headers={"X-Any": stranger}),
        await it.ask("POST", upload, data=b"x" * 2_000_000 + b"\n" + stranger.encode() + b"\n"),
    ]

    assert [answer.status for answer in answers] == [400] * 4
    assert all(json.loads(answer.body)["errcode"] == 40035 for answer in answers)
    assert sightings.watched[stranger] == 0


def test_a_key_in_base64_is_not_passed_on(
    world: tuple[asyncio.Runner, Service, list[str]],
) -> None:
    runner, it, tokens = world
    target = f"/cgi-bin/menu/get?access_token={tokens[0]}"
    packed = basic(KEY)
    sightings = it.wechat.world.model.ledger.sightings
    sightings.watch(packed.split()[1])
    in_header = runner.run(it.get(target, headers={"X-Any": packed}))
    in_query = runner.run(it.get(f"{target}&x={packed.split()[1].rstrip('=')}"))
    ours = runner.run(it.get(target, headers={"Authorization": packed}))

    assert (in_header.status, in_query.status, ours.status) == (400, 400, 200)
    assert sightings.watched[packed.split()[1]] == 0
