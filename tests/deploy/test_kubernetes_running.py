"""The manifests at work: each pod's program is started on the files that its pod would find.

There is no cluster here: mounted paths lie in a folder, names of Services are addresses of
loopback, and the store of the overlay ha is a real Redis with its own redis.conf and its own users,
which is not left to a second replica at first, for there is none.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.manifests import ROOT, SERVICES, Cluster, cluster, secret_data
from tests.deploy.monitored import until
from tests.deploy.pod_files import Keys, PodFiles, lay_out
from tests.deploy.redis_of_ha import made_keys, redis_of, refusals
from tests.fixtures.processes import Child, Launch
from tests.fixtures.redis import HOST, free_port
from tests.fixtures.warm import warm

APPID = "wx0123456789abcdef"
SAID_WHEN_STARTED = {
    "emulator": '"name":"emulator"',
    "token-service": '"event":"token_refreshed"',
    "callback-gateway": '"name":"internal"',
    "menu-worker": '"event":"menus_verified"',
}
LOADED = (
    "callback_gateway.app",
    "callback_gateway.cli",
    "callback_gateway.inbox.redis",
    "callback_gateway.inbox.sqlite",
    "menu_worker.app",
    "menu_worker.cli",
    "menu_worker.store.sqlite",
    "token_service.app",
    "token_service.cli",
    "token_service.stores.redis",
    "token_service.stores.sqlite",
    "uvloop",
    "zhongkong.cli",
    "zhongkong.emulator.server",
    "zhongkong.runtime.lifecycle",
    "zhongkong.runtime.redis",
)
ASKS_AT_ONCE = {"token-service": "emulator", "menu-worker": "token-service"}
"""Whom a service asks when it starts; without an answer it tries again only seconds later."""


@dataclass
class Running:
    """Pods as processes. `at` leads from a Service's name and port to where it listens."""

    folder: Path
    keys: Keys
    launch: Launch
    at: dict[tuple[str, int], int] = field(default_factory=dict)
    pods: dict[str, Child] = field(default_factory=dict)

    def start(self, found: Cluster, service: str, **environ: str) -> None:
        if service in ASKS_AT_ONCE:
            self.wait(ASKS_AT_ONCE[service])
        files = self.files(found, service)
        words = [sys.executable, "-m", files.module, *map(self.led, files.arguments)]
        given = {key: self.led(value) for key, value in files.environ.items()} | environ
        self.pods[service] = Child(words, cwd=ROOT, environ=given, launch=self.launch)

    def files(self, found: Cluster, service: str) -> PodFiles:
        """The pod's files, with addresses of loopback in them."""
        workload = found.running(service)
        for port in workload.ports.values():
            self.at.setdefault((service, port), free_port())
        files = lay_out(found, workload, self.folder / service, self.keys)
        for path in files.folder.rglob("*.yaml"):
            path.write_text(self.led(path.read_text("utf-8")), encoding="utf-8")
        return files

    def led(self, text: str) -> str:
        for (service, port), here in self.at.items():
            text = re.sub(rf"(?:\b{service}|0\.0\.0\.0):{port}\b", f"{HOST}:{here}", text)
            text = text.replace("--host=0.0.0.0", f"--host={HOST}")
            text = text.replace(f"--port={port}", f"--port={here}")
        return text

    def wait(self, service: str) -> None:
        self.pods[service].wait_for_line(SAID_WHEN_STARTED[service], timeout_s=60)

    def is_ready(self, service: str, port: int) -> bool:
        url = f"http://{HOST}:{self.at[service, port]}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return int(answer.status) == 200
        except OSError:
            return False

    def push(self, **what: str) -> dict[str, Any]:
        """A user does something in the chat; what comes back is told by the emulator."""
        here = self.at["emulator", 8080]
        request = urllib.request.Request(
            f"http://{HOST}:{here}/_emulator/accounts/{APPID}/pushes?wait_s=20",
            data=json.dumps(what).encode(),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Where the programs of the pods come from."""
    with warm(*LOADED) as launch:
        yield launch


@contextmanager
def running(folder: Path, keys: Keys, launch: Launch) -> Iterator[Running]:
    with ExitStack() as stack:
        world = Running(folder, keys, launch)
        stack.callback(lambda: [child.kill() for child in world.pods.values()])
        # Every name must lead somewhere before the first file is written.
        for name in ("local", "ha"):
            for workload in cluster(name).workloads():
                for port in workload.ports.values():
                    world.at.setdefault((workload.service, port), free_port())
        yield world


def throw_away() -> Keys:
    secrets = cluster("local").of("Secret")
    return {key: value for each in secrets for key, value in secret_data(each).items()}


def assert_at_work(world: Running) -> None:
    for service in world.pods:
        world.wait(service)
    for service, port in zip(SERVICES, (9081, 9082, 9083), strict=True):
        until(partial(world.is_ready, service, port), f"{service} is ready")
    answered = world.push(text="help")
    assert answered["outcome"] == "answered", answered
    for service in SERVICES:
        world.pods[service].send(signal.SIGTERM)
    for service in SERVICES:
        assert world.pods[service].wait(30) == 0, world.pods[service].output


@pytest.mark.slow
def test_the_overlay_local_needs_nothing_but_the_image(tmp_path: Path, launch: Launch) -> None:
    local = cluster("local")
    with running(tmp_path, {}, launch) as world:
        for service in ("emulator", "callback-gateway", "token-service", "menu-worker"):
            world.start(local, service)
        assert_at_work(world)


@pytest.mark.slow
def test_the_overlay_ha_works_with_the_users_of_its_redis(tmp_path: Path, launch: Launch) -> None:
    ha = cluster("ha")
    keys = made_keys(tmp_path / "kubernetes") | throw_away()
    with running(tmp_path, keys, launch) as world:
        server = redis_of(ha, tmp_path / "redis", keys)
        server.start()
        try:
            world.at["redis", 6379] = server.port
            world.start(cluster("local"), "emulator")
            wechat = f'["http://{HOST}:{world.at["emulator", 8080]}"]'
            here = {"WECHAT__BASE_URLS": wechat, "ROTATION__RESEED_GRACE": "0s"}
            world.start(ha, "callback-gateway")
            world.start(ha, "token-service", **{f"TOKEN_SERVICE__{k}": v for k, v in here.items()})
            world.start(ha, "menu-worker")
            assert_at_work(world)
            said = "\n".join(child.output for child in world.pods.values())
            assert "durability_in_doubt" not in said
            assert refusals(server, keys) == {}
        finally:
            server.kill()
