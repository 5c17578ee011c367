"""Where callbacks go: what is accepted, what is shown, and WeChat's verification of the URL."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.emulator.callbacks.conftest import Client, Configure
from tests.emulator.callbacks.receivers import KEY, OTHER_KEY, TOKEN, Receiver
from tests.emulator.platforms import APPID
from tests.emulator.test_control import control
from tests.fixtures.redis import free_port
from zhongkong.emulator.callbacks.configuration import Callback, CallbackSettings
from zhongkong.emulator.settings import read_setup
from zhongkong.emulator.world import World

CALLBACK = f"/accounts/{APPID}/callback"
SETTINGS = CallbackSettings(url="http://127.0.0.1:1/", token=TOKEN, aes_key=KEY)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({"url": "ftp://shop.example/"}, "http", id="another scheme"),
        pytest.param({"url": "http://"}, "host", id="no host"),
        pytest.param({"url": "http://shop.example:99999/"}, "url", id="no port of this world"),
        pytest.param({"url": "http://shop.example/ x"}, "url", id="a blank"),
        pytest.param({"token": "ab"}, "3 to 32", id="a short token"),
        pytest.param({"token": "a-b-c"}, "letters or digits", id="a token with dashes"),
        pytest.param({"aes_key": None}, "aes_key", id="no key in safe mode"),
        pytest.param({"aes_key": "x" * 42}, "43", id="a short key"),
        pytest.param({"previous_aes_key": "x"}, "43", id="a short previous key"),
    ],
)
async def test_a_bad_configuration_is_refused_with_what_would_be_right(
    configure: Configure, changes: dict[str, Any], word: str
) -> None:
    assert word in (await configure(status=400, **changes))["detail"]


async def test_plaintext_mode_needs_no_key(configure: Configure) -> None:
    shown = (await configure(mode="plaintext", aes_key=None))["callback"]
    assert (shown["mode"], shown["aes_key"]) == ("plaintext", "not set")


async def test_secrets_are_never_shown(configure: Configure, wechat: Client, world: World) -> None:
    await configure(previous_aes_key=OTHER_KEY)
    response = await wechat.get(f"/_emulator/accounts/{APPID}")
    text = await response.text() + repr(world.model.accounts[APPID])
    assert not any(secret in text for secret in (TOKEN, KEY, OTHER_KEY))
    shown = (await response.json())["callback"]
    assert {shown["token"], shown["aes_key"], shown["previous_aes_key"]} == {"set"}


async def test_the_verification_asks_with_a_signature_and_wants_the_echostr(
    configure: Configure, receiver: Receiver
) -> None:
    shown = (await configure())["callback"]
    (asked,) = receiver.seen
    query = asked.query
    joined = "".join(sorted([TOKEN, query["timestamp"], query["nonce"]]))
    assert query["signature"] == hashlib.sha1(joined.encode()).hexdigest()
    assert (asked.method, set(query)) == (
        "GET",
        {"signature", "timestamp", "nonce", "echostr"},
    )
    assert shown["verification"]["passed"]


@pytest.mark.parametrize(
    ("echo", "word"),
    [
        pytest.param(lambda e: web.Response(text=f'"{e}"'), "around it", id="quoted"),
        pytest.param(lambda e: web.Response(text=e + "\n"), "around it", id="with a newline"),
        pytest.param(lambda e: web.Response(text="success"), "7 bytes", id="something else"),
        pytest.param(lambda e: web.Response(status=403, text=e), "403", id="refused"),
    ],
)
async def test_a_failed_verification_keeps_the_old_configuration_and_says_why(
    configure: Configure, receiver: Receiver, wechat: Client, echo: Any, word: str
) -> None:
    await configure()
    receiver.echo = echo
    refused = await configure(status=409, mode="compatible")
    assert word in refused["detail"]
    shown = (await control(wechat, "GET", CALLBACK))["callback"]
    assert (shown["mode"], shown["verification"]["passed"]) == ("safe", False)
    assert word in shown["verification"]["detail"]


async def test_nobody_listening_is_a_failed_verification(
    configure: Configure,
) -> None:
    refused = await configure(status=409, url=f"http://127.0.0.1:{free_port()}/")
    assert "verify=false" in refused["detail"]


async def test_a_slow_answer_is_a_failed_verification(
    configure: Configure, receiver: Receiver, rules: Any
) -> None:
    rules(push_deadline_s=0.02)
    receiver.silent = True
    refused = await configure(status=409)
    assert "within 0.02 s" in refused["detail"]


async def test_a_configuration_can_be_put_without_verification_and_verified_later(
    configure: Configure, receiver: Receiver, wechat: Client
) -> None:
    shown = (await configure(verify=False))["callback"]
    assert (shown["verification"], receiver.seen) == (None, [])
    shown = (await control(wechat, "POST", f"{CALLBACK}/verification"))["callback"]
    assert shown["verification"]["passed"]
    receiver.echo = lambda _: web.Response(status=404)
    await control(wechat, "POST", f"{CALLBACK}/verification", status=409)


async def test_a_configuration_is_deleted(configure: Configure, wechat: Client) -> None:
    await configure()
    await control(wechat, "DELETE", CALLBACK)
    assert (await control(wechat, "GET", CALLBACK))["callback"] is None
    await control(wechat, "POST", f"{CALLBACK}/verification", status=404)


def test_a_key_that_changes_becomes_the_previous_one() -> None:
    callback = Callback.begin(SETTINGS)
    callback.put(CallbackSettings(url=SETTINGS.url, token=TOKEN, aes_key=OTHER_KEY))
    assert callback.settings is not None
    assert callback.settings.previous_aes_key == KEY
    callback.put(CallbackSettings(url=SETTINGS.url, token="another", aes_key=OTHER_KEY))
    assert callback.settings.previous_aes_key == KEY


def test_a_file_configures_the_callback_and_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "emulator.yaml"
    head = f"accounts:\n  - appid: {APPID}\n    secret: s\n    original_id: gh_1\n    callback:\n"
    path.write_text(
        f"{head}      url: http://127.0.0.1:1/\n      token: {TOKEN}\n      aes_key: {KEY}\n"
    )
    (declared,) = read_setup(path, {}).accounts
    assert declared.callback == SETTINGS
    assert declared.original_id == "gh_1"
    path.write_text(f"{head}      url: http://127.0.0.1:1/\n      token: a b\n")
    with pytest.raises(Exception, match=r"emulator\.yaml:5") as refused:
        read_setup(path, {})
    assert "3 to 32" in str(refused.value)
    assert "a b" not in str(refused.value)
