"""In compatible mode the clear fields beside Encrypt are nobody's word, whatever they say."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from tests.callback_gateway.fuzz.gateway import Attacked, attacked
from tests.callback_gateway.fuzz.parties import COMPATIBLE, USER
from tests.callback_gateway.world.handlers import HandlerProcess
from tests.chaos.patience import eventually
from tests.fixtures.processes import Launch
from tests.simulation.chance import Random
from zhongkong.runtime.clock import SystemClock
from zhongkong.wechat.push import BodyFormat, render

pytestmark = pytest.mark.slow

TRUTH, LIE = "真话", "假话"
MATCHES: list[Mapping[str, Any]] = [
    {"type": "text", "content": LIE},
    {"type": "event"},
    {"type": "image"},
    {"user": "oVictim*"},
]
ROUTES = [
    *({"match": each, "reply": {"type": "text", "content": LIE}} for each in MATCHES),
    {"match": {"type": "text"}, "reply": {"type": "text", "content": TRUTH}},
]
_RANDOM = Random(30)
_NUMBERS = itertools.count(1)
_CLOCK = SystemClock()

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=30)
CLEAR = st.fixed_dictionaries(
    {},
    optional={
        "ToUserName": st.sampled_from(["gh_compatible", "gh_safe", "gh_other"]) | TEXTS,
        "FromUserName": st.sampled_from(["oVictim1", USER]) | TEXTS,
        "CreateTime": st.integers(-(2**70), 2**70) | TEXTS,
        "MsgType": st.sampled_from(["text", "event", "image"]) | TEXTS,
        "Content": st.just(LIE) | TEXTS,
        "Event": st.sampled_from(["CLICK", "subscribe", "unsubscribe"]),
        "EventKey": TEXTS,
        "MsgId": st.integers(0, 2**70) | TEXTS,
        "Nested": st.dictionaries(st.sampled_from(["MsgType", "Encrypt", "item"]), TEXTS),
    },
)


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, handler: HandlerProcess, launch: Launch
) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("clear"), handler, ROUTES, launch=launch) as it:
        yield it


@given(clear=CLEAR)
@example(clear={"MsgType": "text", "Content": LIE, "FromUserName": "oVictim1", "MsgId": 1})
@example(clear={"MsgType": "event", "Event": "CLICK", "EventKey": "BUY"})
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_clear_fields_decide_nothing(gateway: Attacked, clear: dict[str, Any]) -> None:
    number, now = next(_NUMBERS), int(_CLOCK.now())
    message = COMPATIBLE.text(f"message {number}", number, now)
    query, body = COMPATIBLE.callback(
        render(message, BodyFormat.XML), now, f"n{number}", _RANDOM, clear=clear
    )
    said = COMPATIBLE.said(post(gateway, query, body))
    assert (said["Content"], said["ToUserName"]) == (TRUTH, USER)
    assert said["FromUserName"] == COMPATIBLE.original_id


async def test_what_is_delivered_is_what_was_sealed(gateway: Attacked) -> None:
    number, now = next(_NUMBERS), int(_CLOCK.now())
    message = COMPATIBLE.text("sealed", number, now)
    lies = {"FromUserName": "oVictim1", "MsgType": "text", "Content": LIE, "MsgId": 7}
    query, body = COMPATIBLE.callback(
        render(message, BodyFormat.XML), now, f"n{number}", _RANDOM, clear=lies
    )
    post(gateway, query, body)

    async def delivered() -> list[dict[str, Any]]:
        return [event for event in gateway.recorded() if event["data"]["content"] == "sealed"]

    (event,) = await eventually(delivered, "it is delivered")
    assert (event["subject"], event["data"]["msg_id"]) == (USER, str(number))
    assert not any(event["subject"].startswith("oVictim") for event in gateway.recorded())


def post(gateway: Attacked, query: Mapping[str, str], body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request("POST", f"/callback/compatible?{urlencode(query)}", body)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return said
    finally:
        connection.close()
