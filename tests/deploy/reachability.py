"""Who may reach whom under a set of NetworkPolicies, by the rules of the Kubernetes documentation.

A pod that a policy selects for a direction may do in that direction only what some policy allows. A
connection needs the consent of both ends; an end outside of our namespace always gives it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.deploy.manifests import NAMESPACE, selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.deploy.manifests import Cluster, Manifest, Workload

_NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: a pod with its namespace, or an address outside of the cluster."""

    name: str
    namespace: Mapping[str, str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    address: str | None = None

    @property
    def is_ours(self) -> bool:
        return self.namespace is not None and self.namespace[_NAME_OF_NAMESPACE] == NAMESPACE

    def __str__(self) -> str:
        return self.name


def ours(workload: Workload) -> Peer:
    """A pod of one of our workloads."""
    here = {_NAME_OF_NAMESPACE: NAMESPACE}
    return Peer(workload.service, here, workload.labels, workload.ports)


def pod_in(namespace: str, *, pod: Mapping[str, str] | None = None, **labels: str) -> Peer:
    """A pod elsewhere; `labels` are those that its namespace has under zhongkong.io/."""
    own = {f"zhongkong.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return Peer(namespace, {_NAME_OF_NAMESPACE: namespace} | own, pod or {})


def outside(address: str) -> Peer:
    return Peer(address, address=address)


def may_reach(
    cluster: Cluster, source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Whether `source` can open a connection to this port of `target`."""
    policies = cluster.of("NetworkPolicy")
    return _lets(policies, "Egress", source, target, target, port, protocol) and _lets(
        policies, "Ingress", target, source, target, port, protocol
    )


def _lets(
    policies: Iterable[Manifest],
    direction: str,
    own: Peer,
    other: Peer,
    target: Peer,
    port: int,
    protocol: str,
) -> bool:
    if not own.is_ours:
        return True
    specs = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], own.labels)
    ]
    rules = [rule for spec in specs for rule in spec.get(direction.lower()) or []]
    return not specs or any(
        _names_peer(rule, direction, other) and _names_port(rule, target, port, protocol)
        for rule in rules
    )


def _names_peer(rule: Mapping[str, Any], direction: str, other: Peer) -> bool:
    peers = rule.get("to" if direction == "Egress" else "from")
    return not peers or any(_is_peer(peer, other) for peer in peers)


def _is_peer(peer: Mapping[str, Any], other: Peer) -> bool:
    if block := peer.get("ipBlock"):
        return other.address is not None and _in_block(block, other.address)
    if other.namespace is None:
        return False
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], other.namespace)
    else:
        there = other.is_ours
    return there and selects(peer.get("podSelector") or {}, other.labels)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found in ipaddress.ip_network(block["cidr"]) and not any(
        found in ipaddress.ip_network(each) for each in block.get("except", [])
    )


def _names_port(rule: Mapping[str, Any], target: Peer, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        each.get("protocol", "TCP") == protocol
        and (target.ports.get(each["port"]) if isinstance(each["port"], str) else each["port"])
        == port
        for each in ports
    )
