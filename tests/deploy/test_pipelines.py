"""The pipelines: they are well-formed, call what exists, and draw the right conclusions.

What kubectl, argocd and docker answer is played by stand-ins: their exit codes are all that a
pipeline goes by.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from menu_worker.cli import main
from menu_worker.result_words import CHANGES, DONE, FAILED
from menu_worker.settings import ENV_PREFIX, MenuWorkerSettings
from tests.deploy.manifests import CLUSTERS, KUBERNETES, ROOT, cluster
from tests.deploy.test_kubernetes_config import settings_of
from zhongkong.runtime.settings import load

PIPELINES = ROOT / "deploy" / "pipelines"
GITHUB = PIPELINES / "github-actions" / "menu.yaml"
GITLAB = PIPELINES / "gitlab" / "menu.gitlab-ci.yml"
ARGO = PIPELINES / "argocd" / "applications.yaml"
ROLLOUT = KUBERNETES / "menu" / "rollout.sh"
ARGO_ROLLOUT = PIPELINES / "argocd" / "rollout.sh"
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
    files = {path.name: path.read_text("utf-8") for path in (ROLLOUT, ARGO_ROLLOUT)}
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
    assert "pull_request_target" not in workflow["on"]


def test_nothing_that_strangers_write_gets_into_a_script() -> None:
    for job in document(GITHUB)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_everything_that_is_used_is_pinned() -> None:
    steps = [step for job in document(GITHUB)["jobs"].values() for step in job["steps"]]
    assert all(re.search(r"@v\d+\Z", step["uses"]) for step in steps if "uses" in step)
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


# -------------------------------------------------------------- what follows from an answer


@dataclass(frozen=True)
class Played:
    code: int
    calls: list[str]
    out: str


def play(folder: Path, argv: list[str], programs: dict[str, str], **environ: str) -> Played:
    """Run a script whose programs are shell snippets; each call of one is written down."""
    for name, body in programs.items():
        path = folder / name
        noted = f'printf "%s\\n" "{name} $*" >>"$CALLS"'
        path.write_text(f"#!/bin/sh\n{noted}\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
    calls = folder / "calls"
    given = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls)} | environ
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=given, cwd=folder)
    noted_calls = calls.read_text().splitlines() if calls.exists() else []
    return Played(done.returncode, noted_calls, done.stdout + done.stderr)


def roll_out(folder: Path, *, before: str, verdicts: str) -> Played:
    """`verdicts` are the exit codes of `rollout status`, one call after the other."""
    kubectl = f"""
case "$*" in
  *" get deployment/menu-worker "*) printf %s "{before}" ;;
  *"rollout status"*)
    set -- {verdicts}
    shift "$(cat "$CALLS.asked" 2>/dev/null || echo 0)"
    echo $(($(cat "$CALLS.asked" 2>/dev/null || echo 0) + 1)) >"$CALLS.asked"
    exit "$1" ;;
esac"""
    return play(folder, ["/bin/sh", str(ROLLOUT), "menu/ha"], {"kubectl": kubectl})


def asked_to_undo(played: Played) -> list[str]:
    return [call for call in played.calls if "undo" in call]


def test_a_good_menu_is_left_as_it_is(tmp_path: Path) -> None:
    played = roll_out(tmp_path, before="7", verdicts="0")
    assert (played.code, asked_to_undo(played)) == (0, [])
    assert "kubectl apply -k menu/ha" in played.calls


def test_a_bad_menu_is_undone_to_the_revision_that_was_there(tmp_path: Path) -> None:
    played = roll_out(tmp_path, before="7", verdicts="1 0")
    assert played.code == 1
    assert asked_to_undo(played) == [
        "kubectl -n zhongkong rollout undo deployment/menu-worker --to-revision=7"
    ]
    assert any("logs" in call for call in played.calls)


def test_a_first_menu_that_is_bad_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    played = roll_out(tmp_path, before="", verdicts="1")
    assert (played.code, asked_to_undo(played)) == (1, [])


def test_an_undo_that_fails_too_is_told_apart(tmp_path: Path) -> None:
    assert roll_out(tmp_path, before="7", verdicts="1 1").code == 2


def test_without_a_cluster_nothing_is_applied(tmp_path: Path) -> None:
    played = play(tmp_path, ["/bin/sh", str(ROLLOUT), "menu/ha"], {"kubectl": "exit 1"})
    assert played.code == 1
    assert len(played.calls) == 1


@pytest.mark.parametrize(
    ("healths", "code", "rollbacks"), [("0", 0, 0), ("1 0", 1, 1), ("1 1", 2, 1)]
)
def test_argo_cd_rolls_a_menu_back_that_is_not_healthy(
    tmp_path: Path, healths: str, code: int, rollbacks: int
) -> None:
    argocd = f"""
case "$*" in *" wait "*)
  set -- {healths}
  shift "$(cat "$CALLS.asked" 2>/dev/null || echo 0)"
  echo 1 >"$CALLS.asked"
  exit "$1" ;;
esac"""
    played = play(tmp_path, ["/bin/sh", str(ARGO_ROLLOUT)], {"argocd": argocd})
    assert played.code == code
    assert sum(" rollback " in call for call in played.calls) == rollbacks


@pytest.mark.parametrize(
    ("exit_code", "expected"), [(DONE, 0), (CHANGES, 0), (FAILED, 1), (64, 1), (125, 1)]
)
def test_a_plan_on_github_fails_only_when_it_could_not_be_made(
    tmp_path: Path, exit_code: int, expected: int
) -> None:
    script = scripts()["github plan Plan"]
    played = play(
        tmp_path,
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        {"docker": f"echo the difference; exit {exit_code}"},
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
        IMAGE="zhongkong:0.1.0",
        MENU_KEY="the-key",
    )
    assert played.code == expected
    assert "the difference" in (tmp_path / "summary").read_text()
    assert not any("the-key" in call for call in played.calls), "others see a command's words"


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
            assert not re.search(r"[0-9a-f]{32}", path.read_text("utf-8")), path
