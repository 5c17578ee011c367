"""The world of deploy/compose, run from a built root: Redis, the emulator and the three services.

Commands and configuration are compose's own; what differs are the addresses, since all of them
share this machine's loopback here.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

from tests.deploy.image_jail import Jail, Way
from tests.fixtures.redis import HOST, RedisServer, free_port
from zhongkong.runtime.clock import SystemClock

if TYPE_CHECKING:
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


class ImageWorld:
    """All of it, running; a context manager."""

    def __init__(self, image: Image, way: Way, folder: Path) -> None:
        """`folder` is empty scratch space."""
        made = folder / "made"
        make_world(made)
        configs = folder / "together"
        configs.mkdir()
        for each in (made / "config").iterdir():
            subprocess.run(["cp", "-r", f"{each}/.", str(configs)], check=True)
        (folder / "jail").mkdir()
        self.jail = Jail(image, way, folder / "jail", configs, made / "secrets")
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
        return self.jail.start(words, self._addresses(name))

    def _addresses(self, name: str) -> dict[str, str]:
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
        return {f"{prefix}__{key}": value for key, value in own.items()}


def wait_until_well(address: str, child: Child) -> None:
    """Ask until the answer is 200. Raises AssertionError with the child's output."""
    clock, pause = SystemClock(), threading.Event()
    deadline = clock.monotonic() + READY_WITHIN_S
    while clock.monotonic() < deadline and child.running:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            pause.wait(_LOOK_EVERY_S)
    raise AssertionError(f"{address} did not answer 200:\n{child.output}")


def _internal(name: str) -> str:
    return f"{name}, internal"
