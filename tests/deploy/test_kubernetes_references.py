"""Every name that a manifest speaks leads to something that is there."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.deploy.manifests import (
    CLUSTERS,
    KUBERNETES,
    NAME_LABEL,
    ROOT,
    SERVICES,
    Cluster,
    Workload,
    cluster,
    documented_secrets,
    plain_name,
)
from tests.deploy.reachability import may_reach, ours, pod_in

BY_HAND = {"callback-gateway-tls"}
"""Made with the host name's certificate; deploy/kubernetes/README.md says how."""

every_cluster = pytest.mark.parametrize("name", CLUSTERS)


def secrets_asked_for(workload: Workload) -> set[tuple[str, str | None]]:
    """Each Secret by name, with the key where one is named."""
    asked: set[tuple[str, str | None]] = set()
    for volume in workload.volumes().values():
        if "secret" in volume:
            items = volume["secret"].get("items") or [{"key": None}]
            asked |= {(volume["secret"]["secretName"], item["key"]) for item in items}
    for entry in workload.container.get("env", []):
        if "valueFrom" in entry:
            reference = entry["valueFrom"]["secretKeyRef"]
            asked.add((reference["name"], reference["key"]))
    return asked


def secrets_there(found: Cluster) -> dict[str, set[str]]:
    made = {each["metadata"]["name"]: set(each["data"]) for each in found.of("Secret")}
    return made or documented_secrets()


@every_cluster
def test_every_secret_that_is_asked_for_is_documented(name: str) -> None:
    found = cluster(name)
    there = secrets_there(found)
    for workload in found.workloads():
        for secret, key in secrets_asked_for(workload):
            assert secret in there, f"{workload} asks for {secret}"
            assert key is None or key in there[secret], f"{workload} asks for {secret}/{key}"


def test_every_documented_secret_is_asked_for() -> None:
    asked = {
        secret
        for name in ("single", "ha")
        for workload in cluster(name).workloads()
        for secret, _ in secrets_asked_for(workload)
    }
    assert set(documented_secrets()) == asked | {"zhongkong-metrics"}


@every_cluster
def test_every_file_of_a_secret_that_a_configuration_names_is_in_the_pods_secret(name: str) -> None:
    found = cluster(name)
    there = secrets_there(found)
    for workload in found.workloads():
        mounted = {
            file
            for volume in workload.volumes().values()
            if "secret" in volume
            for file in there[volume["secret"]["secretName"]]
        }
        for volume in workload.volumes().values():
            if "configMap" not in volume:
                continue
            texts = found.named("ConfigMap", volume["configMap"]["name"])["data"].values()
            for text in texts:
                named = set(re.findall(r"/run/secrets/zhongkong/([\w.-]+)", text))
                assert named <= mounted, f"{workload} has no {named - mounted}"


@every_cluster
def test_every_config_map_that_is_mounted_is_there_under_a_name_of_its_content(name: str) -> None:
    found = cluster(name)
    for workload in found.workloads():
        for volume in workload.volumes().values():
            if "configMap" in volume:
                given = volume["configMap"]["name"]
                assert given in found.names("ConfigMap"), given
                assert given != plain_name(given), "a change must be a rollout"


@every_cluster
def test_every_config_map_is_mounted(name: str) -> None:
    found = cluster(name)
    mounted = {
        volume["configMap"]["name"]
        for workload in found.workloads()
        for volume in workload.volumes().values()
        if "configMap" in volume
    }
    assert found.names("ConfigMap") == mounted


@every_cluster
def test_every_mount_has_its_volume_and_every_volume_is_mounted(name: str) -> None:
    for workload in cluster(name).workloads():
        mounted = {mount["name"] for mount in workload.container["volumeMounts"]}
        assert mounted == set(workload.volumes()), str(workload)


@every_cluster
def test_every_claim_is_there_and_belongs_to_one_workload(name: str) -> None:
    found = cluster(name)
    claimed = [
        volume["persistentVolumeClaim"]["claimName"]
        for workload in found.workloads()
        for volume in workload.volumes().values()
        if "persistentVolumeClaim" in volume
    ]
    assert sorted(claimed) == sorted(found.names("PersistentVolumeClaim"))


@every_cluster
def test_every_service_leads_to_a_port_of_pods_of_one_workload(name: str) -> None:
    found = cluster(name)
    for service in found.of("Service"):
        [workload] = found.selected({"matchLabels": service["spec"]["selector"]})
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in workload.ports
            assert workload.ports[port["targetPort"]] == port["port"]


@every_cluster
def test_no_service_leads_to_an_internal_listener(name: str) -> None:
    ports = [port for each in cluster(name).of("Service") for port in each["spec"]["ports"]]
    assert "internal" not in {port["targetPort"] for port in ports}


@every_cluster
def test_a_stateful_set_has_the_service_that_it_names(name: str) -> None:
    found = cluster(name)
    for manifest in found.of("StatefulSet"):
        assert manifest["spec"]["serviceName"] in found.names("Service")


@every_cluster
def test_a_workload_selects_its_own_pods_and_nobody_elses(name: str) -> None:
    found = cluster(name)
    for workload in found.workloads():
        if workload.kind != "Job":
            assert found.selected(workload.spec["selector"]) == [workload]


@every_cluster
def test_every_address_in_a_configuration_is_a_service_of_this_cluster(name: str) -> None:
    found = cluster(name)
    served = {
        (service["metadata"]["name"], port["port"])
        for service in found.of("Service")
        for port in service["spec"]["ports"]
    }
    texts = [text for each in found.of("ConfigMap") for text in each["data"].values()]
    texts += [
        entry.get("value", "")
        for workload in found.workloads()
        for entry in workload.container.get("env", [])
    ]
    addresses = re.findall(r"(?:http|redis)://(?:[^\s/@]*@)?([a-z-]+):(\d+)", "\n".join(texts))
    assert addresses
    assert {(host, int(port)) for host, port in addresses} <= served


@pytest.mark.parametrize("name", ["single", "job", "ha"])
def test_the_ingress_lets_callbacks_in_and_nothing_else_under_tls(name: str) -> None:
    found = cluster(name)
    [ingress] = found.of("Ingress")
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/callback/", "Prefix")
    backend = path["backend"]["service"]
    service = found.named("Service", backend["name"])
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    [tls] = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]]
    assert tls["secretName"] in BY_HAND


def test_the_redis_of_ha_can_be_applied_before_the_rest() -> None:
    """As docs/operations.md does on the way from single to ha: by its label."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert "kubectl apply -k overlays/ha -l app.kubernetes.io/name=redis" in page
    single, ha = cluster("single"), cluster("ha")
    added = [
        each
        for each in ha.manifests
        if each["metadata"].get("labels", {}).get(NAME_LABEL) == "redis"
    ]
    between = Cluster("between", (*single.manifests, *added))
    redis = between.running("redis")
    assert redis.pod == ha.running("redis").pod
    assert {"redis"} <= between.names("Service") & between.names("ServiceAccount")
    mounted = {
        volume["configMap"]["name"] for volume in redis.volumes().values() if "configMap" in volume
    }
    assert mounted <= between.names("ConfigMap")
    token_service = ours(between.running("token-service"))
    assert may_reach(between, token_service, ours(redis), redis.ports["redis"])
    assert not may_reach(between, pod_in("elsewhere"), ours(redis), redis.ports["redis"])


MONITORS = ROOT / "deploy" / "monitoring" / "pod-monitors.yaml"


@pytest.mark.parametrize("name", ["single", "ha", "local"])
def test_every_pod_monitor_finds_its_pods_their_port_and_its_key(name: str) -> None:
    found = cluster(name)
    monitors = [each for each in yaml.safe_load_all(MONITORS.read_text("utf-8")) if each]
    assert {monitor["metadata"]["name"] for monitor in monitors} == set(SERVICES)
    for monitor in monitors:
        [workload] = found.selected(monitor["spec"]["selector"])
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert endpoint["port"] in workload.ports
            key = endpoint["authorization"]["credentials"]
            assert key["key"] in documented_secrets()[key["name"]]


def test_what_is_made_by_hand_is_explained() -> None:
    page = (KUBERNETES / "README.md").read_text(encoding="utf-8")
    assert all(name in page for name in BY_HAND)
