"""Who may reach whom: everything that is not listed here is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.manifests import CLUSTERS, SERVICES, cluster, selects
from tests.deploy.reachability import Peer, may_reach, ours, outside, pod_in

INGRESS = pod_in("ingress-nginx", ingress="true")
CLIENT = pod_in("orders", token_client="true")
HANDLER = pod_in("handlers", handler="true")
PROMETHEUS = pod_in("monitoring", monitoring="true")
STRANGER = pod_in("elsewhere")
DNS = pod_in("kube-system", pod={"k8s-app": "kube-dns"})
CACHES = (
    pod_in("kube-system", pod={"k8s-app": "node-local-dns"}),
    outside("169.254.20.10"),
)
WECHAT = outside("183.3.226.35")
METADATA = outside("169.254.169.254")
NEIGHBOUR = outside("10.1.2.3")
LABELLED = (INGRESS, CLIENT, HANDLER, PROMETHEUS)

# Between pods of ours, and from labelled namespaces: who, to whom, on which port.
INWARDS = {
    ("orders", "token-service", "http"),
    ("callback-gateway", "token-service", "http"),
    ("menu-worker", "token-service", "http"),
    ("ingress-nginx", "callback-gateway", "public"),
    ("monitoring", "token-service", "internal"),
    ("monitoring", "callback-gateway", "internal"),
    ("monitoring", "menu-worker", "internal"),
}
ADDED = {
    "single": set[tuple[str, str, str]](),
    "job": set[tuple[str, str, str]](),
    "ha": {(service, "redis", "redis") for service in SERVICES},
    "local": {
        ("token-service", "emulator", "http"),
        ("emulator", "callback-gateway", "public"),
    },
}

every_cluster = pytest.mark.parametrize("name", CLUSTERS)


def pods(name: str) -> list[Peer]:
    return [ours(workload) for workload in cluster(name).workloads()]


@every_cluster
def test_nobody_gets_in_but_who_is_named(name: str) -> None:
    sources = [*pods(name), *LABELLED, STRANGER, WECHAT, NEIGHBOUR]
    reached = {
        (source.name, target.name, port)
        for source in sources
        for target in pods(name)
        for port, number in target.ports.items()
        if source is not target and may_reach(cluster(name), source, target, number)
    }
    there = {target.name: target.ports for target in pods(name)}
    expected = {row for row in INWARDS | ADDED[name] if row[2] in there.get(row[1], {})}
    assert reached == expected


@every_cluster
def test_the_token_service_alone_reaches_the_internet_and_only_where_wechat_is(name: str) -> None:
    targets = (WECHAT, METADATA, NEIGHBOUR)
    reached = {
        (source.name, target.name, port)
        for source in pods(name)
        for target in targets
        for port in (80, 443, 6379)
        if may_reach(cluster(name), source, target, port)
    }
    assert reached == (set() if name == "local" else {("token-service", WECHAT.name, 443)})


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
        *("127.0.0.1", "0.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
        *("fd00::1", "fe80::1", "::1"),
    ],
)
def test_no_address_inside_counts_as_internet(address: str) -> None:
    source = ours(cluster("ha").running("token-service"))
    assert not may_reach(cluster("ha"), source, outside(address), 443)


@every_cluster
def test_the_gateway_reaches_handlers_and_nobody_else_does(name: str) -> None:
    reached = {
        (source.name, target.name)
        for source in pods(name)
        for target in (HANDLER, STRANGER, CLIENT)
        if may_reach(cluster(name), source, target, 8080)
    }
    assert reached == {("callback-gateway", "handlers")}


@every_cluster
def test_names_are_resolved_by_who_calls_names(name: str) -> None:
    asking = {
        source.name
        for source in pods(name)
        if may_reach(cluster(name), source, DNS, 53, "UDP")
        and may_reach(cluster(name), source, DNS, 53)
    }
    assert asking == {source.name for source in pods(name)} - {"redis"}
    assert not any(may_reach(cluster(name), source, DNS, 443) for source in pods(name))


@every_cluster
@pytest.mark.parametrize("cache", CACHES, ids=str)
def test_names_are_also_resolved_by_a_cache_on_the_machine(name: str, cache: Peer) -> None:
    for source in pods(name):
        asks = source.name != "redis"
        assert may_reach(cluster(name), source, cache, 53, "UDP") == asks
        assert not may_reach(cluster(name), source, cache, 80)


@every_cluster
def test_every_pod_is_denied_by_default_both_ways(name: str) -> None:
    assert any(
        policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        for policy in cluster(name).of("NetworkPolicy")
    )


@every_cluster
def test_every_policy_selects_a_pod_and_names_ports_that_exist(name: str) -> None:
    found = cluster(name)
    for policy in found.of("NetworkPolicy"):
        spec, title = policy["spec"], policy["metadata"]["name"]
        selected = found.selected(spec["podSelector"])
        assert selected, f"{title} selects nothing"
        for port in named_ports(spec.get("ingress")):
            assert any(port in workload.ports for workload in selected), f"{title}: {port}"
        for rule in spec.get("egress") or []:
            targets = [
                workload
                for peer in rule.get("to") or []
                if "podSelector" in peer and "namespaceSelector" not in peer
                for workload in found.selected(peer["podSelector"])
            ]
            for port in named_ports([rule]):
                assert any(port in workload.ports for workload in targets), f"{title}: {port}"


@every_cluster
def test_every_pod_that_a_policy_names_is_one_of_ours(name: str) -> None:
    found = cluster(name)
    for policy in found.of("NetworkPolicy"):
        for direction, ends in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction) or []:
                for peer in rule.get(ends) or []:
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        labels = [workload.labels for workload in found.workloads()]
                        assert any(selects(peer["podSelector"], each) for each in labels)


def named_ports(rules: list[dict[str, Any]] | None) -> set[str]:
    return {
        port["port"]
        for rule in rules or []
        for port in rule.get("ports") or []
        if isinstance(port["port"], str)
    }
