"""A pod's files in a folder: its ConfigMaps, Secrets and volumes, where the container sees them.

Paths in the configuration are those of the container; they are moved into the folder with the
files, and nothing else in them changes. What is then run there belongs to the tests.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.deploy.manifests import SERVICES, documented_secrets, plain_name, secret_data

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.deploy.manifests import Cluster, Manifest, Workload

SIGNING_SECRET: Final = "whsec_" + "A" * 43 + "="
_PLACEHOLDER: Final = re.compile(r"<sha256 of ([a-z.-]+)>")
_REFERENCE: Final = re.compile(r"\$\((\w+)\)")
_MODULES: Final = {name: name.replace("-", "_") for name in SERVICES} | {"zhongkong": "zhongkong"}

Keys = dict[str, str]
"""Values by the names of their files in keys/."""


@dataclass(frozen=True, slots=True)
class PodFiles:
    """One container, laid out. `module` is what Python runs of ours, else the program's name."""

    module: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path

    def inside(self, path: str) -> Path:
        """Where a path of the container is."""
        return self.folder / path.lstrip("/")


def sample_keys() -> Keys:
    """Values that the services accept, for every key that an operator makes."""
    names = ("admin", "metrics", "menus", "menus-plan", "orders")
    keys = {f"{name}.key": f"{name}-key-of-a-test-0000000001" for name in names}
    services = ("token-service", "callback-gateway", "menu-worker")
    keys |= {f"{name}.password": f"password0of0{name.replace('-', '0')}" for name in services}
    return keys | {
        "shop.secret": "secret-of-a-test-000000000000001",
        "shop.token": "tokenOfATest",
        "shop.aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "encryption.key": "encryption-key-of-a-test-00000000001",
        "opaque.key": "opaque-token-key-of-a-test-000000001",
        "trading.secret": SIGNING_SECRET,
        "users.acl": "user default on nopass ~* &* +@all",
    }


def lay_out(
    cluster: Cluster, workload: Workload, folder: Path, keys: Keys, *, filled: bool = True
) -> PodFiles:
    """Write what the container finds mounted.

    `filled`: digests of `keys` stand where make-keys.sh would have put them.
    """
    mounted = sorted(
        (mount["mountPath"], workload.volumes()[mount["name"]])
        for mount in workload.container["volumeMounts"]
    )
    paths = re.compile(rf"(?<![\w.])(?:{'|'.join(path for path, _ in mounted)})(?![\w.-])")
    for path, volume in mounted:
        place = folder / path.lstrip("/")
        place.mkdir(parents=True)
        for name, text in _files(cluster, volume, keys).items():
            moved = paths.sub(lambda found: f"{folder}{found[0]}", text)
            made = with_digests(moved, keys) if filled else moved
            (place / name).write_text(made, encoding="utf-8")
    program, *arguments = workload.container["command"]
    environ = _environ(workload, keys)
    config = {key: _moved(value, folder) for key, value in environ.items() if "CONFIG" in key}
    return PodFiles(
        module=_MODULES.get(program, program),
        arguments=tuple(_moved(each, folder) for each in arguments),
        environ=environ | config,
        folder=folder,
    )


def with_digests(text: str, keys: Keys) -> str:
    """The text with the digest of each key that it asks for; as make-keys.sh writes it."""
    return _PLACEHOLDER.sub(lambda found: hashlib.sha256(keys[found[1]].encode()).hexdigest(), text)


def _moved(argument: str, folder: Path) -> str:
    option, equals, path = argument.rpartition("=")
    return f"{option}{equals}{folder}{path}" if path.startswith("/") else argument


def _files(cluster: Cluster, volume: Manifest, keys: Keys) -> dict[str, str]:
    if "configMap" in volume:
        return dict(cluster.named("ConfigMap", volume["configMap"]["name"])["data"])
    if "secret" in volume:
        name = volume["secret"]["secretName"]
        made = [each for each in cluster.of("Secret") if each["metadata"]["name"] == name]
        if made:
            return secret_data(made[0])
        listed = documented_secrets()[plain_name(name)]
        items = {item["key"] for item in volume["secret"].get("items", [])}
        return {key: keys[key] for key in items or listed}
    return {}


def _environ(workload: Workload, keys: Keys) -> dict[str, str]:
    """The container's own variables, on top of what a program needs to be found at all."""
    found: dict[str, str] = {}
    for entry in workload.container.get("env", []):
        if "value" in entry:
            value = _REFERENCE.sub(lambda each: found[each[1]], entry["value"])
        else:
            value = keys[entry["valueFrom"]["secretKeyRef"]["key"]]
        found[entry["name"]] = value
    return {"PATH": os.environ["PATH"]} | found
