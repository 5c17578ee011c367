"""How long the service takes from its start to ready, with a live token in its store.

No WeChat listens: whatever is served comes from the store.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from tests.bench import machine
from token_service.keys import digest_of_key
from token_service.slot import Call, Cause, Kind, Mode, Slot, TokenRecord, version_of
from token_service.stores.codec import Sealer
from token_service.stores.open import open_token_store
from zhongkong.runtime.clock import SystemClock, SystemRandomness

APPID = "wx0123456789abcdef"
KEY = "0123456789abcdefghijklmnopqrstuv"
_GIVE_UP_S = 20.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench start_to_ready")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_store_token(Path(folder)))
        took = sorted(_start(Path(folder)) for _ in range(options.rounds))
    print(f"start_to_ready: {options.rounds} starts, on {machine.describe()}")
    print(f"  median {median(took):.2f} s ({took[0]:.2f}-{took[-1]:.2f}; at most 1 s, then 0.5 s)")
    return 0


async def _store_token(folder: Path) -> None:
    clock = SystemClock()
    slot = Slot(APPID, Kind.ACCESS_TOKEN, Mode.STABLE)
    store = await open_token_store(
        "sqlite:///tokens.db",
        base=folder,
        clock=clock,
        randomness=SystemRandomness(),
        sealer=Sealer(),
    )
    grant = await store.acquire(slot, "bench", floor=0, ttl_s=15)
    assert grant is not None
    now = clock.now()
    version = version_of(APPID, slot.kind, "t" * 136)
    record = TokenRecord(
        value="t" * 136,
        version=version,
        issued_at=now,
        expires_at=now + 7200,
        fetched_at=now,
        fence=grant.lease.fence,
        call=Call.NORMAL,
        cause=Cause.MISSING,
    )
    await store.begin(slot, grant.lease, Call.NORMAL, Cause.MISSING, lands_within_s=15, ttl_s=15)
    await store.commit(slot, grant.lease, record)
    await store.close()


def _start(folder: Path) -> float:
    """Seconds from the start of the process to 200 from /readyz with a token to be had."""
    port, internal_port = _free_port(), _free_port()
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    (folder / "token_service.yaml").write_text(f"""
listen: 127.0.0.1:{port}
internal_listen: 127.0.0.1:{internal_port}
store: sqlite:///tokens.db
wechat: {{base_urls: ["http://127.0.0.1:{_free_port()}"]}}
accounts: [{{name: shop, appid: {APPID}, secret: {{file: secret}}}}]
clients: [{{name: orders, key_sha256: {digest_of_key(KEY)}, accounts: [shop]}}]
""")
    command = [sys.executable, "-m", "token_service", "run", "--config"]
    began = time.perf_counter()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, str(folder / "token_service.yaml")],
            stdout=log,
            stderr=log,
            env={**os.environ},
        )
    try:
        _wait_for(internal_port, "/readyz", began, process)
        _wait_for(port, "/v1/accounts/shop/tokens/access_token", began, process)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_GIVE_UP_S)


def _wait_for(port: int, path: str, began: float, process: subprocess.Popen[bytes]) -> None:
    while time.perf_counter() - began < _GIVE_UP_S and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise RuntimeError(f"{path} did not answer 200")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
