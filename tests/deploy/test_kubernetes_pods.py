"""What every pod is held to: rights, probes, resources, an orderly end, and no secret in sight."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.manifests import (
    CLUSTERS,
    NAMESPACE,
    SERVICES,
    Workload,
    cluster,
    plain_name,
    secret_data,
    strings,
)

PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+\.\d+\Z")
USER = 10001


def workloads() -> list[Any]:
    return [
        pytest.param(name, workload, id=f"{name}-{workload}")
        for name in CLUSTERS
        for workload in cluster(name).workloads()
    ]


def runs_a_service(workload: Workload) -> bool:
    return workload.service in SERVICES and workload.kind != "Job"


every_workload = pytest.mark.parametrize(("name", "workload"), workloads())
every_cluster = pytest.mark.parametrize("name", CLUSTERS)


@every_cluster
def test_the_namespace_enforces_the_restricted_profile(name: str) -> None:
    labels = cluster(name).named("Namespace", NAMESPACE)["metadata"]["labels"]
    for mode in ("enforce", "warn", "audit"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


@every_workload
def test_a_pod_runs_as_nobody_in_particular(name: str, workload: Workload) -> None:
    context = workload.pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == USER
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


@every_workload
def test_a_container_has_no_rights_and_a_root_that_it_cant_write(
    name: str, workload: Workload
) -> None:
    assert workload.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@every_workload
def test_a_pod_shares_nothing_with_its_machine(name: str, workload: Workload) -> None:
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(workload.pod)
    assert not any("hostPort" in port for port in workload.container.get("ports", []))
    assert not any("hostPath" in volume for volume in workload.volumes().values())


@every_workload
def test_a_pod_has_an_account_of_its_own_and_no_token_of_the_api(
    name: str, workload: Workload
) -> None:
    account = workload.pod["serviceAccountName"]
    assert account == workload.service
    assert workload.pod["automountServiceAccountToken"] is False
    made = cluster(name).named("ServiceAccount", account)
    assert made["automountServiceAccountToken"] is False


@every_workload
def test_no_variables_of_services_reach_a_program_whose_settings_are_variables(
    name: str, workload: Workload
) -> None:
    assert workload.pod["enableServiceLinks"] is False


@every_workload
def test_an_image_is_pinned_and_names_no_registry(name: str, workload: Workload) -> None:
    image = workload.container["image"]
    assert PINNED.fullmatch(image), image
    assert "." not in image.partition(":")[0]
    own = workload.service != "redis"
    assert not own or image == "zhongkong:0.1.0"


@every_workload
def test_a_container_asks_for_what_it_needs_and_may_not_eat_the_machine(
    name: str, workload: Workload
) -> None:
    resources = workload.container["resources"]
    assert {"cpu", "memory"} <= set(resources["requests"])
    assert mebibytes(resources["limits"]["memory"]) > mebibytes(resources["requests"]["memory"])
    assert "cpu" not in resources["limits"], "throttling is slower than sharing"


@every_workload
def test_temporary_files_are_bounded(name: str, workload: Workload) -> None:
    for volume in workload.volumes().values():
        if "emptyDir" in volume:
            assert mebibytes(volume["emptyDir"]["sizeLimit"]) > 0


@pytest.mark.parametrize(
    ("name", "workload"),
    [each for each in workloads() if runs_a_service(each.values[1])],
)
def test_probes_ask_what_they_are_for(name: str, workload: Workload) -> None:
    asked = {
        probe: workload.container[f"{probe}Probe"]["httpGet"]
        for probe in ("startup", "liveness", "readiness")
    }
    assert asked == {
        "startup": {"path": "/healthz", "port": "internal"},
        "liveness": {"path": "/healthz", "port": "internal"},
        "readiness": {"path": "/readyz", "port": "internal"},
    }


@every_workload
def test_what_stays_is_probed_on_ports_that_it_has(name: str, workload: Workload) -> None:
    probes = {key: value for key, value in workload.container.items() if key.endswith("Probe")}
    assert len(probes) == (0 if workload.kind == "Job" else 3)
    for probe in probes.values():
        how = probe.get("httpGet") or probe.get("tcpSocket")
        assert how is None or how["port"] in workload.ports


@every_workload
def test_no_variable_holds_a_secret(name: str, workload: Workload) -> None:
    for entry in workload.container.get("env", []):
        if "valueFrom" in entry:
            assert set(entry["valueFrom"]) == {"secretKeyRef"}
        else:
            hidden = re.search(r"(?i)(password|secret|key|token)$", entry["name"])
            assert hidden is None, entry["name"]
            login = re.search(r"://[^/@]*:(?P<password>[^/@]*)@", entry["value"])
            assert login is None or login["password"] == "$(REDIS_PASSWORD)"


@every_workload
def test_a_secret_file_is_readable_for_the_pods_group_alone(name: str, workload: Workload) -> None:
    for volume in workload.volumes().values():
        if "secret" in volume:
            assert volume["secret"]["defaultMode"] == 0o440


@every_cluster
def test_secrets_are_references_but_for_the_throw_away_ones_of_local(name: str) -> None:
    secrets = cluster(name).of("Secret")
    assert bool(secrets) == (name == "local")
    for secret in secrets:
        for key, value in secret_data(secret).items():
            assert "throwaway" in value.lower().replace("-", ""), key


@every_cluster
def test_no_secret_of_local_reaches_another_cluster(name: str) -> None:
    throw_away = {
        value.strip()
        for secret in cluster("local").of("Secret")
        for value in secret_data(secret).values()
    }
    shown = [text for each in cluster(name).manifests for text in strings(each)]
    if name != "local":
        assert not any(value in text for value in throw_away for text in shown)


@every_workload
def test_one_process_owns_a_sqlite_file(name: str, workload: Workload) -> None:
    """A second one is refused, so the old pod must have ended before the new one starts."""
    shared = any("persistentVolumeClaim" in each for each in workload.volumes().values())
    if shared and workload.kind == "Deployment":
        assert workload.spec["strategy"] == {"type": "Recreate"}
        assert workload.spec["replicas"] == 1


@pytest.mark.parametrize("name", ["single", "job", "local"])
def test_without_redis_there_is_one_replica_of_each(name: str) -> None:
    for workload in cluster(name).workloads():
        assert workload.kind == "Job" or workload.spec["replicas"] == 1
    assert cluster(name).of("HorizontalPodAutoscaler") == []


def test_ha_loses_no_service_with_one_machine() -> None:
    ha = cluster("ha")
    [scaler] = ha.of("HorizontalPodAutoscaler")
    replicas = {
        "token-service": ha.running("token-service").spec["replicas"],
        "callback-gateway": scaler["spec"]["minReplicas"],
    }
    for service, count in replicas.items():
        assert count >= 2
        workload = ha.running(service)
        keys = [each["topologyKey"] for each in workload.pod["topologySpreadConstraints"]]
        assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        for spread in workload.pod["topologySpreadConstraints"]:
            assert ha.selected(spread["labelSelector"]) == [workload]
        [budget] = [each for each in ha.of("PodDisruptionBudget") if names(each) == service]
        assert ha.selected(budget["spec"]["selector"]) == [workload]
        assert budget["spec"]["maxUnavailable"] < count


def test_the_autoscaler_and_nobody_else_counts_the_gateways() -> None:
    ha = cluster("ha")
    [scaler] = ha.of("HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    workload = ha.running("callback-gateway")
    assert (target["kind"], target["name"]) == (workload.kind, workload.name)
    assert "replicas" not in workload.spec, "an apply would undo what the autoscaler did"
    [metric] = scaler["spec"]["metrics"]
    assert metric["resource"]["name"] in workload.container["resources"]["requests"]


def test_a_new_token_service_is_ready_before_an_old_one_goes() -> None:
    strategy = cluster("ha").running("token-service").spec["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@every_cluster
def test_each_gateway_has_a_volume_that_outlives_its_pod(name: str) -> None:
    workload = cluster(name).running("callback-gateway")
    assert workload.kind == "StatefulSet"
    assert workload.spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"
    [claim] = workload.claim_templates
    [mount] = [
        each
        for each in workload.container["volumeMounts"]
        if each["name"] == claim["metadata"]["name"]
    ]
    assert mount["mountPath"] == "/var/lib/zhongkong"


def names(manifest: dict[str, Any]) -> str:
    return plain_name(manifest["metadata"]["name"])


def mebibytes(quantity: str) -> float:
    units = {"Mi": 1, "Gi": 1024}
    return float(quantity[:-2]) * units[quantity[-2:]]
