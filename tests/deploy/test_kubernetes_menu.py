"""The menu as a rollout: its ConfigMap, its gate, its way back, and the Job in its place."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from menu_worker.cli import main
from menu_worker.setbacks import FIRST_PAUSE_S
from tests.deploy.manifests import KUBERNETES, cluster, plain_name

MENUS = sorted((KUBERNETES / "menu" / "desired" / "menus").iterdir())
ROUTES = {
    "of config/": KUBERNETES / "config" / "callback_gateway.yaml",
    "of local": KUBERNETES / "overlays" / "local" / "callback_gateway.yaml",
}
rollouts = pytest.mark.parametrize("name", ["single", "ha", "local"])


@pytest.mark.parametrize("name", ["single", "ha", "local", "job"])
def test_every_menu_of_the_folder_is_mounted_as_it_is(name: str) -> None:
    assert cluster(name).config_map("menus") == {
        path.name: path.read_text("utf-8") for path in MENUS
    }


@pytest.mark.parametrize("routes", ROUTES)
def test_the_menu_is_one_that_wechat_takes_and_every_key_is_handled(
    capsys: pytest.CaptureFixture[str], routes: str
) -> None:
    code = main(["validate", *map(str, MENUS), "--routes", str(ROUTES[routes])])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "warning" not in said.out + said.err


@rollouts
def test_a_menu_is_looked_for_where_it_is_mounted(name: str) -> None:
    found = cluster(name)
    workload = found.running("menu-worker")
    [mount] = [each for each in workload.container["volumeMounts"] if each["name"] == "menus"]
    [config] = found.config_map("menu-worker-config").values()
    assert yaml.safe_load(config)["menus"] == [f"{mount['mountPath']}/*.yaml"]


@rollouts
def test_the_old_worker_ends_before_the_new_one_starts(name: str) -> None:
    spec = cluster(name).running("menu-worker").spec
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@rollouts
def test_a_rollout_is_given_up_before_a_refused_menu_is_tried_again(name: str) -> None:
    spec = cluster(name).running("menu-worker").spec
    assert 120 < spec["progressDeadlineSeconds"] < FIRST_PAUSE_S


@rollouts
def test_what_undo_needs_is_kept(name: str) -> None:
    found = cluster(name)
    assert found.running("menu-worker").spec["revisionHistoryLimit"] >= 2
    for config_map in found.of("ConfigMap"):
        mine = plain_name(config_map["metadata"]["name"]) in {"menus", "menu-worker-config"}
        labels = config_map["metadata"]["labels"]
        assert (labels.get("zhongkong.io/menu-revision") == "true") == mine


def test_a_job_ends_and_is_not_repeated_for_nothing() -> None:
    job = cluster("job").running("menu-worker")
    assert job.container["command"] == ["menu-worker", "apply"]
    assert job.pod["restartPolicy"] == "Never"
    assert job.spec["backoffLimit"] <= 1
    assert 120 < job.spec["activeDeadlineSeconds"] < FIRST_PAUSE_S
    assert job.spec["ttlSecondsAfterFinished"] > 0


def test_a_job_and_a_worker_are_the_same_pod_but_for_what_they_run() -> None:
    job, worker = cluster("job").running("menu-worker"), cluster("single").running("menu-worker")
    asked = {"ports", "startupProbe", "livenessProbe", "readinessProbe", "command"}
    assert {key: value for key, value in worker.container.items() if key not in asked} == {
        key: value for key, value in job.container.items() if key != "command"
    }
    assert {key: value for key, value in worker.pod.items() if key != "containers"} == {
        key: value for key, value in job.pod.items() if key not in {"containers", "restartPolicy"}
    }


# -------------------------------------------------------------------------------- pruning

STAND_IN = """#!/usr/bin/env python3
import json, os, sys
world = json.load(open(os.environ["WORLD"]))
words = sys.argv[1:]
assert words[:2] == ["-n", "zhongkong"], words
if words[2] == "get":
    if words[3] not in world:
        sys.exit("the server can't be reached")
    print("\\n".join(world[words[3]]), end="")
elif words[2:4] == ["delete", "configmap"]:
    open(os.environ["WORLD"] + ".deleted", "a").write(words[4] + "\\n")
else:
    sys.exit(f"what is {words}?")
"""


def prune(folder: Path, world: dict[str, list[str]]) -> tuple[int, list[str]]:
    """The script's exit code, and what it deleted, in a cluster that a stand-in plays."""
    kubectl = folder / "kubectl"
    kubectl.write_text(STAND_IN, encoding="utf-8")
    kubectl.chmod(0o755)
    (folder / "world").write_text(json.dumps(world), encoding="utf-8")
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "WORLD": str(folder / "world"),
    }
    script = KUBERNETES / "menu" / "prune-menus.sh"
    done = subprocess.run(["/bin/sh", script], check=False, capture_output=True, env=environ)
    deleted = folder / "world.deleted"
    return done.returncode, deleted.read_text().split() if deleted.exists() else []


def test_pruning_spares_what_a_revision_mounts(tmp_path: Path) -> None:
    world = {
        "replicasets,jobs": ["menus-b", "", "menu-worker-config-a", "", "menus-c", ""],
        "configmaps": ["menus-a", "menus-b", "menus-c", "menus-bb", "menu-worker-config-a"],
    }
    assert prune(tmp_path, world) == (0, ["menus-a", "menus-bb"])


def test_pruning_deletes_nothing_when_no_revision_is_seen(tmp_path: Path) -> None:
    world = {"replicasets,jobs": [""], "configmaps": ["menus-a"]}
    assert prune(tmp_path, world) == (1, [])


def test_pruning_deletes_nothing_when_the_cluster_does_not_answer(tmp_path: Path) -> None:
    assert prune(tmp_path, {"configmaps": ["menus-a"]}) == (1, [])
