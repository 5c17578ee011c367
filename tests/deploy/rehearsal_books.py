"""What a rehearsal is judged by: the emulator's books, and the token service before it."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Child
from tests.fixtures.redis import HOST, free_port
from token_service.keys import digest_of_key

KEY: Final = "key-of-the-menu-worker-0000000001"
"""The menu worker's at the token service."""

_SECRET: Final = "0123456789abcdef0123456789abcdef"
_WRITES: Final = ("/menu/create", "/menu/delete", "/menu/addconditional", "/menu/delconditional")
_START_S: Final = 30.0


@dataclass(frozen=True)
class WeChat:
    """The emulator's books about one account, and the token service before it."""

    emulator: EmulatorProcess
    tokens_url: str
    account: str
    appid: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        url = f"{self.emulator.url}/_emulator{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def changes(self) -> list[dict[str, Any]]:
        """Every change of the account's menus that took effect, in order."""
        changes: list[dict[str, Any]] = self.control(
            "GET", f"/accounts/{self.appid}/menu-history?after=0&count=1000"
        )["changes"]
        return changes

    def buttons(self) -> Any:
        """What everybody sees; None without a menu."""
        return self.control("GET", f"/accounts/{self.appid}/menu-history")["now"]["button"]

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Requests about menus, in order; `since` leaves out so many of the first."""
        query = f"kind=request&appid={self.appid}&since=0&count=10000"
        entries = self.control("GET", f"/ledger?{query}")["entries"]
        return [each for each in entries if "menu" in each["path"]][since:]

    def writes(self, since: int = 0) -> list[str]:
        paths = [each["path"] for each in self.calls(since)]
        return [path for path in paths if path.endswith(_WRITES)]


@contextmanager
def wechats(folder: Path, *names: str) -> Iterator[dict[str, WeChat]]:
    """An emulator and a token service with an account of each name."""
    appids = {name: f"wx{number:016x}" for number, name in enumerate(names, 1)}
    accounts = [{"appid": appid, "secret": _SECRET} for appid in appids.values()]
    port = free_port()
    with ExitStack() as stack:
        emulator = stack.enter_context(emulator_process(folder, {"accounts": accounts}))
        (folder / "secret").write_text(_SECRET)
        config = folder / "token_service.yaml"
        config.write_text(json.dumps(_token_service(emulator.url, port, appids)))
        words = [sys.executable, "-m", "token_service", "run", "--config", str(config)]
        service = Child(words, environ=os.environ)
        stack.callback(service.kill)
        service.wait_for_line('"name":"internal"', timeout_s=_START_S)
        url = f"http://{HOST}:{port}"
        yield {name: WeChat(emulator, url, name, appid) for name, appid in appids.items()}


def _token_service(wechat_url: str, port: int, appids: dict[str, str]) -> dict[str, Any]:
    return {
        "listen": f"{HOST}:{port}",
        "internal_listen": f"{HOST}:{free_port()}",
        "store": "memory://",
        "wechat": {"base_urls": [wechat_url]},
        "accounts": [
            {"name": name, "appid": appid, "secret": {"file": "secret"}}
            for name, appid in appids.items()
        ],
        "clients": [
            {
                "name": "menus",
                "key_sha256": digest_of_key(KEY),
                "accounts": ["*"],
                "verbs": ["read", "report", "proxy"],
                "proxy_paths": ["/cgi-bin/menu/*", "/cgi-bin/get_current_selfmenu_info"],
            }
        ],
    }
