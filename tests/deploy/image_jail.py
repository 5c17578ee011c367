"""Runs programs in a built root as a container runtime would: another user, nothing to write to.

Two ways: with a mount namespace, where the root is read-only to everybody; and by permissions
alone, for machines that allow no mounts, where everything belongs to root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tests.fixtures.processes import Child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.deploy.image_build import Image

Way = Literal["mounts", "permissions"]

CONFIGS: Final = "etc/zhongkong"
SECRETS: Final = "run/secrets/zhongkong"
DATA: Final = "var/lib/zhongkong"
TIMEOUT_S: Final = 30.0
_MOUNTED: Final = """
set -eu
root=$1 configs=$2 secrets=$3 data=$4 user=$5
shift 5
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777,size=64m,nosuid,nodev tmpfs "$root/tmp"
mount --bind "$configs" "$root/etc/zhongkong"
mount -o remount,bind,ro "$root/etc/zhongkong"
mount --bind "$secrets" "$root/run/secrets/zhongkong"
mount -o remount,bind,ro "$root/run/secrets/zhongkong"
mount --bind "$data" "$root/var/lib/zhongkong"
for device in null zero random urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" "$@"
"""


def may_mount() -> bool:
    """Whether this machine lets us mount in a namespace of our own."""
    words = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(words, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


class Jail:
    """One root with configurations and secrets in their places; programs start in it."""

    def __init__(self, image: Image, way: Way, folder: Path, configs: Path, secrets: Path) -> None:
        """`folder` is scratch space; `configs` and `secrets` are folders of files."""
        self.image = image
        self.way = way
        self._given = (folder / "configs", folder / "secrets", folder / "data")
        for source, target in zip((configs, secrets), self._given[:2], strict=True):
            _lay(source, target)
        self._given[2].mkdir()
        os.chown(self._given[2], *map(int, image.user.split(":")))
        for name, source in zip((CONFIGS, SECRETS), self._given[:2], strict=True):
            (image.root / name).mkdir(parents=True, exist_ok=True)
            if way == "permissions":
                shutil.rmtree(image.root / name)
                _lay(source, image.root / name)

    def argv(self, command: Sequence[str], *, user: str | None = None) -> list[str]:
        """The words that run `command` inside; the process is the command's own from then on."""
        user = user or self.image.user
        root = str(self.image.root)
        if self.way == "permissions":
            return ["chroot", f"--userspec={user}", root, *command]
        given = [str(path) for path in self._given]
        return ["unshare", "--mount", "sh", "-c", _MOUNTED, "sh", root, *given, user, *command]

    def environ(self, further: Mapping[str, str]) -> dict[str, str]:
        return {**self.image.environ, **further}

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> Child:
        return Child(self.argv(command), environ=self.environ(environ), tail_lines=None)

    def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        user: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end; the output is text."""
        return subprocess.run(
            self.argv(command, user=user),
            check=False,
            env=self.environ(environ or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )


def _lay(source: Path, target: Path) -> None:
    """Copy files so that everybody may read and nobody but root may write them."""
    for path in [source, *source.rglob("*")]:
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            copy.chmod(0o755)
        else:
            shutil.copyfile(path, copy)
            copy.chmod(0o644)
