"""A menu's rollout, played without a cluster: `kubectl apply`, `rollout status`, `rollout undo`.

    python -m tests.deploy.rehearsal

The Deployment of deploy/kubernetes/menu runs as real processes before an emulated WeChat: a folder
for each menu, as a ConfigMap with a hash in its name; the old worker ends before the new one starts
(Recreate); a worker that ends is started again; it is ready when /readyz says so, and a rollout
that isn't ready by its deadline has failed. Images, nodes and networks are not played.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer
import yaml

from tests.deploy.rehearsal_books import KEY, WeChat, wechats
from tests.fixtures.processes import Child, Launch, spawn
from tests.fixtures.redis import HOST, free_port
from token_service.keys import digest_of_key
from zhongkong.runtime.clock import SystemClock

MENU_FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes" / "menu"
LOOK_EVERY_S: Final = 0.05
"""More often than a kubelet looks, so that a moment of false readiness is seen."""

GIVEN_UP: Final = tuple(
    f'"{event}"'
    for event in ("plan_refused", "menu_not_applied", "menu_untouched", "desired_refused")
)
"""What is tried again by itself only after the deadline, if at all …"""

LOOK_ON_S: Final = 1.0
"""… so that of the time left only so much is played."""

_START_S: Final = 30.0
_CLOCK: Final = SystemClock()

Menu = str | list[dict[str, Any]]
"""Buttons, or what stands in the file whatever it is."""


@dataclass(frozen=True)
class Verdict:
    """What `kubectl rollout status` would end with. Times in Unix seconds."""

    revision: int
    ready_at: float | None
    readiness: tuple[int, ...]
    """The statuses of /readyz as they came; 0 where nobody listened."""
    restarts: int
    log: str = field(repr=False)

    @property
    def live(self) -> bool:
        return self.ready_at is not None


class Pod:
    """The worker on the files that are mounted now."""

    def __init__(self, config: Path, port: int, command: Sequence[str], launch: Launch) -> None:
        self._launch = launch
        self._argv = [sys.executable, "-m", command[0].replace("-", "_"), *command[1:]]
        self._environ = os.environ | {"MENU_WORKER_CONFIG": str(config)}
        self._url = f"http://{HOST}:{port}/readyz"
        self._said: list[str] = []
        self._child = self._start()
        self.restarts = 0

    @property
    def log(self) -> str:
        return "\n".join([*self._said, self._child.output])

    def tend(self) -> None:
        """Start the container again when it has ended, whatever it ended with."""
        if not self._child.running:
            self._child.wait()
            self._said.append(self._child.output)
            self._child = self._start()
            self.restarts += 1

    def readiness(self) -> int:
        try:
            with urllib.request.urlopen(self._url, timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
        except OSError:
            return 0

    def terminate(self, grace_s: float) -> None:
        """SIGTERM; raises TimeoutExpired when the grace was not enough."""
        self._child.send(signal.SIGTERM)
        self._child.wait(grace_s)

    def wait_for_line(self, text: str) -> None:
        """Until its container of now has printed it."""
        self._child.wait_for_line(text, timeout_s=_START_S)

    def kill(self) -> None:
        """SIGKILL. May be repeated."""
        self._child.kill()

    def _start(self) -> Child:
        return Child(self._argv, environ=self._environ, tail_lines=None, launch=self._launch)


class Rollouts:
    """The Deployment of one account's worker: its revisions, its volume, its pod."""

    def __init__(self, folder: Path, wechat: WeChat, launch: Launch = spawn) -> None:
        self._launch = launch
        self._folder = folder
        self._wechat = wechat
        self._port = free_port()
        self._spec = manifest("base/deployment.yaml")["spec"]
        assert self._spec["strategy"] == {"type": "Recreate"}
        assert self._spec["replicas"] == 1
        self._pod_spec = self._spec["template"]["spec"]
        [container] = self._pod_spec["containers"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        self._command: list[str] = container["command"]
        self._pod: Pod | None = None
        self.revisions: list[Path] = []
        """The ConfigMap of each, the newest last."""
        self._mount = folder / "srv-menus"
        self._config = folder / "menu_worker.yaml"
        self._write_config()

    def apply(self, menu: Menu, during: Callable[[Pod], None] | None = None) -> Verdict:
        """`kubectl apply` and `rollout status`. `during` gets the pod at every look."""
        return self._roll_out(self._config_map(menu), during)

    def restart(self) -> Verdict:
        """`kubectl rollout restart`: another pod on the same menu."""
        return self._roll_out(self.revisions[-1])

    def undo(self) -> Verdict:
        """`kubectl rollout undo`: the revision before, as a new one."""
        return self._roll_out(self.revisions[-2])

    def run_job(self, menu: Menu) -> int:
        """The pod of a Job, to its end, in place of the Deployment's; the exit code."""
        spec = manifest("job/job.yaml")["spec"]
        [container] = spec["template"]["spec"]["containers"]
        self._remount(self._config_map(menu))
        job = Child(
            [sys.executable, "-m", "menu_worker", *container["command"][1:]],
            environ=os.environ | {"MENU_WORKER_CONFIG": str(self._config)},
            launch=self._launch,
        )
        try:
            return job.wait(spec["activeDeadlineSeconds"])
        finally:
            job.kill()

    def wait_for_line(self, text: str) -> None:
        """Until the pod of now has printed it."""
        assert self._pod is not None
        self._pod.wait_for_line(text)

    def kill(self) -> None:
        """End what runs, at once. May be repeated."""
        if self._pod is not None:
            self._pod.kill()

    def _roll_out(self, menus: Path, during: Callable[[Pod], None] | None = None) -> Verdict:
        if self._pod is not None:
            self._pod.terminate(self._pod_spec["terminationGracePeriodSeconds"])
        self._remount(menus)
        self.revisions.append(menus)
        self._pod = pod = Pod(self._config, self._port, self._command, self._launch)
        ready_at, readiness = self._watch(pod, during)
        return Verdict(len(self.revisions), ready_at, readiness, pod.restarts, pod.log)

    def _watch(
        self, pod: Pod, during: Callable[[Pod], None] | None
    ) -> tuple[float | None, tuple[int, ...]]:
        """Look until it is ready or the deadline has come."""
        deadline = _CLOCK.monotonic() + self._spec["progressDeadlineSeconds"]
        readiness: list[int] = []
        pause, given_up = threading.Event(), False
        while _CLOCK.monotonic() < deadline:
            pod.tend()
            readiness.append(pod.readiness())
            if readiness[-1] == 200:
                return _CLOCK.now(), tuple(readiness)
            if not given_up and any(word in pod.log for word in GIVEN_UP):
                given_up, deadline = True, _CLOCK.monotonic() + LOOK_ON_S
            if during is not None:
                during(pod)
            pause.wait(LOOK_EVERY_S)
        return None, tuple(readiness)

    def _config_map(self, menu: Menu) -> Path:
        """Equal menus are one; a pod sees it under the same path whatever its name is."""
        text = menu if isinstance(menu, str) else self._file_of(menu)
        folder = self._folder / f"menus-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        folder.mkdir(exist_ok=True)
        (folder / "shop.yaml").write_text(text, encoding="utf-8")
        return folder

    def _file_of(self, buttons: list[dict[str, Any]]) -> str:
        document = {"account": self._wechat.account, "button": buttons}
        return yaml.safe_dump(document, allow_unicode=True)

    def _remount(self, menus: Path) -> None:
        self._mount.unlink(missing_ok=True)
        self._mount.symlink_to(menus)

    def _write_config(self) -> None:
        """The one that is deployed, with what only a cluster has replaced."""
        settings = yaml.safe_load((MENU_FOLDER / "desired" / "menu_worker.yaml").read_text("utf-8"))
        assert settings["menus"] == ["/srv/menus/*.yaml"]
        (self._folder / "menus.key").write_text(KEY)
        here = {
            "internal_listen": f"{HOST}:{self._port}",
            "admin_key_sha256": digest_of_key("admin-key-of-a-rehearsal-00000001"),
            "metrics_key_sha256": digest_of_key("metrics-key-of-a-rehearsal-000001"),
            "store": f"sqlite:///{self._folder / 'volume.db'}",
            "token_service": {"url": self._wechat.tokens_url, "key": {"file": "menus.key"}},
            "menus": [f"{self._mount}/*.yaml"],
        }
        self._config.write_text(yaml.safe_dump(settings | here), encoding="utf-8")


def manifest(path: str) -> dict[str, Any]:
    """The first document of a file below deploy/kubernetes/menu."""
    documents = yaml.safe_load_all((MENU_FOLDER / path).read_text("utf-8"))
    found: dict[str, Any] = next(iter(documents))
    return found


def click(name: str, key: str) -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}


def _play(folder: Path) -> bool:
    """A first menu, another one, one that WeChat refuses, and back; tells what came of each."""
    first, second = [click("买入", "BUY_IN")], [click("买入", "BUY_MORE")]
    refused = [{"type": "media_id", "name": "图片", "media_id": "nobody-uploaded-this"}]
    with wechats(folder, "shop") as found:
        rollouts = Rollouts(folder, found["shop"])
        try:
            verdicts = [rollouts.apply(menu) for menu in (first, second, refused)]
            verdicts.append(rollouts.undo())
        finally:
            rollouts.kill()
        for verdict in verdicts:
            word = "the menu is live" if verdict.live else "failed: the deadline has passed"
            typer.echo(f"revision {verdict.revision}: {word}")
        for change in found["shop"].changes():
            typer.echo(f"WeChat: {change['act']} {json.dumps(change['after']['button'])}")
    return [verdict.live for verdict in verdicts] == [True, True, False, True]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return 0 if _play(Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
