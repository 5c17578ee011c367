"""The servers of the benchmark `gateway`, each a process on the server's core until a block ends.

Redis, where a gateway has one, runs on the other core, beside the load.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Literal

from tests.bench.duel import process
from tests.bench.gateway_messages import ACCOUNT, AES_KEY, APPID, TOKEN
from tests.bench.gateway_stored import stored_in_redis, stored_in_sqlite
from tests.fixtures.redis import RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.bench.gateway_volley import Answer

_START_S = 20.0
_LOOK_EVERY_S = 0.02
_SINK_SECRET = "whsec_" + "c2luayBvZiB0aGUgYmVuY2htYXJrIGdhdGV3YXk="


@dataclass(frozen=True)
class Server:
    """One that is loaded. `stored` counts the events in its store, where it has one."""

    port: int
    process_id: int
    answer: Answer
    stored: Callable[[], int] | None = None
    helpers: tuple[int, ...] = ()
    """Processes that work for it on the other core."""


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside stays on that core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def other_server(module: str, answer: Answer, core: int) -> Iterator[Server]:
    """A module that prints its port and serves until its input ends."""
    with ExitStack() as stack:
        with on_core(core):
            words, pid = stack.enter_context(process(module))
        yield Server(int(words[0]), pid, answer)


@contextmanager
def gateway_on_sqlite(folder: Path, core: int) -> Iterator[Server]:
    """`durability: disk`: every answer waits for the disk."""
    folder.mkdir()
    settings = {"store": "sqlite:///events.db", "durability": "disk"}
    with _gateway(folder, settings, core, lambda: stored_in_sqlite(folder / "events.db")) as it:
        yield it


@contextmanager
def gateway_on_redis(
    folder: Path,
    appendfsync: Literal["everysec", "always"],
    core: int,
    redis_core: int,
    sink_port: int | None = None,
) -> Iterator[Server]:
    """A gateway and a Redis of its own. With a sink, every event is delivered there as well."""
    folder.mkdir()
    redis = RedisServer(folder / "redis", appendfsync=appendfsync)
    with on_core(redis_core):
        redis.start()
    settings: dict[str, object] = {
        "store": redis.url,
        "durability": "process" if appendfsync == "everysec" else "disk",
    }
    if sink_port is not None:
        url, secret = f"http://127.0.0.1:{sink_port}/", {"file": "sink_secret"}
        settings["targets"] = {"sink": {"url": url, "secret": secret}}
        settings["routes"] = [{"match": {}, "notify": "sink"}]
        (folder / "sink_secret").write_text(_SINK_SECRET)
    try:
        with (
            redis.client() as client,
            _gateway(folder, settings, core, lambda: stored_in_redis(client)) as it,
        ):
            yield replace(it, helpers=(redis.child.pid,))
    finally:
        redis.kill()


@contextmanager
def _gateway(
    folder: Path, settings: Mapping[str, object], core: int, stored: Callable[[], int]
) -> Iterator[Server]:
    """The product as it is started, with one account in safe mode."""
    port, internal_port = free_port(), free_port()
    (folder / "token").write_text(TOKEN)
    (folder / "aes_key").write_text(AES_KEY)
    account = {
        "name": ACCOUNT,
        "appid": APPID,
        "tokens": [{"file": "token"}],
        "aes_keys": [{"file": "aes_key"}],
        "mode": "safe",
    }
    config = folder / "callback_gateway.yaml"
    document = {
        "listen": f"127.0.0.1:{port}",
        "internal_listen": f"127.0.0.1:{internal_port}",
        "accounts": [account],
        "routes": [],
        **settings,
    }
    config.write_text(json.dumps(document))
    words = [sys.executable, "-m", "callback_gateway", "run", "--config", str(config)]
    with (folder / "log").open("wb") as log, on_core(core):
        child = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        _wait_until_ready(internal_port, child, folder / "log")
        yield Server(port, child.pid, "success", stored)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=_START_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_ready(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.perf_counter() + _START_S
    while time.perf_counter() < until and child.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(_LOOK_EVERY_S)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the gateway did not become ready:\n{tail}")
