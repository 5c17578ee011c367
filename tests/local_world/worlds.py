"""Real local worlds on free ports, and what is left of them. What they must do is in the tests."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.fixtures.processes import Child
from zhongkong.local_world import names, plan

UP = [sys.executable, "-m", "zhongkong", "up"]
READY = "The local world is ready"
DEADLINE_S = 60.0
_LOOK_EVERY_S = 0.02
REAL = {"WECHAT_APPID", "WECHAT_SECRET"}
STORES = (names.STORE, names.INBOX, names.MENU_STORE)
_TRUSTED = {"SSL_CERT_FILE": os.devnull}
"""Nothing here is reached over TLS, and reading a system's authorities is a tenth of a start."""


class World:
    """One `zhongkong up`, started in `home`: emulated, unless `variables` name a real account."""

    def __init__(
        self,
        home: Path,
        base: int,
        *arguments: str,
        wrapper: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.base = base
        self.folder = home / "var" / "local" / f"{'real-' if variables else ''}{base}"
        argv = [*wrapper, *UP, "--port-base", str(base), *arguments]
        self.child = Child(argv, cwd=home, own_group=True, environ=environment(variables))

    def wait_until_ready(self) -> World:
        self.child.wait_for_line(READY, timeout_s=DEADLINE_S)
        self.child.wait_for_line("--key-file", timeout_s=DEADLINE_S)
        return self

    @property
    def welcome(self) -> str:
        """What was printed when it was ready, and after that."""
        return READY + self.child.output.partition(READY)[2]

    def line(self, text: str) -> str:
        """The first printed line that contains `text`."""
        return self.child.wait_for_line(text, timeout_s=DEADLINE_S).strip()

    def parts(self) -> list[int]:
        """The pids of its parts as they are now."""
        return children_of(self.child.pid)

    def reconcile(self) -> None:
        """Have the menu worker look at its file and at the live menu now, and put that right."""
        key = (self.folder / names.ADMIN_KEY).read_text(encoding="ascii").strip()
        url = f"{plan.url(self.base, 'menu worker, internal')}/v1/reconcile"
        request = Request(url, headers={"Authorization": f"Bearer {key}"}, method="POST")
        with urlopen(request, timeout=DEADLINE_S) as answer:
            [done] = json.load(answer)["accounts"]
        assert done["result"] in {"applied", "in_sync"}, done

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.child.send(number)
        return self.child.wait(DEADLINE_S)


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of the tests, but for the account that a developer may have set."""
    kept = {name: value for name, value in os.environ.items() if name not in REAL}
    return kept | _TRUSTED | dict(variables or {})


def _first_base() -> int:
    """Workers of one run have ports of their own, and other runs most likely others."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    # A world takes ports above its base, and others that are 1000 further up.
    return 18_000 + zlib.crc32(run.encode()) % 6 * 2_000 + worker % 5 * 200


_BASES = itertools.count(_first_base(), 5)


def free_base() -> int:
    """Where no port of a world is taken; each is given once."""
    for base in _BASES:
        if all(is_free(port) for port in plan.ports(base).values()):
            return base
    raise AssertionError("unreachable: the bases never end")


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a person gets who pastes the line into a shell that stands in `folder`."""
    words = ["/bin/sh", "-c", line]
    return subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(),
    )


def run_up(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail by itself."""
    return subprocess.run(
        [*UP, *arguments],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(),
    )


def control(port: int, method: str, path: str, body: object = None) -> Any:
    """One control call of the emulator on this port; its JSON."""
    sent = None if body is None else json.dumps(body).encode()
    request = Request(f"http://127.0.0.1:{port}/_emulator{path}", data=sent, method=method)
    with urlopen(request, timeout=DEADLINE_S) as answer:
        return json.load(answer)


def command_of(pid: int) -> str:
    """How a process was started."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds; fails after DEADLINE_S."""
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / _LOOK_EVERY_S)):
        if condition():
            return
        pause.wait(_LOOK_EVERY_S)
    raise AssertionError(f"in {DEADLINE_S} s it did not come true that {what}")


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields and int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def has_ended(pid: int) -> bool:
    """Whether nothing runs under this pid; one that nobody reaped has ended too.

    A process that is being killed shows as a zombie while other threads of it still hold its ports.
    """
    fields = _fields(Path(f"/proc/{pid}/stat"))
    threads = len(list(Path(f"/proc/{pid}/task").glob("[0-9]*")))
    return not fields or (fields[0] == "Z" and threads <= 1)


def nothing_is_left(world: World, parts: list[int]) -> None:
    """Fails when a part, a port or a half-written file of a world is left that has ended."""
    until(lambda: all(map(has_ended, parts)), "the parts ended")
    assert all(is_free(port) for port in plan.ports(world.base).values())
    assert list(world.folder.rglob("*.draft")) == []
    for store in filter(Path.exists, (world.folder / name for name in STORES)):
        with sqlite3.connect(store) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.close()


def it_ended_in_order(world: World) -> None:
    """Fails unless each of its services said that it stopped, those that others need last."""
    ends = [
        line.split()[0] for line in world.child.output.splitlines() if "process_stopped" in line
    ]
    assert ends == ["menu-worker", "callback-gateway", "token-service", "emulator"]


def _fields(stat: Path) -> list[str]:
    """State, parent and the rest: what follows the name, which may hold spaces."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []
