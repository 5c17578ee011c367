"""What other libraries seal is accepted by a running gateway, and they open what it replies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.callback_gateway.peers.cryptos import (
    LIBRARIES,
    Crypto,
    Keys,
    Node,
    crypto,
    node,
    sealed_in,
)
from tests.callback_gateway.peers.gateway import (
    KEYS,
    OFFICIAL_ACCOUNT,
    STATIC_REPLY,
    Gateway,
    running,
)
from tests.fixtures.processes import Launch
from zhongkong.runtime.clock import SystemClock

OPENID = "oABCD1234567890abcdefghijklm"
TEXT = "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好，😀 & <b>]]></Content>"
IMAGE = (
    "<MsgType><![CDATA[image]]></MsgType><PicUrl><![CDATA[http://127.0.0.1/a]]></PicUrl>"
    "<MediaId><![CDATA[media-1]]></MediaId>"
)

# The gateway is shared by the tests of this file, and each message is one of its own.
_NUMBERS = itertools.count(6054768590064713728)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, launch: Launch) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway"), launch) as it:
        yield it


@pytest.fixture(scope="module")
def running_node() -> Iterator[Node]:
    with node() as it:
        yield it


Make = Callable[[str, Keys], Crypto]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    """A library with some keys; Node is started for the one that wants it."""
    return lambda library, keys: crypto(
        library, keys, lambda: request.getfixturevalue("running_node")
    )


@pytest.fixture(params=LIBRARIES)
def sender(request: pytest.FixtureRequest, make: Make) -> Crypto:
    """Each library in WeChat's place, with the account's keys."""
    return make(request.param, KEYS)


@pytest.fixture(params=LIBRARIES)
def reader(request: pytest.FixtureRequest, make: Make) -> Crypto:
    """Each library as the one that gets the reply."""
    return make(request.param, KEYS)


def now() -> str:
    return str(int(SystemClock().now()))


def message(content: str) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{OFFICIAL_ACCOUNT}]]></ToUserName>"
        f"<FromUserName><![CDATA[{OPENID}]]></FromUserName><CreateTime>{now()}</CreateTime>"
        f"{content}<MsgId>{next(_NUMBERS)}</MsgId></xml>"
    )


async def test_a_foreign_message_without_a_route_is_answered_with_success(
    gateway: Gateway, sender: Crypto
) -> None:
    answer = await gateway.post(sender.seal(message(IMAGE), now(), "nonce1"))

    assert (answer.status, answer.body) == (200, "success")


async def test_every_library_opens_the_reply_to_every_library(
    gateway: Gateway, sender: Crypto, reader: Crypto
) -> None:
    answer = await gateway.post(sender.seal(message(TEXT), now(), "nonce2"))

    assert answer.status == 200
    reply = ET.fromstring(reader.open(sealed_in(answer.body)))
    names = ("ToUserName", "FromUserName", "MsgType", "Content")
    assert [reply.findtext(name) for name in names] == [
        OPENID,
        OFFICIAL_ACCOUNT,
        "text",
        STATIC_REPLY,
    ]


async def test_a_repeated_foreign_message_is_answered_like_the_first_time(
    gateway: Gateway, sender: Crypto
) -> None:
    sealed = sender.seal(message(TEXT), now(), "nonce3")

    answers = [await gateway.post(sealed) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    opened = [sender.open(sealed_in(answer.body)) for answer in answers]
    assert all(f"<![CDATA[{STATIC_REPLY}]]>" in reply for reply in opened)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(replace(KEYS, token="anotherToken"), id="another token"),
        pytest.param(replace(KEYS, aes_key="k" * 42 + "A"), id="another AES key"),
        pytest.param(replace(KEYS, appid="wx00000000000000"), id="another appid"),
    ],
)
@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_foreign_message_with_other_keys_is_refused(
    gateway: Gateway, make: Make, library: str, keys: Keys
) -> None:
    answer = await gateway.post(make(library, keys).seal(message(TEXT), now(), "nonce4"))

    assert answer.status == 403
    assert OPENID not in answer.body
