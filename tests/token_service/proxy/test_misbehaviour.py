from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.fixtures.redis import free_port
from tests.token_service.proxy.upstream import OK, Script, Upstream, Visit, upstream
from tests.token_service.proxy.world import REAL_TOKEN, SHOP, Answer, Lone, lone
from token_service.proxy.settings import ProxySettings
from token_service.served import NoLiveToken, RejectionOutcome

PATIENT = ProxySettings(timeout=30.0, connect_timeout=30.0)
HASTY = PATIENT.model_copy(update={"timeout": 0.2})
SEND = "/cgi-bin/message/custom/send"
READ = "/cgi-bin/user/info"
BIG = 3 * 1024 * 1024


@asynccontextmanager
async def against(
    script: Script, settings: ProxySettings = PATIENT
) -> AsyncIterator[tuple[Lone, Upstream]]:
    async with upstream(script) as it, lone([it.origin], settings=settings) as proxy:
        yield proxy, it
        await settled(proxy)
        assert proxy.parts.pool.in_use == 0
        assert proxy.parts.memory.used == 0
        assert proxy.parts.disk.used == 0


async def settled(proxy: Lone) -> None:
    """Wait until no call is under way any more."""
    async with asyncio.timeout(30):
        while proxy.parts.pool.in_use:
            await asyncio.sleep(0)


async def both(proxy: Lone, method: str, path: str) -> tuple[Answer, Answer]:
    token = proxy.opaque_token()
    sdk = await proxy.ask(method, f"{path}?access_token={token}", data=b"{}")
    native = await proxy.native("sdk", method, f"/v1/accounts/shop/wechat{path}", data=b"{}")
    return sdk, native


async def reset(visit: Visit) -> None:
    visit.reset()


async def reset_after_body(visit: Visit) -> None:
    await visit.body()
    visit.reset()


async def reset_in_mid_head(visit: Visit) -> None:
    visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await visit.writer.drain()
    visit.reset()


async def reset_in_mid_body(visit: Visit) -> None:
    visit.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
    await visit.writer.drain()
    visit.reset()


async def cut_in_mid_chunk(visit: Visit) -> None:
    visit.writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"a":')
    await visit.writer.drain()
    visit.writer.close()


async def close_early(visit: Visit) -> None:
    visit.writer.close()


async def garbage(visit: Visit) -> None:
    visit.writer.write(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n")
    await visit.writer.drain()


async def bad_length(visit: Visit) -> None:
    visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}")
    await visit.writer.drain()


@pytest.mark.parametrize(
    "script",
    [
        reset,
        reset_after_body,
        reset_in_mid_head,
        reset_in_mid_body,
        cut_in_mid_chunk,
        close_early,
        garbage,
        bad_length,
    ],
)
async def test_a_lost_answer_is_a_clean_error_and_the_write_is_not_repeated(
    script: Callable[[Visit], Awaitable[None]],
) -> None:
    async with against(script) as (proxy, it):
        sdk, native = await both(proxy, "POST", SEND)

        assert (sdk.status, sdk.errcode) == (200, -1)
        assert (native.status, native.headers["Content-Type"]) == (502, "application/problem+json")
        assert "may have carried it out" in native.document["detail"]
        assert it.requests == 2


async def silent(visit: Visit) -> None:
    await asyncio.Event().wait()


async def silent_in_mid_body(visit: Visit) -> None:
    visit.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
    await asyncio.Event().wait()


@pytest.mark.parametrize("script", [silent, silent_in_mid_body])
async def test_a_silent_wechat_is_a_504(script: Callable[[Visit], Awaitable[None]]) -> None:
    async with against(script, HASTY) as (proxy, it):
        sdk, native = await both(proxy, "POST", SEND)

        assert (sdk.status, sdk.errcode) == (200, -1)
        assert native.status == 504
        assert it.requests == 2


async def test_a_read_whose_answer_was_lost_goes_to_the_next_host_and_stays_there() -> None:
    async def fine(visit: Visit) -> None:
        visit.writer.write(OK)

    async with (
        upstream(reset) as first,
        upstream(fine) as second,
        lone([first.origin, second.origin], settings=PATIENT) as proxy,
    ):
        token = proxy.opaque_token()
        answers = [await proxy.get(f"{READ}?access_token={token}") for _ in range(3)]

        assert {answer.errcode for answer in answers} == {0}
        assert (first.requests, second.requests) == (1, 3)
        assert proxy.parts.forwarder.current_host == second.origin
        assert dict(proxy.parts.forwarder.moves) == {"answer_lost": 1}


async def test_a_write_that_was_not_sent_goes_to_the_next_host() -> None:
    async def fine(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(OK)

    async with upstream(fine) as second:
        origins = [f"http://127.0.0.1:{free_port()}", second.origin]
        async with lone(origins, settings=PATIENT) as proxy:
            answer = await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {"a": 1})

            assert answer.errcode == 0
            assert second.requests == 1


async def test_a_deleting_get_is_not_repeated() -> None:
    async with against(reset) as (proxy, it):
        await proxy.get(f"/cgi-bin/menu/delete?access_token={proxy.opaque_token()}")

        assert it.requests == 1


async def test_when_no_host_is_reached_the_call_is_known_not_to_be_sent() -> None:
    async with lone([f"http://127.0.0.1:{free_port()}"], settings=PATIENT) as proxy:
        sdk, native = await both(proxy, "POST", SEND)

        assert sdk.errcode == -1
        assert native.status == 502
        assert "may be repeated" in native.document["detail"]
        assert proxy.parts.pool.in_use == 0


async def test_minus_one_is_passed_on_and_not_repeated() -> None:
    body = b'{"errcode":-1,"errmsg":"system error"}'

    async def busy(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async with against(busy) as (proxy, it):
        answer = await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {})

        assert answer.body == body
        assert it.requests == 1


@pytest.mark.parametrize(
    "said", [b"<html>502 Bad Gateway</html>", b"", b"not json", b"{broken", b"[1,2]"]
)
async def test_an_answer_that_is_no_json_is_passed_on_as_it_is(said: bytes) -> None:
    async def answer_so(visit: Visit) -> None:
        await visit.body()
        visit.writer.write(
            b"HTTP/1.1 502 Bad Gateway\r\nX-Own: a\r\nX-Own: b\r\nKeep-Alive: x\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(said), said)
        )

    async with against(answer_so) as (proxy, _):
        answer = await proxy.post(f"{SEND}?access_token={proxy.opaque_token()}", {})

        assert (answer.status, answer.body) == (502, said)
        assert answer.headers.getall("X-Own") == ["a", "b"]
        assert "Keep-Alive" not in answer.headers
        assert "Content-Type" not in answer.headers


async def test_a_redirect_is_passed_on_and_not_followed() -> None:
    async def elsewhere(visit: Visit) -> None:
        visit.writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        )

    async with against(elsewhere) as (proxy, it):
        answer = await proxy.get(f"{READ}?access_token={proxy.opaque_token()}")

        assert (answer.status, answer.headers["Location"]) == (302, "http://127.0.0.1:1/")
        assert it.requests == 1


async def test_a_large_answer_that_breaks_off_is_not_taken_for_the_whole() -> None:
    async def half(visit: Visit) -> None:
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
        visit.writer.write(b"x" * (BIG // 2))
        await visit.writer.drain()
        visit.reset()

    async with against(half) as (proxy, _):
        with pytest.raises(aiohttp.ClientError):
            await proxy.get(f"/cgi-bin/media/get?access_token={proxy.opaque_token()}")


async def test_a_caller_that_goes_away_leaves_no_connection_behind() -> None:
    begun = asyncio.Event()

    async def slow(visit: Visit) -> None:
        begun.set()
        await visit.reader.read()

    async with against(slow, ProxySettings(timeout=60.0)) as (proxy, it):
        call = asyncio.ensure_future(proxy.get(f"{READ}?access_token={proxy.opaque_token()}"))
        await begun.wait()
        assert proxy.parts.pool.in_use == 1
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await settled(proxy)
        async with asyncio.timeout(30):
            while it.open:
                await asyncio.sleep(0)


async def test_a_caller_that_breaks_off_its_upload_sends_no_whole_request() -> None:
    whole: list[bytes] = []

    async def note(visit: Visit) -> None:
        whole.append(await visit.body())

    async with against(note) as (proxy, _):
        _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        token = proxy.opaque_token()
        writer.write(
            f"POST /cgi-bin/media/upload?access_token={token} HTTP/1.1\r\nHost: x\r\n"
            f"Content-Length: {BIG}\r\n\r\n".encode()
        )
        writer.write(b"x" * (BIG // 2))
        await writer.drain()
        writer.transport.abort()
        await settled(proxy)

    assert whole == []


async def test_an_answer_before_the_end_of_the_upload_is_passed_on() -> None:
    async def too_large(visit: Visit) -> None:
        visit.writer.write(OK.replace(b"200 OK", b"413 Too Large"))
        await visit.writer.drain()

    async with against(too_large) as (proxy, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        token = proxy.opaque_token()
        writer.write(
            f"POST /cgi-bin/media/upload?access_token={token} HTTP/1.1\r\nHost: x\r\n"
            f"Content-Length: {BIG}\r\n\r\n".encode()
        )
        writer.write(b"x" * 200_000)
        async with asyncio.timeout(30):
            assert b" 413 " in await reader.readuntil(b"\r\n")
        writer.close()


@pytest.mark.parametrize("size", [10, BIG])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_any_size_is_repeated_after_a_death(size: int, chunked: bool) -> None:
    bodies: list[bytes] = []

    async def dead_once(visit: Visit) -> None:
        bodies.append(await visit.body())
        refused = b'{"errcode":40001,"errmsg":"invalid credential"}'
        said = refused if visit.nth == 1 else b'{"errcode":0}'
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    async with against(dead_once) as (proxy, it):
        use_another_token(proxy)
        body = bytes(range(256)) * (size // 256) + b"end"

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), 100_000):
                yield body[at : at + 100_000]

        answer = await proxy.ask(
            "POST",
            f"/cgi-bin/media/upload?access_token={proxy.opaque_token()}",
            data=pieces() if chunked else body,
        )

        assert answer.errcode == 0
        assert bodies == [body, body]
        assert REAL_TOKEN.encode() in it.heads[0]
        assert b"another-token" in it.heads[1]


def use_another_token(proxy: Lone) -> None:
    """The rotation answers a rejection with a fresh token."""
    from tests.token_service.fake_source import served

    source = proxy.source
    source.outcome = RejectionOutcome.REPLACED
    before = source.reject

    async def reject(slot: object, version: str, *, evidence: bool = False) -> object:
        source.live[SHOP] = served(SHOP, "another-token-of-the-account")
        return await before(SHOP, version, evidence=evidence)

    source.reject = reject  # type: ignore[method-assign,assignment]


async def test_a_body_beyond_the_replay_limit_is_not_repeated_and_wechat_s_answer_passes() -> None:
    async def dead(visit: Visit) -> None:
        await visit.body()
        said = b'{"errcode":40001,"errmsg":"invalid credential"}'
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    settings = PATIENT.model_copy(update={"replay_limit": BIG // 2})
    async with against(dead, settings) as (proxy, it):
        answer = await proxy.ask(
            "POST",
            f"/cgi-bin/media/upload?access_token={proxy.opaque_token()}",
            data=b"x" * BIG,
        )

        assert answer.errcode == 40001
        assert it.requests == 1
        assert proxy.source.asked[0][0] == "reject"


async def test_without_another_token_the_caller_is_told_to_come_again() -> None:
    async def dead(visit: Visit) -> None:
        await visit.body()
        said = b'{"errcode":42001}'
        visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    async with against(dead) as (proxy, _):
        proxy.source.trouble = NoLiveToken("The forced budget is spent.", retry_after_s=30)
        sdk, native = await both(proxy, "POST", SEND)

        assert sdk.errcode == -1
        assert (native.status, native.headers["Retry-After"]) == (503, "30")


async def test_calls_beyond_the_limit_of_connections_are_refused_and_not_kept_waiting() -> None:
    begun = asyncio.Semaphore(0)

    async def slow(visit: Visit) -> None:
        begun.release()
        await asyncio.Event().wait()

    settings = ProxySettings(timeout=60.0, connect_timeout=0.2, connections=2)
    async with upstream(slow) as it, lone([it.origin], settings=settings) as proxy:
        target = f"{READ}?access_token={proxy.opaque_token()}"
        calls = [asyncio.ensure_future(proxy.get(target)) for _ in range(2)]
        for _ in calls:
            await begun.acquire()
        refused = await proxy.get(target)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await settled(proxy)

        assert refused.errcode == -1
        assert "too many calls" in refused.document["errmsg"]


async def test_a_packed_answer_is_looked_into_and_passed_as_it_is() -> None:
    import gzip

    packed = gzip.compress(json.dumps({"errcode": 40001}).encode())

    async def dead(visit: Visit) -> None:
        visit.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
            % (len(packed), packed)
        )

    async with against(dead) as (proxy, _):
        answer = await proxy.get(
            f"{READ}?access_token={proxy.opaque_token()}", headers={"Accept-Encoding": "gzip"}
        )

        assert answer.errcode == 40001
        assert proxy.source.asked[0][0] == "reject"


async def test_a_packed_request_is_refused() -> None:
    async with against(reset) as (proxy, it):
        answer = await proxy.ask(
            "POST",
            f"{SEND}?access_token={proxy.opaque_token()}",
            data=b"x",
            headers={"Content-Encoding": "gzip"},
        )

        assert answer.status in {400, 415}
        assert it.requests == 0
