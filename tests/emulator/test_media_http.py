"""Large bodies over HTTP: streamed to disk, streamed back, searched, bounded."""

from __future__ import annotations

import asyncio
import contextlib
import io
import resource
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import TestClient

from tests.emulator.platforms import APPID, NOW, classic, form
from zhongkong.emulator.endpoints.media import UPLOAD_AT_MOST
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
MIB = 1024 * 1024
KEY = "kW9-" * 8
BLOCK = bytes(range(256)) * 1024  # 256 KiB


@pytest.fixture
def token(world: World) -> str:
    limits = {"image": 64 * MIB, "video": 64 * MIB}
    world.model.parameters = replace(world.model.parameters, media_limits=limits)
    return classic(world.model)


def blocks(size: int, secret: bytes = b"") -> Iterator[bytes]:
    head, tail = form(b"\n")[1].split(b"\n\r\n--")
    yield head
    for at in range(0, size, len(BLOCK)):
        yield BLOCK
        if at == (size // len(BLOCK) // 2) * len(BLOCK):
            yield secret
    yield b"\r\n--" + tail


async def chunked(size: int, secret: bytes = b"") -> AsyncIterator[bytes]:
    for block in blocks(size, secret):
        yield block


async def upload(
    wechat: Client, token: str, size: int, secret: bytes = b"", kind: str = "image"
) -> dict[str, Any]:
    response = await wechat.post(
        f"/cgi-bin/media/upload?type={kind}&access_token={token}",
        data=chunked(size, secret),
        headers={"Content-Type": form(b"")[0]},
    )
    assert response.status == 200
    return dict(orjson.loads(await response.read()))


async def download(wechat: Client, token: str, media_id: str) -> aiohttp.ClientResponse:
    return await wechat.get(f"/cgi-bin/media/get?access_token={token}&media_id={media_id}")


async def test_fifty_megabytes_go_up_and_come_down(wechat: Client, token: str) -> None:
    media_id = (await upload(wechat, token, 50 * MIB))["media_id"]
    response = await download(wechat, token, media_id)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-disposition"] == f'attachment; filename="{media_id}.jpg"'
    assert response.content_length == 50 * MIB
    received = 0
    while block := await response.content.readexactly(min(len(BLOCK), 50 * MIB - received)):
        assert block == BLOCK
        received += len(block)
    assert received == 50 * MIB


async def test_uploads_side_by_side_take_no_memory(wechat: Client, token: str) -> None:
    await upload(wechat, token, 4 * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.gather(*(upload(wechat, token, 40 * MIB) for _ in range(6)))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 100 * 1024


async def test_media_endpoints_write_json_as_plain_text(wechat: Client, token: str) -> None:
    response = await download(wechat, token, "unknown")
    assert response.headers["Content-Type"] == "text/plain"
    assert orjson.loads(await response.read())["errcode"] == 40007


async def test_a_watched_key_is_seen_in_the_middle_of_an_upload(
    wechat: Client, token: str, world: World
) -> None:
    world.model.ledger.sightings.watch(KEY)
    await upload(wechat, token, 8 * MIB)
    assert world.model.ledger.sightings.watched[KEY] == 0
    await upload(wechat, token, 8 * MIB, KEY.encode())
    assert world.model.ledger.sightings.watched[KEY] == 1
    assert world.model.ledger.sightings.saw(KEY)


async def test_a_watched_key_is_seen_even_in_a_body_that_is_turned_away(
    wechat: Client, world: World
) -> None:
    sightings = world.model.ledger.sightings
    sightings.watch(KEY)
    body = KEY.encode() + b"x" * 2 * MIB
    refused = await wechat.post("/cgi-bin/menu/create", data=io.BytesIO(body))
    assert orjson.loads(await refused.read())["errcode"] == 45002
    await wechat.post(f"/cgi-bin/menu/create?x={KEY}", data=io.BytesIO(b"y" * 2 * MIB))
    assert sightings.watched[KEY] == 2
    assert world.model.ledger.requests() == []


async def test_what_exceeds_the_largest_upload_is_turned_away(
    wechat: Client, token: str, world: World
) -> None:
    # The rest of the body is left unread, which some clients hear of before the answer.
    with contextlib.suppress(aiohttp.ClientConnectionError):
        assert (await upload(wechat, token, UPLOAD_AT_MOST + MIB))["errcode"] == 45002
    assert world.model.ledger.effects("media_uploaded") == 0


async def test_a_small_upload_is_a_body_like_any_other(wechat: Client, token: str) -> None:
    fields = aiohttp.FormData()
    fields.add_field("media", b"abc", filename="a.png", content_type="image/png")
    sent = await wechat.post(f"/cgi-bin/media/upload?access_token={token}&type=image", data=fields)
    media_id = orjson.loads(await sent.read())["media_id"]
    response = await download(wechat, token, media_id)
    assert await response.read() == b"abc"


async def test_the_link_of_a_video_leads_back_here(wechat: Client, token: str) -> None:
    target = f"/cgi-bin/media/upload?type=video&access_token={token}"
    content_type, body = form(b"film", "a.mp4")
    sent = await wechat.post(target, data=body, headers={"Content-Type": content_type})
    media_id = orjson.loads(await sent.read())["media_id"]
    link = orjson.loads(await (await download(wechat, token, media_id)).read())["video_url"]
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        assert response.headers["Content-Type"] == "video/mp4"
        assert await response.read() == b"film"


@pytest.mark.parametrize("target", ["media", "token"])
async def test_an_answer_breaks_off_in_its_middle(
    wechat: Client, token: str, world: World, target: str
) -> None:
    media_id = (await upload(wechat, token, 2 * MIB))["media_id"]
    world.model.faults.add(Fault(kind="garbage", when="after", garbage="cut_midway"))
    path = f"/cgi-bin/media/get?media_id={media_id}&" if target == "media" else "/cgi-bin/x?"
    response = await wechat.get(f"{path}access_token={token}")
    assert response.status == 200
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


@pytest.mark.parametrize(
    ("form_of", "size"), [("truncated", 128 * 1024), ("empty", 0), ("not_json", 35)]
)
async def test_garbage_takes_the_place_of_a_file(
    wechat: Client, token: str, world: World, form_of: Any, size: int
) -> None:
    media_id = (await upload(wechat, token, 2 * MIB))["media_id"]
    world.model.faults.add(Fault(kind="garbage", when="after", garbage=form_of))
    response = await download(wechat, token, media_id)
    assert len(await response.read()) == size


async def test_a_caller_who_leaves_in_mid_upload_leaves_no_trace(
    wechat: Client, token: str, world: World
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield form(b"x")[1][:-20] + b"x" * 3 * MIB
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await wechat.post(
            f"/cgi-bin/media/upload?type=image&access_token={token}",
            data=broken(),
            headers={"Content-Type": form(b"")[0]},
        )
    assert world.model.ledger.effects("media_uploaded", APPID) == 0
    assert (await upload(wechat, token, 2 * MIB))["created_at"] == int(NOW)
