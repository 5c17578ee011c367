"""The pipelines: they are well-formed, call what exists, and may do no more than they need.

What follows from the answers that they get is in test_pipeline_verdicts.py.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from menu_worker.cli import main
from menu_worker.result_words import CHANGES
from menu_worker.settings import ENV_PREFIX, MenuWorkerSettings
from tests.deploy.manifests import CLUSTERS, KUBERNETES, RENDERED, ROOT, cluster, rendered
from tests.deploy.test_kubernetes_config import settings_of
from zhongkong.runtime.settings import load

PIPELINES = ROOT / "deploy" / "pipelines"
GITHUB = PIPELINES / "github-actions" / "menu.yaml"
GITLAB = PIPELINES / "gitlab" / "menu.gitlab-ci.yml"
ARGO = PIPELINES / "argocd" / "applications.yaml"
ROLLOUT = KUBERNETES / "menu" / "rollout.sh"
PRUNE = KUBERNETES / "menu" / "prune-menus.sh"
ARGO_ROLLOUT = PIPELINES / "argocd" / "rollout.sh"
DEPLOYER = PIPELINES / "deployer.yaml"
PLAN = KUBERNETES / "menu" / "plan.yaml"


class PlainLoader(yaml.SafeLoader):
    """Reads `on` as the word that GitHub means."""


PlainLoader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def document(path: Path) -> dict[str, Any]:
    return dict(yaml.load(path.read_text("utf-8"), PlainLoader))


def scripts() -> dict[str, str]:
    """Every piece of shell, by where it stands."""
    github = {
        f"github {name} {step['name']}": step["run"]
        for name, job in document(GITHUB)["jobs"].items()
        for step in job["steps"]
        if "run" in step
    }
    gitlab = {
        f"gitlab {name}": "\n".join(job["script"])
        for name, job in document(GITLAB).items()
        if isinstance(job, dict)
    }
    files = {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in (ROLLOUT, ARGO_ROLLOUT, PRUNE)
    }
    return github | gitlab | files


every_script = pytest.mark.parametrize("where", scripts())


@every_script
def test_a_shell_can_read_it(where: str) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=scripts()[where], text=True, check=False, capture_output=True
    )
    assert done.stderr == ""


@every_script
def test_every_file_that_is_named_is_there(where: str) -> None:
    named = re.findall(r"(?<![\w.])/?(kubernetes/[\w./-]+[\w*])", scripts()[where])
    for path in named:
        assert list(KUBERNETES.parent.glob(path)), path


def test_every_command_of_ours_exists_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.findall(r"menu-worker ([a-z]+)([^'\n]*)", "\n".join(scripts().values()))
    assert {command for command, _ in found} == {"validate", "plan"}
    for command, rest in found:
        assert main([command, "--help"]) == 0
        described = capsys.readouterr().out
        words = shlex.split(rest.split(">")[0])
        assert all(word in described for word in words if word.startswith("--"))


def test_a_plan_reads_the_menus_that_are_rolled_out() -> None:
    loaded = load(MenuWorkerSettings, PLAN, {"MENU_KEY": "k" * 32}, prefix=ENV_PREFIX)
    [pattern] = loaded.settings.menus
    found = {path.name for path in loaded.base.glob(pattern)}
    assert found == set(cluster("ha").config_map("menus"))
    assert loaded.settings.store == "memory://"


def test_a_plan_asks_the_token_service_where_it_is_for_others() -> None:
    [service] = [
        each for each in cluster("ha").of("Service") if each["metadata"]["name"] == "token-service"
    ]
    [port] = service["spec"]["ports"]
    loaded = load(MenuWorkerSettings, PLAN, {"MENU_KEY": "k" * 32}, prefix=ENV_PREFIX)
    where = f"token-service.{service['metadata']['namespace']}.svc.cluster.local"
    assert loaded.settings.token_service.url == f"http://{where}:{port['port']}"


def test_a_pull_request_sees_the_key_that_cant_write_and_no_other_secret(tmp_path: Path) -> None:
    [plan] = [job for name, job in document(GITHUB)["jobs"].items() if name == "plan"]
    assert re.findall(r"secrets\.(\w+)", yaml.safe_dump(plan)) == ["MENUS_PLAN_KEY"]
    assert "head.repo.full_name == github.repository" in plan["if"]
    assert "environment" not in plan
    tokens = settings_of("ha", "token-service", tmp_path).settings
    assert "menus-plan" in {client.name for client in tokens.clients}


def test_github_gives_a_pipeline_no_more_than_it_needs() -> None:
    workflow = document(GITHUB)
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    [kept] = {str(step["with"]["persist-credentials"]) for step in steps if "uses" in step}
    assert kept == "False", "a checkout leaves a token of the repository's beside the files"
    assert "pull_request_target" not in workflow["on"]


def test_nothing_that_strangers_write_gets_into_a_script() -> None:
    for job in document(GITHUB)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_everything_that_is_used_is_pinned() -> None:
    steps = [step for job in document(GITHUB)["jobs"].values() for step in job["steps"]]
    assert all(re.search(r"@[0-9a-f]{40}\Z", step["uses"]) for step in steps if "uses" in step)
    images = [job["image"] for job in document(GITLAB).values() if isinstance(job, dict)]
    assert set(images) == {"$ZHONGKONG_IMAGE", "$KUBECTL_IMAGE"}


def test_rollouts_wait_for_each_other_and_are_not_cut_off() -> None:
    github = document(GITHUB)["jobs"]["rollout"]
    assert github["concurrency"]["cancel-in-progress"] is False
    gitlab = document(GITLAB)["menu-rollout"]
    assert gitlab["resource_group"]
    assert gitlab["interruptible"] is False


@pytest.mark.parametrize("name", [name for name in CLUSTERS if name != "job"])
def test_the_deployment_gives_up_before_the_pipeline_does(name: str) -> None:
    deadline = cluster(name).running("menu-worker").spec["progressDeadlineSeconds"]
    [minutes] = re.findall(r"--timeout=(\d+)m", ROLLOUT.read_text("utf-8"))
    [seconds] = re.findall(r"--operation --timeout (\d+)", ARGO_ROLLOUT.read_text("utf-8"))
    assert deadline < int(minutes) * 60
    assert deadline < int(seconds)
    # It waits twice: for the menu, and for the one before.
    assert 2 * int(minutes) < int(document(GITHUB)["jobs"]["rollout"]["timeout-minutes"])
    assert 2 * int(minutes) < int(document(GITLAB)["menu-rollout"]["timeout"].split()[0])


# --------------------------------------------------------------------- whom it rolls out as


def granted() -> dict[str, set[str]]:
    """The verbs of each kind of object, as the Role names it."""
    documents = list(yaml.safe_load_all(DEPLOYER.read_text("utf-8")))
    for each in documents:
        kubernetes_validate.validate(each, str(kubernetes_validate.latest_version()), strict=True)
    [role] = [each for each in documents if each["kind"] == "Role"]
    found: dict[str, set[str]] = {}
    for rule in role["rules"]:
        for resource in rule["resources"]:
            found.setdefault(resource, set()).update(rule["verbs"])
    return found


def test_the_deployer_gets_at_what_an_apply_compares_and_changes_menus_alone() -> None:
    kinds = {
        f"{manifest['kind'].lower()}s".replace("policys", "policies")
        for name in RENDERED
        if name.startswith("menu-")
        for manifest in rendered(name)
    }
    verbs = granted()
    assert all("get" in verbs[kind] for kind in kinds)
    changed = {kind for kind, each in verbs.items() if each - {"get", "list", "watch"}}
    assert changed == {"configmaps", "deployments", "jobs"}
    assert all("patch" in verbs[kind] for kind in changed)
    assert {"create", "delete"} <= verbs["configmaps"]


def test_the_deployer_reads_no_secret_and_enters_no_pod() -> None:
    assert not {"secrets", "pods/exec", "pods/portforward", "*"} & granted().keys()
    assert not any("*" in verbs for verbs in granted().values())


def test_the_deployer_may_do_what_the_scripts_do() -> None:
    verbs = granted()
    asked = {"replicasets": "list", "pods": "list", "pods/log": "get", "deployments": "watch"}
    assert all(verb in verbs[kind] for kind, verb in asked.items())
    used = re.findall(r"\bon (\w+) (\w+)", "".join(scripts().values()))
    assert set(used) >= {("rollout", "status"), ("rollout", "undo"), ("get", "configmaps")}


def test_a_plan_on_gitlab_warns_when_something_changes() -> None:
    job = document(GITLAB)["menu-plan"]
    assert [int(code) for code in job["allow_failure"]["exit_codes"]] == [CHANGES]
    assert job["script"][-1].startswith("menu-worker plan")


def test_argo_cd_syncs_the_menu_only_when_told() -> None:
    applications = {
        each["metadata"]["name"]: each["spec"]
        for each in yaml.safe_load_all(ARGO.read_text("utf-8"))
    }
    assert "automated" not in applications["zhongkong-menu"]["syncPolicy"]
    for spec in applications.values():
        assert (KUBERNETES.parent / spec["source"]["path"] / "kustomization.yaml").is_file()
        assert spec["destination"]["namespace"] == "zhongkong"


def test_no_pipeline_holds_a_secret() -> None:
    for path in PIPELINES.rglob("*"):
        if path.is_file():
            text = re.sub(r"@[0-9a-f]{40}\b", "", path.read_text("utf-8"))
            assert not re.search(r"[0-9a-f]{32}", text), path
