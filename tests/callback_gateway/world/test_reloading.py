"""The configuration file is edited while the gateway runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callback_gateway.world.gateway import Gateway
from tests.callback_gateway.world.world import World
from tests.chaos.patience import eventually

pytestmark = pytest.mark.slow

USER = "oReader"


def saying(text: str) -> dict[str, Any]:
    return {"routes": [{"match": {"type": "text"}, "reply": {"type": "text", "content": text}}]}


async def says(it: World, text: str) -> None:
    """Wait until texts are answered so."""

    async def look() -> bool:
        await it.push({"user": USER, "text": "what now?"})
        return (await it.feed(USER))[-1] == ("reply", text)

    await eventually(look, f"texts are answered {text}")


def rewrite(it: World, gateway: Gateway, settings: dict[str, Any]) -> None:
    gateway.configure({"accounts": [it.account.settings()], **settings})


async def test_routes_change_with_the_file_and_a_bad_version_leaves_the_old_ones(
    world: World,
) -> None:
    gateway = world.gateway("gateway", saying("早上好"))
    await gateway.start()
    await world.call_back(gateway.callback_url)
    await says(world, "早上好")

    rewrite(world, gateway, saying("晚上好"))
    await says(world, "晚上好")

    bad = {"routes": [{"match": {"type": "text"}, "reply": "nobody"}]}
    rewrite(world, gateway, bad)

    async def reported() -> list[str] | None:
        refused: list[str] = (await gateway.status())["config"]["refused_because"]
        return refused or None

    (problem,) = await eventually(reported, "the bad version is reported")
    assert "routes[0].reply: nobody is none of the targets" in problem

    async def logged() -> bool:
        return '"event":"config_refused"' in gateway.child.output

    await eventually(logged, "the refusal is logged")
    await says(world, "晚上好")
    shown = await gateway.command("status")
    assert "nobody is none of the targets" in shown.output
    checked = await gateway.command("config", "check")
    assert checked.code == 1
    assert problem in checked.errors

    gateway.write("routes: [")
    await says(world, "晚上好")

    rewrite(world, gateway, saying("你好"))
    await says(world, "你好")
    assert (await gateway.status())["config"]["refused_because"] == []


async def test_an_account_that_is_added_is_taken_at_once_and_one_that_is_removed_is_unknown(
    world: World,
) -> None:
    gateway = world.gateway("gateway", saying("你好"))
    await gateway.start()
    renamed = world.account.settings(name="store")
    gateway.configure({"accounts": [renamed], **saying("你好")})

    async def reloaded() -> bool:
        return '"event":"config_reloaded"' in gateway.child.output

    await eventually(reloaded, "the file is reloaded")
    await world.call_back(f"http://127.0.0.1:{gateway.port}/callback/store")
    await says(world, "你好")
    path = f"/accounts/{world.account.appid}/callback"
    settings = {"url": gateway.callback_url, "token": world.account.token}
    await world.wechat.control("PUT", path, {**settings, "mode": "plaintext", "verify": False})
    push = await world.push({"user": USER, "text": "x", "course": {"tries": 1}})
    assert push["tries"][0]["status"] == 404
