"""The Redis of the overlay ha on loopback, with its own redis.conf and the users of make-keys.sh.

What its users may do is said by test_kubernetes_redis.py.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import redis as redis_py
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.deploy.manifests import KUBERNETES, Cluster
from tests.deploy.pod_files import Keys, lay_out, sample_keys
from tests.fixtures.redis import HOST, RedisServer

if TYPE_CHECKING:
    from pathlib import Path


def made_keys(folder: Path) -> Keys:
    """As an operator gets them from make-keys.sh, which works on a copy in this folder."""
    shutil.copytree(KUBERNETES, folder, ignore=_made_before)
    subprocess.run(["/bin/sh", folder / "make-keys.sh"], check=True, capture_output=True)
    made = (folder / "keys").iterdir()
    texts = {path.name: path.read_text("utf-8").removesuffix("\n") for path in made}
    return sample_keys() | texts


def _made_before(folder: str, names: list[str]) -> list[str]:
    """What somebody who works on this checkout made for himself."""
    kept = {".gitignore", "kustomization.yaml"}
    return [name for name in names if folder.endswith("/keys") and name not in kept]


def redis_of(ha: Cluster, folder: Path, keys: Keys) -> RedisServer:
    """The server of the manifests, not yet started. What it keeps lies in the folder."""
    files = lay_out(ha, ha.running("redis"), folder, keys)
    # The newline at its end is cut off where keys are read, and Redis wants it.
    users = files.inside("/run/secrets/redis/users.acl")
    users.write_text(users.read_text("utf-8") + "\n", encoding="utf-8")
    config = files.inside("/etc/redis/redis.conf")
    return RedisServer(files.inside("/data"), options=("--include", str(config)))


def client_of(server: RedisServer, keys: Keys, user: str | None = None) -> redis_py.Redis:
    """A connection as a service makes it, as the probe does, or as nobody."""
    login: dict[str, Any] = {}
    if user is not None:
        login = {"username": user, "password": keys.get(f"{user}.password", "any")}
    return redis_py.Redis(
        host=HOST,
        port=server.port,
        socket_timeout=5,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        **login,
    )


def refusals(server: RedisServer, keys: Keys) -> dict[str, Any]:
    """How often the server has refused a command for want of a right, also inside of scripts."""
    with client_of(server, keys, "callback-gateway") as client:
        errors: dict[str, Any] = client.info("errorstats")
    return {name: count for name, count in errors.items() if name.endswith(("NOPERM", "NOAUTH"))}
