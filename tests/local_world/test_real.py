"""`zhongkong up --real`. An emulator that was started by itself plays the real WeChat."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from callback_gateway.settings import GatewaySettings
from menu_worker.settings import MenuWorkerSettings
from tests.fixtures.processes import Child
from tests.local_world.conftest import Up
from tests.local_world.worlds import (
    DEADLINE_S,
    World,
    command_of,
    control,
    environment,
    free_base,
    shell,
)
from token_service.settings import TokenServiceSettings
from zhongkong.local_world import names
from zhongkong.local_world.folder import prepare
from zhongkong.local_world.kept import FORMS
from zhongkong.local_world.plan import REAL_URL, RealWeChat
from zhongkong.local_world.real import real_wechat
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.settings import load
from zhongkong.runtime.startup import CannotStart

APPID = "wxfeed0123456789ab"
SECRET = "5ec2e7" * 5 + "5e"
VARIABLES = {"WECHAT_APPID": APPID, "WECHAT_SECRET": SECRET}
USER = "oRealUser0000000000000000001"
MENU = {"button": [{"type": "click", "name": "真的菜单", "key": "REAL"}]}


@dataclass(frozen=True)
class Platform:
    """What plays the real WeChat, on the port that a world of this base leaves free."""

    base: int
    home: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.base}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        return control(self.base, method, f"/accounts/{APPID}{path}", body)

    def calls(self, path: str) -> int:
        query = f"?kind=request&appid={APPID}&path={path}"
        return len(control(self.base, "GET", f"/ledger{query}")["entries"])

    def make_menu(self) -> None:
        """As somebody did long ago, with a tool of their own."""
        query = f"grant_type=client_credential&appid={APPID}&secret={SECRET}"
        token = call(f"{self.url}/cgi-bin/token?{query}")["access_token"]
        made = call(f"{self.url}/cgi-bin/menu/create?access_token={token}", MENU)
        assert made["errcode"] == 0


def call(url: str, body: object = None) -> Any:
    sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    with urlopen(url, sent, timeout=DEADLINE_S) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("home")
    base = free_base()
    account = {"appid": APPID, "secret": SECRET, "users": [{"openid": USER}]}
    (home / "wechat.yaml").write_text(json.dumps({"accounts": [account]}))
    words = [sys.executable, "-m", "zhongkong", "emulator", "--port", str(base)]
    child = Child([*words, "--config", "wechat.yaml"], cwd=home, environ=environment())
    try:
        child.wait_for_line("Control calls", timeout_s=DEADLINE_S)
        platform = Platform(base, home)
        platform.make_menu()
        yield platform
    finally:
        child.kill()


@pytest.fixture(scope="module")
def world(platform: Platform, unreachable: World) -> Iterator[World]:
    """A world before that platform. Nothing but the variables says that it is no emulated one."""
    started = begun(platform)
    try:
        yield started.wait_until_ready()
    finally:
        started.child.kill()


@pytest.fixture(scope="module")
def unreachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that finds no platform, for which it takes some seconds: others run meanwhile."""
    base = free_base()
    words = ("--wechat-url", f"http://127.0.0.1:{base}")
    started = World(tmp_path_factory.mktemp("home"), base, *words, variables=VARIABLES)
    try:
        yield started
    finally:
        started.child.kill()


def begun(platform: Platform, *arguments: str) -> World:
    words = ("--wechat-url", platform.url, *arguments)
    return World(platform.home, platform.base, *words, variables=VARIABLES)


@pytest.mark.slow
def test_a_message_is_answered_once_the_console_has_what_the_welcome_names(
    platform: Platform, world: World
) -> None:
    token, aes_key = (
        shell(world.line(f"cat {world.folder / name}").split("  ")[-1], world.folder).stdout.strip()
        for name in (names.CALLBACK_TOKEN, names.CALLBACK_AES_KEY)
    )
    url = f"http://127.0.0.1:{world.base + 2}/callback/shop"
    assert "https://YOUR-TUNNEL/callback/shop" in world.welcome
    platform.ask("PUT", "/callback", {"url": url, "token": token, "aes_key": aes_key})

    platform.ask("POST", "/pushes?wait_s=20", {"user": USER, "text": "买入"})

    said = platform.ask("GET", f"/users/{USER}/feed")["entries"][-1]
    assert "已买入 1 手" in said["content"]["content"]


@pytest.mark.slow
def test_the_app_secret_is_in_no_file_and_known_to_the_token_service_alone(world: World) -> None:
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert files
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    knowing = [pid for pid in world.parts() if SECRET.encode() in environ_of(pid)]
    assert [" token_service run" in command_of(pid) for pid in knowing] == [True]
    assert not any(SECRET in command_of(pid) for pid in world.parts())
    assert SECRET not in world.child.output


def environ_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.slow
def test_no_key_is_printed(world: World) -> None:
    kept = {name for name in FORMS if (world.folder / name).exists()}
    assert kept == set(FORMS) - {names.APP_SECRET}
    for name in kept:
        assert (world.folder / name).read_text().strip() not in world.child.output


@pytest.mark.slow
def test_a_live_menu_is_left_alone_until_a_person_imports_it(
    platform: Platform, world: World, tmp_path: Path
) -> None:
    """The last that uses this world: it ends it."""
    assert [part for part in map(command_of, world.parts()) if "menu_worker" in part] == []
    assert list((world.folder / names.MENUS).iterdir()) == []
    tokens_before = platform.calls("/cgi-bin/stable_token")

    done = shell(world.line("menu_worker import"), tmp_path)
    assert done.returncode == 0, done.stderr
    imported = yaml.safe_load((world.folder / names.MENU).read_text("utf-8"))
    assert imported == {"account": "shop", **MENU}

    world.end()
    again = begun(platform)
    try:
        again.wait_until_ready()
        assert "The menu isn't live" not in again.welcome
        assert any("menu_worker" in command_of(pid) for pid in again.parts())
    finally:
        again.child.kill()
    assert len(platform.ask("GET", "/menu-history")["changes"]) == 1
    assert platform.calls("/cgi-bin/stable_token") == tokens_before


@pytest.mark.slow
def test_a_platform_that_cannot_be_reached_is_no_reason_not_to_start(unreachable: World) -> None:
    """Nor is one that refuses: the allowlist is seldom right at first, and the status says so."""
    assert unreachable.wait_until_ready().end() == 0


def test_half_an_account_ends_the_start_with_one_line(
    up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WECHAT_SECRET", SECRET)
    assert up() == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("WECHAT_APPID is not set")
    assert SECRET not in line
    assert list(tmp_path.iterdir()) == []


def decided(variables: dict[str, str], *, wanted: bool | None) -> RealWeChat | None:
    return real_wechat(variables, wanted=wanted, url=REAL_URL, plaintext=False)


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({}, "WECHAT_APPID and WECHAT_SECRET are not set"),
        ({"WECHAT_APPID": APPID}, "WECHAT_SECRET is not set"),
        ({"WECHAT_SECRET": SECRET}, "WECHAT_APPID is not set"),
        ({"WECHAT_APPID": APPID, "WECHAT_SECRET": " "}, "WECHAT_SECRET is not set"),
    ],
)
def test_what_is_missing_of_an_account_is_named(variables: dict[str, str], missing: str) -> None:
    with pytest.raises(CannotStart, match=missing):
        decided(variables, wanted=True)


def test_the_variables_decide_unless_the_command_line_does() -> None:
    assert decided(VARIABLES, wanted=None) == RealWeChat(APPID)
    assert decided(VARIABLES, wanted=False) is None
    assert decided({}, wanted=None) is None


@pytest.mark.parametrize("appid", ["wx 1", 'wx"', "w" * 65, "微信"])
def test_an_appid_that_is_none_is_refused_without_showing_it(appid: str) -> None:
    with pytest.raises(CannotStart, match="WECHAT_APPID is no AppID") as refused:
        decided({"WECHAT_APPID": appid, "WECHAT_SECRET": SECRET}, wanted=None)
    assert appid not in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [("--wechat-url", "https://api.weixin.qq.com", "--plaintext"), ("--wechat-url", "x")],
)
def test_what_is_for_the_real_wechat_is_misuse_without_it(
    up: Up, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert up(*arguments) == 64
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_stored_of_a_real_account_is_forgotten(tmp_path: Path) -> None:
    stores = [tmp_path / name for name in (names.STORE, names.INBOX, names.MENU_STORE)]
    for store in stores:
        store.write_text("what it knows")
    assert prepare(tmp_path, 8080, SystemRandomness(), RealWeChat(APPID)) is None
    assert all(store.read_text() == "what it knows" for store in stores)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (RealWeChat(APPID), RealWeChat("wx0000000000000000")),
        (RealWeChat(APPID), None),
        (None, RealWeChat(APPID)),
    ],
)
def test_a_folder_serves_one_account_alone(
    tmp_path: Path, first: RealWeChat | None, then: RealWeChat | None
) -> None:
    """Else one account's menu, tokens and history would reach another."""
    prepare(tmp_path, 8080, SystemRandomness(), first)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    with pytest.raises(CannotStart, match="--folder names another place"):
        prepare(tmp_path, 8080, SystemRandomness(), then)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_the_files_for_a_real_account_are_good_configurations(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness(), RealWeChat(APPID, plaintext=True))
    tokens = load(
        TokenServiceSettings, tmp_path / names.TOKEN_SERVICE_CONFIG, VARIABLES, prefix="X"
    ).settings
    [account] = tokens.accounts
    assert (account.appid, account.secret.reveal()) == (APPID, SECRET)
    assert tokens.wechat.base_urls == (REAL_URL,)
    gateway = load(GatewaySettings, tmp_path / names.CALLBACK_GATEWAY_CONFIG, {}, prefix="X")
    [served] = gateway.settings.accounts
    assert (served.appid, served.original_id, served.mode) == (APPID, None, "plaintext")
    worker = load(MenuWorkerSettings, tmp_path / names.MENU_WORKER_CONFIG, {}, prefix="X")
    assert worker.settings.on_drift == "report"
    assert not (tmp_path / names.EMULATOR_CONFIG).exists()
