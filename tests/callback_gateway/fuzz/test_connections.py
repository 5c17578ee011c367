"""Genuine callbacks on odd connections, and connections that hold on: slow, halved, pipelined."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urlencode

import pytest

from tests.callback_gateway.fuzz.gateway import REPLY, Attacked, attacked
from tests.callback_gateway.fuzz.parties import COMPATIBLE, PARTIES, PLAINTEXT, SAFE, Party
from tests.callback_gateway.fuzz.wire import (
    HOST,
    XML,
    Answer,
    chunked,
    read_answer,
    request,
)
from tests.callback_gateway.world.handlers import HandlerProcess
from tests.chaos.deployment import panics
from tests.chaos.patience import eventually
from tests.fixtures.processes import Launch
from tests.simulation.chance import Random
from zhongkong.runtime.clock import SystemClock
from zhongkong.wechat.push import BodyFormat, render

pytestmark = pytest.mark.slow

RETRIES = 50
WAIT_S = 10.0
ROUTE = {"match": {"type": "text"}, "reply": {"type": "text", "content": REPLY}}
_RANDOM = Random(20)
_NUMBERS = itertools.count(1)
_CLOCK = SystemClock()


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, handler: HandlerProcess, launch: Launch
) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("connections")
    with attacked(folder, handler, [ROUTE], answer_within="2500ms", launch=launch) as it:
        yield it
    assert panics(it.child.output) == []


def now() -> int:
    return int(_CLOCK.now())


def genuine(party: Party, content: str = "hi") -> bytes:
    """A new text message as a whole request."""
    number = next(_NUMBERS)
    return party.genuine(content, number, now(), f"n{number}", _RANDOM)


async def exchange(gateway: Attacked, *parts: bytes, answers: int = 1) -> list[Answer | None]:
    """Write the parts one after the other, and read so many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        async with asyncio.timeout(WAIT_S):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            return [await read_answer(reader) for _ in range(answers)]
    finally:
        writer.transport.abort()


def reply_in(party: Party, answer: Answer | None) -> str | None:
    """What the user would be told; None for anything but a reply."""
    if answer is None or answer.status != 200:
        return None
    content = party.said(answer.body)["Content"]
    assert isinstance(content, str)
    return content


async def events_with(gateway: Attacked, content: str, count: int) -> None:
    async def there() -> bool:
        found = [each["data"]["content"] for each in gateway.recorded()]
        return found.count(content) == count

    await eventually(there, f"{count} events with {content} are delivered")


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.name)
async def test_the_identical_bytes_are_answered_50_times_and_stored_once(
    gateway: Attacked, party: Party
) -> None:
    content = f"again and again {party.name}"
    raw = genuine(party, content)
    one_by_one = await exchange(gateway, *[raw] * RETRIES, answers=RETRIES)
    at_once = await asyncio.gather(*(exchange(gateway, raw) for _ in range(RETRIES)))
    said = {reply_in(party, answer) for answer in (*one_by_one, *(each[0] for each in at_once))}
    assert said == {REPLY}
    await events_with(gateway, content, 1)


async def test_a_plaintext_query_with_another_body_is_refused_and_the_first_still_answered(
    gateway: Attacked,
) -> None:
    raw = genuine(PLAINTEXT, "the first")
    altered = raw.replace(b"the first", b"the other")
    answers = [(await exchange(gateway, each))[0] for each in (raw, altered, raw)]
    assert [answer and answer.status for answer in answers] == [200, 403, 200]
    assert reply_in(PLAINTEXT, answers[2]) == REPLY


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.name)
async def test_requests_written_at_once_are_answered_each_and_in_order(
    gateway: Attacked, party: Party
) -> None:
    forged = request(b"POST", party.target("signature=x&timestamp=1&nonce=n"), b"<xml></xml>")
    answers = await exchange(
        gateway, genuine(party) + forged + genuine(party) + forged + genuine(party), answers=5
    )
    assert [answer and answer.status for answer in answers] == [200, 403, 200, 403, 200]
    assert [reply_in(party, answer) for answer in answers[::2]] == [REPLY] * 3


@pytest.mark.parametrize("size", [1, 7, 4096])
async def test_a_body_in_chunks_is_a_body(gateway: Attacked, size: int) -> None:
    head, _, body = genuine(SAFE).partition(b"\r\n\r\n")
    target = head.split(b" ", 2)[1]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    raw = request(
        b"POST",
        target,
        chunked(*parts),
        headers=(HOST, XML, (b"Transfer-Encoding", b"chunked")),
        length=False,
    )
    (answer,) = await exchange(gateway, raw)
    assert reply_in(SAFE, answer) == REPLY


async def test_a_request_that_comes_byte_by_byte_is_answered(gateway: Attacked) -> None:
    raw = genuine(COMPATIBLE)
    (answer,) = await exchange(gateway, *(raw[at : at + 1] for at in range(len(raw))))
    assert reply_in(COMPATIBLE, answer) == REPLY


async def test_bodies_that_never_end_are_given_up_in_time_and_hold_up_nobody(
    gateway: Attacked,
) -> None:
    cut_off = genuine(SAFE)[:-20]
    slow = [asyncio.create_task(exchange(gateway, cut_off)) for _ in range(20)]
    await asyncio.sleep(0.1)
    (answer,) = await exchange(gateway, genuine(SAFE))
    assert reply_in(SAFE, answer) == REPLY
    assert not any(task.done() for task in slow)
    given_up = [answer and answer.status for (answer,) in await asyncio.gather(*slow)]
    assert given_up == [408] * 20


@pytest.mark.parametrize("part", [0.0, 0.2, 0.9, 1.0])
async def test_a_connection_that_is_half_closed_harms_nobody(
    gateway: Attacked, part: float
) -> None:
    raw = genuine(SAFE)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.timeout(WAIT_S):
        writer.write(raw[: int(len(raw) * part)])
        writer.write_eof()
        answer = await read_answer(reader)
    writer.transport.abort()
    assert answer is None or reply_in(SAFE, answer) == REPLY or 400 <= answer.status < 500
    (answer,) = await exchange(gateway, raw)
    assert reply_in(SAFE, answer) == REPLY


@pytest.mark.parametrize(
    "echo",
    [
        b"3141592653589793",
        b"%FF%FE",
        b"\xff\xfe",
        b"%00",
        "好".encode(),
        b"%ED%A0%80",
        b"%0D%0AX:y",
    ],
)
async def test_a_genuine_question_about_the_url_is_never_an_error(
    gateway: Attacked, echo: bytes
) -> None:
    words = urlencode(SAFE.query(now(), "n", None)).encode()
    target = b"/callback/safe?" + words + b"&echostr=" + echo
    (answer,) = await exchange(gateway, request(b"GET", target, headers=(HOST,)))
    assert answer is not None
    assert answer.status == 200 or 400 <= answer.status < 500
    if echo.isdigit():
        assert answer.body == echo
    assert answer.headers["content-type"].startswith(("text/plain", "application/problem+json"))


@pytest.mark.parametrize("nonce", [b"\xff\xfe", b"%FF", b"%ED%B3%BF", b"%00", "好".encode()])
@pytest.mark.parametrize("reading", ["surrogates", "as it stands", "latin"])
async def test_odd_bytes_under_a_proof_that_may_hold_are_never_an_error(
    gateway: Attacked, nonce: bytes, reading: str
) -> None:
    """The proof is made over what the bytes may be read as."""
    readings = {
        "surrogates": unquote_to_bytes(nonce).decode("utf-8", "surrogateescape"),
        "as it stands": nonce.decode("latin-1"),
        "latin": unquote_to_bytes(nonce).decode("latin-1"),
    }
    for party in PARTIES:
        message = render(party.text("odd", next(_NUMBERS), now()), BodyFormat.XML)
        query, body = party.callback(message, now(), readings[reading], _RANDOM)
        del query["nonce"]
        target = party.target(query) + b"&nonce=" + nonce
        (answer,) = await exchange(gateway, request(b"POST", target, body))
        assert answer is not None
        assert answer.status in {200, 400, 403}


async def test_a_plaintext_proof_whose_parts_are_cut_anew_is_still_the_same_proof(
    gateway: Attacked,
) -> None:
    """It is made over the sorted and joined parts, so 0120 and 17… pass for 012 and 017…"""
    at = now()
    message = render(PLAINTEXT.text("the first", next(_NUMBERS), at), BodyFormat.XML)
    query, body = PLAINTEXT.callback(message, at, "0120", _RANDOM)
    cut_anew = {**query, "timestamp": f"0{at}", "nonce": "012"}
    altered = body.replace(b"the first", b"the other")
    answers = [
        (await exchange(gateway, request(b"POST", PLAINTEXT.target(each), said)))[0]
        for each, said in ((query, body), (cut_anew, altered), (cut_anew, body))
    ]
    assert [answer and answer.status for answer in answers] == [200, 403, 200]
