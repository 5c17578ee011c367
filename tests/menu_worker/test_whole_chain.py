"""Real processes from end to end: the worker, the token service, the emulated WeChat."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Child, Launch
from tests.fixtures.redis import free_port
from tests.fixtures.warm import warm

APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
KEY = "menus-key-0123456789abcdefghijklmn"
LOADED = ("menu_worker.app", "menu_worker.cli", "token_service.app", "token_service.cli", "uvloop")
_WITHIN_S = 60.0

pytestmark = pytest.mark.slow


class Chain:
    """The configuration in a folder, and what runs on it."""

    def __init__(self, folder: Path, emulator: EmulatorProcess, launch: Launch) -> None:
        self._folder = folder
        self._emulator = emulator
        self._launch = launch
        self._children: list[Child] = []
        (folder / "secret").write_text(SECRET)
        (folder / "key").write_text(KEY)
        tokens = free_port()
        self._write(
            "token_service.yaml",
            {
                "listen": f"127.0.0.1:{tokens}",
                "internal_listen": f"127.0.0.1:{free_port()}",
                "store": "sqlite:///tokens.db",
                "wechat": {"base_urls": [emulator.url]},
                "accounts": [{"name": "shop", "appid": APPID, "secret": {"file": "secret"}}],
                "clients": [
                    {
                        "name": "menus",
                        "key_sha256": hashlib.sha256(KEY.encode()).hexdigest(),
                        "accounts": ["shop"],
                        "verbs": ["read", "report", "proxy"],
                        "proxy_paths": [
                            "/cgi-bin/menu/*",
                            "/cgi-bin/get_current_selfmenu_info",
                        ],
                    }
                ],
            },
        )
        self._write(
            "menu_worker.yaml",
            {
                "internal_listen": f"127.0.0.1:{free_port()}",
                "store": "sqlite:///menus.db",
                "token_service": {
                    "url": f"http://127.0.0.1:{tokens}",
                    "key": {"file": "key"},
                },
                "menus": ["shop.yaml"],
                "interval": "10s",
            },
        )

    def desire(self, key: str) -> None:
        button = {"type": "click", "name": "买入", "key": key}
        beside = self._folder / "shop.yaml.new"
        beside.write_text(json.dumps({"account": "shop", "button": [button]}))
        beside.replace(self._folder / "shop.yaml")

    def start(self, module: str, ready: str) -> Child:
        child = self._begin(module, "run")
        child.wait_for_line(ready, timeout_s=_WITHIN_S)
        return child

    def command(self, *words: str, code: int = 0) -> str:
        """What the menu worker's command prints, which ends with this exit code."""
        child = self._begin("menu_worker", *words)
        assert child.wait(_WITHIN_S) == code, child.output
        return child.output

    def writes(self) -> int:
        """How often WeChat was told to create the menu."""
        url = f"{self._emulator.url}/_emulator/ledger?kind=request&appid={APPID}&since=0&count=1000"
        with urlopen(url, timeout=_WITHIN_S) as answer:
            entries = json.load(answer)["entries"]
        return sum(entry["path"] == "/cgi-bin/menu/create" for entry in entries)

    def end(self) -> None:
        for child in self._children:
            child.kill()

    def _begin(self, module: str, *words: str) -> Child:
        config = f"{self._folder}/{module}.yaml"
        argv = [sys.executable, "-m", module, *words, "--config", config]
        child = Child(argv, tail_lines=None, launch=self._launch)
        self._children.append(child)
        return child

    def _write(self, name: str, document: object) -> None:
        (self._folder / name).write_text(json.dumps(document, indent=1))


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    setup = {"accounts": [{"appid": APPID, "secret": SECRET}]}
    with warm(*LOADED) as launch, emulator_process(tmp_path / "emulator", setup) as emulator:
        made = Chain(tmp_path, emulator, launch)
        try:
            yield made
        finally:
            made.end()


def test_a_menu_goes_from_a_file_to_wechat_and_stays_there(chain: Chain) -> None:
    chain.desire("BUY_IN")
    chain.start("token_service", '"token_refreshed"')
    assert "+ 买入  BUY_IN" in chain.command("plan", code=2)

    worker = chain.start("menu_worker", '"menus_verified"')
    chain.command("plan", code=0)
    chain.desire("BUY_MORE")
    worker.wait_for_line('"revision":2', timeout_s=_WITHIN_S)
    assert "BUY_MORE" in chain.command("import")

    worker.send(signal.SIGKILL)
    worker.wait(_WITHIN_S)
    worker = chain.start("menu_worker", '"menus_verified"')
    assert chain.writes() == 2, "a restart onto a verified menu writes nothing"
    worker.send(signal.SIGTERM)
    assert worker.wait(_WITHIN_S) == 0
    assert KEY not in worker.output
    assert '"level":"error"' not in worker.output

    chain.command("rollback", "2", code=0)
    assert "BUY_IN" in chain.command("import")
    history = json.loads(chain.command("history", "--json"))["revisions"]
    assert [each["outcome"] for each in history] == ["verified"] * 3
