from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import StringIO

import pytest

from tests.token_service.api_world import KEYS, REJECTIONS, ROTATIONS, TOKEN, World, api_world
from tests.token_service.fake_source import VALUE
from zhongkong.runtime import logs

Lines = list[dict[str, object]]


@pytest.fixture
def stream() -> StringIO:
    return StringIO()


@pytest.fixture
async def world(stream: StringIO) -> AsyncIterator[World]:
    logs.configure("token_service", stream=stream, json=True, level="debug")
    async with api_world() as made:
        yield made
    logs.close()


def lines(stream: StringIO, event: str) -> Lines:
    logs.close()
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


@pytest.mark.parametrize("query", ["", "?wait=1"])
async def test_every_hand_out_is_written_down(world: World, stream: StringIO, query: str) -> None:
    answer = await world.ask("GET", TOKEN + query, key="orders", headers={"X-Request-ID": "r-7"})

    (line,) = lines(stream, "token_handed_out")
    assert (
        line.items()
        >= {
            "client": "orders",
            "account": "shop",
            "kind": "access_token",
            "version": answer.document["version"],
            "request_id": "r-7",
        }.items()
    )


async def test_hand_outs_of_a_new_version_name_the_new_version(
    world: World, stream: StringIO
) -> None:
    from tests.token_service.api_world import SHOP
    from tests.token_service.fake_source import served

    await world.ask("GET", TOKEN)
    world.source.live[SHOP] = served(SHOP, "another")
    await world.ask("GET", TOKEN)

    first, second = lines(stream, "token_handed_out")
    assert first["version"] != second["version"]
    assert first["request_id"] != second["request_id"]


async def test_reports_and_rotations_are_written_down(world: World, stream: StringIO) -> None:
    await world.ask("POST", REJECTIONS, json={"version": "old", "errcode": 40001})
    await world.ask("POST", ROTATIONS, json={"reason": "leaked\nforged line"})

    (report,) = lines(stream, "rejection_reported")
    (rotation,) = lines(stream, "rotation_asked")
    assert (report["version"], report["errcode"]) == ("old", 40001)
    assert rotation["reason"] == "leaked forged line"
    assert len(lines(stream, "token_handed_out")) == 2


async def test_a_304_hands_nothing_out(world: World, stream: StringIO) -> None:
    await world.ask("GET", TOKEN, headers={"If-None-Match": "*"})

    assert lines(stream, "token_handed_out") == []


async def test_a_refusal_is_written_down_without_what_the_caller_sent(
    world: World, stream: StringIO
) -> None:
    await world.ask("GET", f"/v1/accounts/{VALUE}/tokens/x?access_token={VALUE}", key="orders")

    (line,) = lines(stream, "request_refused")
    assert (line["client"], line["status"]) == ("orders", 404)
    assert VALUE not in stream.getvalue()


async def test_no_token_and_no_key_gets_into_the_log(world: World, stream: StringIO) -> None:
    await world.ask("GET", TOKEN)
    await world.ask("GET", TOKEN, key=None, headers={"Authorization": "Bearer wrong-" + "w" * 40})
    await world.ask("POST", REJECTIONS, data=VALUE.encode())
    await world.ask("POST", ROTATIONS, json={"reason": f"access_token={VALUE}"})
    await world.raw(f"GET {TOKEN}\x01{VALUE} HTTP/1.1\r\nAuthorization: {KEYS['ops']}\r\n".encode())
    logs.close()

    written = stream.getvalue()
    assert written
    for secret in (VALUE, "w" * 40, *KEYS.values()):
        assert secret not in written
