"""The world of deploy/compose, run from a built root: Redis, the emulator and the three services.

Commands and configuration are compose's own; what differs are the addresses, since all of them
share this machine's loopback here, and that nothing waits for replicas that there are none of.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

from tests.deploy.image_jail import Jail, Way
from tests.fixtures.redis import HOST, RedisServer, free_port
from zhongkong.runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.deploy.image_build import Image
    from tests.fixtures.processes import Child

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE: Final = ROOT / "deploy/compose"
SERVICES: Final = ("token-service", "callback-gateway", "menu-worker")
READY_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.05


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def make_world(folder: Path, *arguments: str, answer: str = "") -> None:
    """What make-keys.sh makes, in `folder`. `answer` is typed when it asks."""
    subprocess.run(
        ["sh", str(COMPOSE / "make-keys.sh"), "--into", str(folder), *arguments],
        check=True,
        input=answer,
        text=True,
        capture_output=True,
    )


def make_jails(image: Image, ways: Iterable[Way], folder: Path) -> dict[Way, Jail]:
    """The root in each way, with what make-keys.sh makes. `folder` is empty scratch space.

    By permissions alone it lies in the root itself, so that way comes before one that mounts.
    """
    made = folder / "made"
    make_world(made)
    configs = folder / "together"
    for each in (made / "config").iterdir():
        shutil.copytree(each, configs, dirs_exist_ok=True)
    return {way: Jail(image, way, folder / way, configs, made / "secrets") for way in ways}


class ImageWorld:
    """All of it, running; a context manager."""

    def __init__(self, jail: Jail, folder: Path) -> None:
        self.jail = jail
        self.redis = RedisServer(folder / "redis", appendfsync="always")
        self.children: dict[str, Child] = {}
        self._services = compose()["services"]
        self._ports = {
            name: free_port() for name in ("emulator", *SERVICES, *map(_internal, SERVICES))
        }

    def __enter__(self) -> Self:
        try:
            self.redis.start()
            for together in (("emulator", "token-service", "callback-gateway"), ("menu-worker",)):
                for name in together:
                    self.children[name] = self._start(name)
                for name in together:
                    wait_until_well(self.health_address(name), self.children[name])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children.values():
            child.kill()
        self.redis.kill()

    def health_address(self, name: str) -> str:
        """What the health check of this service asks in compose, at the address here."""
        path = self._services[name]["environment"]["ZHONGKONG_HEALTH_URL"].split("/", 3)[3]
        port = self._ports[name if name == "emulator" else _internal(name)]
        return f"http://{HOST}:{port}/{path}"

    def ask_emulator(self, path: str, body: object = None) -> Any:
        """One call to the emulator; its JSON."""
        data = None if body is None else json.dumps(body).encode()
        address = f"http://{HOST}:{self._ports['emulator']}{path}"
        with urllib.request.urlopen(address, data, timeout=20) as answer:
            return json.load(answer)

    def stop(self, name: str) -> int:
        """Send the image's stop signal; the exit code. Raises TimeoutExpired when compose would."""
        child = self.children[name]
        child.send(signal.Signals[self.jail.image.stop_signal])
        return child.wait(float(self._services[name]["stop_grace_period"].removesuffix("s")))

    def _start(self, name: str) -> Child:
        at = f"--port={self._ports['emulator']}"
        swapped = {"--port=8080": at, "--host=0.0.0.0": f"--host={HOST}"}
        words = [swapped.get(word, word) for word in self._services[name]["command"]]
        return self.jail.start(words, self._settings(name))

    def _settings(self, name: str) -> dict[str, str]:
        at = {key: f"{HOST}:{port}" for key, port in self._ports.items()}
        if name == "emulator":
            url = f"http://{at['callback-gateway']}/callback/shop"
            return {"ZHONGKONG_EMULATOR__ACCOUNTS__0__CALLBACK__URL": url}
        prefix = name.upper().replace("-", "_")
        own = {"STORE": self.redis.url, "INTERNAL_LISTEN": at[_internal(name)]}
        if name == "menu-worker":
            own["TOKEN_SERVICE__URL"] = f"http://{at['token-service']}"
        else:
            own["LISTEN"] = at[name]
        if name == "token-service":
            own["WECHAT__BASE_URLS__0"] = f"http://{at['emulator']}"
            own["ROTATION__RESEED_GRACE"] = "0s"
        return {f"{prefix}__{key}": value for key, value in own.items()}


def wait_until_well(address: str, child: Child) -> None:
    """Ask until the answer is 200. Raises AssertionError with the child's output."""
    clock, pause = SystemClock(), threading.Event()
    deadline = clock.monotonic() + READY_WITHIN_S
    while clock.monotonic() < deadline and child.running:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:  # no answer, none in time, or one with another status
            pause.wait(_LOOK_EVERY_S)
    raise AssertionError(f"{address} did not answer 200:\n{child.output}")


def _internal(name: str) -> str:
    return f"{name}, internal"
