"""Garbage in: an answer of the right shape, never a 500, never a stack trace."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.emulator.platforms import APPID, NOW, OPENID, SECRET, account, form, platform, user
from zhongkong.emulator.callbacks.office import PostOffice
from zhongkong.emulator.control import Control
from zhongkong.emulator.endpoints import SERVED
from zhongkong.emulator.request import ApiRequest
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("grant_type", "appid", "secret", "appsecret", "force_refresh", "cgi_path", "rid", "type"),
        *("button", "matchrule", "menuid", "user_id", "media_id", "articles", "offset", "count"),
        *("touser", "msgtype", "text", "news", "image", "template_id", "data"),
    ]
)
KNOWN = ["client_credential", APPID, SECRET, OPENID, True, "text", "news", "image"]
VALUES = st.sampled_from(KNOWN) | JSON
LOGIN = f"appid={APPID}&secret={SECRET}&openid={OPENID}&grant_type=authorization_code&type=image"


def encodable(fields: Any) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError:
        return repr(fields).encode("utf-8", "replace")


BODIES = st.binary(max_size=300) | st.dictionaries(FIELDS, VALUES).map(encodable)
TARGETS = st.sampled_from(sorted(SERVED)) | st.text(max_size=60).map(lambda text: f"/{text}")


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "get", ""]),
    target=TARGETS,
    query=st.text(max_size=60) | st.just("access_token=") | st.just(LOGIN),
    body=BODIES,
)
def test_the_model_answers_anything_with_a_json_object(
    method: str, target: str, query: str, body: bytes
) -> None:
    model = platform(account(users=(user(),)))
    token = model.token(APPID, SECRET, NOW)["access_token"]
    for suffix in (query, f"{query}&access_token={token}"):
        request = ApiRequest.from_wire(method, f"{target}?{suffix}", peer="?", body=body)
        answer = model.perform(request, NOW)
        assert answer is not None
        assert orjson.dumps(answer)


async def test_odd_bodies_over_http_are_never_a_500(wechat: Client) -> None:
    odd = [b"", b"\xff\xfe", b"{" * 5000, b'{"a":' * 5000, b"null", b"1e999", b'"\\ud800"', b"{}\0"]
    for path in [*SERVED, "/", "/%00", "/%ff%fe", "/_emulatorx"]:
        for body in odd:
            response = await wechat.post(path, data=body)
            assert response.status == 200
            assert "errcode" in orjson.loads(await response.read())


async def test_bodies_that_lie_about_their_encoding_are_never_a_500(wechat: Client) -> None:
    headers = {"Content-Encoding": "gzip"}
    response = await wechat.post("/cgi-bin/stable_token", data=b"not gzip", headers=headers)
    assert response.status == 200
    response = await wechat.post("/_emulator/faults", data=b"not gzip", headers=headers)
    assert response.status == 400


def calls(world: World) -> list[tuple[str, str]]:
    return list(Control(world, PostOffice(world), from_anywhere=False)._calls)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'{"x":1}', b"[" * 9000, b'{"appid":[1]}', b"0" * 99]
)
async def test_odd_control_calls_are_never_a_500(wechat: Client, world: World, body: bytes) -> None:
    for method, path in calls(world):
        filled = path.replace("{appid}", APPID).replace("{id}", "f0")
        response = await wechat.request(method, f"/_emulator{filled}", data=body)
        assert response.status < 500, (method, path)
        assert isinstance(await response.json(), dict)


async def test_a_control_body_that_is_too_large_is_refused(wechat: Client) -> None:
    response = await wechat.post("/_emulator/faults", data=io.BytesIO(b" " * 2_000_000))
    assert response.status == 413


@given(body=JSON)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_json_is_a_sound_or_a_refused_fault(wechat: Client, body: Any) -> None:
    response = await wechat.post("/_emulator/faults", data=encodable(body))
    assert response.status in {200, 400}


@given(
    cut=st.integers(0, 400), content_type=st.sampled_from([form(b"")[0], "multipart/x", "", "x"])
)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_odd_forms_are_answered_with_a_code(
    wechat: Client, world: World, cut: int, content_type: str
) -> None:
    token = world.model.token(APPID, SECRET, NOW)["access_token"]
    body = form(bytes(range(200)), type="image")[1]
    for path in ("media/upload", "media/uploadimg", "material/add_material"):
        response = await wechat.post(
            f"/cgi-bin/{path}?type=image&access_token={token}",
            data=body[:cut] + body[cut + 1 :],
            headers={"Content-Type": content_type},
        )
        assert response.status == 200
        assert isinstance(orjson.loads(await response.read()), dict)
