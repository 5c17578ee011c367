"""Why a world can't start, said in one line that tells what to do; and what it is started with."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from callback_gateway.settings import GatewaySettings
from menu_worker.cli import main as menu_worker
from menu_worker.settings import MenuWorkerSettings
from tests.local_world.conftest import Begin, Up
from tests.local_world.worlds import (
    DEADLINE_S,
    World,
    free_base,
    is_free,
    it_ended_in_order,
    nothing_is_left,
    run_up,
)
from token_service.settings import TokenServiceSettings
from zhongkong.emulator.settings import read_setup
from zhongkong.local_world import names, plan
from zhongkong.local_world.folder import prepare
from zhongkong.local_world.kept import FORMS
from zhongkong.local_world.ports import require_free
from zhongkong.local_world.world import live
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.settings import Settings, load
from zhongkong.runtime.startup import CannotStart

SERVICES: list[tuple[type[Settings], str, str]] = [
    (TokenServiceSettings, names.TOKEN_SERVICE_CONFIG, "TOKEN_SERVICE"),
    (GatewaySettings, names.CALLBACK_GATEWAY_CONFIG, "CALLBACK_GATEWAY"),
    (MenuWorkerSettings, names.MENU_WORKER_CONFIG, "MENU_WORKER"),
]


def the_one_line(said: str) -> str:
    [line] = said.strip().splitlines()
    return line


async def refused(base: int, folder: Path) -> str:
    """Why a world does not start there: said before any part of it does."""
    stop, clock, randomness = Stop(), SystemClock(), SystemRandomness()
    with pytest.raises(CannotStart) as refusal:
        async with asyncio.timeout(DEADLINE_S):
            await live(base, folder, stop, clock=clock, randomness=randomness)
    return the_one_line(str(refusal.value))


@pytest.mark.parametrize("listener", plan.ports(0))
def test_a_busy_port_is_named_with_its_owner_and_a_way_out(listener: str) -> None:
    base = free_base()
    port = plan.ports(base)[listener]
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(CannotStart, match=rf"port {port} \(of the {listener}\)") as busy,
    ):
        require_free(base)
    assert f"pid {os.getpid()} " in str(busy.value)
    other = re.search(r"make run PORT_BASE=(\d+)", str(busy.value))
    assert other is not None
    assert all(is_free(port) for port in plan.ports(int(other[1])).values())


async def test_a_world_that_finds_a_port_busy_ends_with_one_line(tmp_path: Path) -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base + 4)):
        line = await refused(base, tmp_path)
    assert f"port {base + 4} (of the trading bot) is taken" in line


def test_the_emulators_port_may_be_anybodys_before_the_real_wechat() -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base)):
        require_free(base, emulated=False)


def test_a_second_world_in_the_same_place_says_what_is_wrong(world: World) -> None:
    home = world.folder.parents[2]
    ended = run_up(home, "--port-base", str(world.base))
    assert ended.returncode == 1
    line = the_one_line(ended.stderr)
    assert f"pid {world.child.pid}" in line
    assert "make run PORT_BASE=" in line
    assert world.child.running


async def test_a_second_world_from_another_folder_names_the_first_as_the_owner(
    world: World, tmp_path: Path
) -> None:
    line = await refused(world.base, tmp_path)
    assert f"port {world.base} " in line
    assert any(f"pid {pid} " in line for pid in world.parts())


def test_a_world_beside_another_ends_in_order_at_a_ctrl_c_that_arrives_twice(
    world: World, begin: Begin
) -> None:
    second = begin().wait_until_ready()
    parts = second.parts()
    second.child.send(signal.SIGINT)

    assert second.end() == 0

    nothing_is_left(second, parts)
    it_ended_in_order(second)
    assert world.child.running


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port-base", "0"),
        ("--port-base", "64001"),
        ("--port-base", "abc"),
        ("--port", "8080"),
        ("surplus",),
    ],
)
def test_misuse_exits_64(
    up: Up, tmp_path: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert up(*arguments) == 64
    assert "Usage: zhongkong up" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "--folder" in await refused(free_base(), tmp_path / "file")


def test_the_files_are_good_configurations(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    for model, name, prefix in SERVICES:
        assert load(model, tmp_path / name, {}, prefix=prefix).unbuilt == (), name
    tokens = load(TokenServiceSettings, tmp_path / names.TOKEN_SERVICE_CONFIG, {}, prefix="X")
    [account] = tokens.settings.accounts
    [emulated] = read_setup(tmp_path / names.EMULATOR_CONFIG, {}).accounts
    assert (account.appid, account.secret.reveal()) == (emulated.appid, emulated.secret)


def test_every_key_of_the_sample_menu_is_handled_by_a_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    config, routes = tmp_path / names.MENU_WORKER_CONFIG, tmp_path / names.CALLBACK_GATEWAY_CONFIG

    code = menu_worker(["validate", "--config", str(config), "--routes", str(routes)])

    assert code == 0
    assert capsys.readouterr().out.endswith("good; account: shop\n")


def test_keys_stay_from_run_to_run_and_what_an_emulated_wechat_forgets_is_forgotten(
    tmp_path: Path,
) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    kept = {name: (tmp_path / name).read_text() for name in FORMS}
    stores = [tmp_path / name for name in (names.STORE, names.MENU_STORE)]
    for store in stores:
        store.touch()
    (tmp_path / names.INBOX).touch()

    prepare(tmp_path, 8080, SystemRandomness())

    assert {name: (tmp_path / name).read_text() for name in FORMS} == kept
    assert not any(map(Path.exists, stores))
    assert (tmp_path / names.INBOX).exists()


@pytest.mark.parametrize("name", ["shop.yaml", "of-my-own.yaml"])
def test_a_menu_that_is_there_is_the_users_and_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / names.MENUS).mkdir()
    mine = tmp_path / names.MENUS / name
    mine.write_text("account: shop\n")

    assert prepare(tmp_path, 8080, SystemRandomness()) == mine

    assert list((tmp_path / names.MENUS).iterdir()) == [mine]
    assert mine.read_text() == "account: shop\n"


def test_every_kept_secret_has_the_form_by_which_it_is_known_again(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    made = {name: (tmp_path / name).read_text() for name in FORMS}
    assert all(FORMS[name].fits.fullmatch(text.removesuffix("\n")) for name, text in made.items())
    assert len(set(made.values())) == len(FORMS)


def test_token_and_key_of_an_account_that_is_set_up_already_may_be_put_there(
    tmp_path: Path,
) -> None:
    (tmp_path / names.CALLBACK_TOKEN).write_text("spamtest")
    (tmp_path / names.CALLBACK_AES_KEY).write_text("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\n")
    prepare(tmp_path, 8080, SystemRandomness())
    assert (tmp_path / names.CALLBACK_TOKEN).read_text() == "spamtest"
    assert (tmp_path / names.CALLBACK_AES_KEY).read_text().startswith("abcdefg")


@pytest.mark.parametrize("damage", ["", "short\n", "x" * 500, "two lines of\nwords and spaces"])
def test_a_damaged_key_is_made_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / names.ORDERS_KEY).write_text(damage)
    prepare(tmp_path, 8080, SystemRandomness())
    assert re.fullmatch(r"[0-9a-f]{32}\n", (tmp_path / names.ORDERS_KEY).read_text())


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    key = tmp_path / names.ORDERS_KEY
    key.chmod(0o644)
    prepare(tmp_path, 8080, SystemRandomness())
    assert key.stat().st_mode & 0o777 == 0o600
