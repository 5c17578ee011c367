"""The manifests of deploy/kubernetes as they are committed in rendered/, and what stands in them.

A cluster here is what an operator applies together: the services and the menu, each rendered on
its own. Which invariants hold is said by the tests; who may reach whom is in reachability.py.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
RENDERED: Final = {
    "single": "overlays/single",
    "ha": "overlays/ha",
    "local": "overlays/local",
    "menu-single": "menu/single",
    "menu-ha": "menu/ha",
    "menu-job": "menu/job",
}
"""Each file of rendered/ and the folder that it is rendered from."""

CLUSTERS: Final = {
    "single": ("single", "menu-single"),
    "job": ("single", "menu-job"),
    "ha": ("ha", "menu-ha"),
    "local": ("local",),
}
"""What is applied together."""

NAMESPACE: Final = "zhongkong"
NAME_LABEL: Final = "app.kubernetes.io/name"
SERVICES: Final = ("token-service", "callback-gateway", "menu-worker")

Manifest = dict[str, Any]

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "Job"})
_GENERATED: Final = re.compile(r"-[a-z0-9]{10}\Z")


@dataclass(frozen=True, slots=True)
class Workload:
    """Whatever makes pods. Each of ours has one container."""

    manifest: Manifest

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def spec(self) -> Manifest:
        return dict(self.manifest["spec"])

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        return dict(self.spec["template"]["metadata"]["labels"])

    @property
    def service(self) -> str:
        """Which program its pods run."""
        return self.labels[NAME_LABEL]

    @property
    def pod(self) -> Manifest:
        return dict(self.spec["template"]["spec"])

    @property
    def container(self) -> Manifest:
        [container] = self.pod["containers"]
        return dict(container)

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", [])}

    @property
    def claim_templates(self) -> list[Manifest]:
        return list(self.spec.get("volumeClaimTemplates", []))

    def volumes(self) -> dict[str, Manifest]:
        """By name; a claim of a template is a volume like any other."""
        given = {volume["name"]: volume for volume in self.pod.get("volumes", [])}
        for claim in self.claim_templates:
            given[claim["metadata"]["name"]] = {"volumeClaimTemplate": claim}
        return given

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything that one operator has applied."""

    name: str
    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def named(self, kind: str, name: str) -> Manifest:
        [found] = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def names(self, kind: str) -> set[str]:
        return {manifest["metadata"]["name"] for manifest in self.of(kind)}

    def workloads(self) -> list[Workload]:
        return [Workload(each) for each in self.manifests if each["kind"] in _WORKLOADS]

    def running(self, service: str) -> Workload:
        """The workload whose pods run this program."""
        [found] = [workload for workload in self.workloads() if workload.service == service]
        return found

    def selected(self, selector: Mapping[str, Any]) -> list[Workload]:
        """The workloads whose pods a label selector takes."""
        return [each for each in self.workloads() if selects(selector, each.labels)]

    def config_map(self, generated: str) -> dict[str, str]:
        """The files of the ConfigMap that was generated under this name."""
        [found] = [
            each
            for each in self.of("ConfigMap")
            if plain_name(each["metadata"]["name"]) == generated
        ]
        return dict(found["data"])


@cache
def rendered(name: str) -> tuple[Manifest, ...]:
    """The manifests of one file of rendered/."""
    text = (KUBERNETES / "rendered" / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(each for each in yaml.load_all(text, yaml.CSafeLoader) if each)


@cache
def cluster(name: str) -> Cluster:
    """One of CLUSTERS."""
    return Cluster(name, tuple(each for part in CLUSTERS[name] for each in rendered(part)))


def plain_name(name: str) -> str:
    """The name without the digest that kustomize appends."""
    return _GENERATED.sub("", name)


def secret_data(manifest: Manifest) -> dict[str, str]:
    """The values of a Secret, decoded."""
    return {key: b64decode(value).decode() for key, value in manifest.get("data", {}).items()}


@cache
def documented_secrets() -> dict[str, set[str]]:
    """What keys/kustomization.yaml lists: every Secret and its keys."""
    text = (KUBERNETES / "keys" / "kustomization.yaml").read_text(encoding="utf-8")
    generators = yaml.safe_load(text)["secretGenerator"]
    return {each["name"]: set(each["files"]) for each in generators}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; the empty one takes all."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_fits(rule, labels) for rule in selector.get("matchExpressions") or [])


def strings(value: Any) -> Iterator[str]:
    """Every text in a manifest, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def _fits(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    found, operator = labels.get(rule["key"]), rule["operator"]
    if operator == "In":
        return found in rule["values"]
    if operator == "NotIn":
        return found not in rule["values"]
    if operator == "Exists":
        return found is not None
    assert operator == "DoesNotExist", operator
    return found is None
