"""What a pipeline makes of an answer: a menu is left, undone, or a person has to look.

What kubectl, argocd and docker answer is played by stand-ins: their exit codes are all that a
pipeline goes by.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from menu_worker.result_words import CHANGES, DONE, FAILED
from tests.deploy.test_pipelines import ARGO_ROLLOUT, ROLLOUT, scripts


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


def roll_out(folder: Path, *, before: str, verdicts: str, applied: int = 0) -> Played:
    """`verdicts` are the exit codes of `rollout status`, one call after the other."""
    kubectl = f"""
case "$*" in
  "apply "*) exit {applied} ;;
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


def test_an_apply_that_breaks_off_is_no_verdict_on_the_menu(tmp_path: Path) -> None:
    played = roll_out(tmp_path, before="7", verdicts="0", applied=1)
    assert (played.code, asked_to_undo(played)) == (2, [])


def test_without_a_cluster_nothing_is_applied(tmp_path: Path) -> None:
    played = play(tmp_path, ["/bin/sh", str(ROLLOUT), "menu/ha"], {"kubectl": "exit 1"})
    assert played.code == 1
    assert len(played.calls) == 1


def sync(folder: Path, *, healths: str, history: str = "4\n5", synced: int = 0) -> Played:
    """`healths` are the exit codes of `app wait`, one call after the other."""
    argocd = f"""
case "$*" in
  *" history "*) echo "{history}" ;;
  *" sync "*) exit {synced} ;;
  *" wait "*)
    set -- {healths}
    shift "$(cat "$CALLS.asked" 2>/dev/null || echo 0)"
    echo 1 >"$CALLS.asked"
    exit "$1" ;;
esac"""
    return play(folder, ["/bin/sh", str(ARGO_ROLLOUT)], {"argocd": argocd})


def rolled_back(played: Played) -> list[str]:
    return [call for call in played.calls if " rollback " in call]


def test_argo_cd_leaves_a_healthy_menu_as_it_is(tmp_path: Path) -> None:
    played = sync(tmp_path, healths="0")
    assert (played.code, rolled_back(played)) == (0, [])


@pytest.mark.parametrize(("healths", "code"), [("1 0", 1), ("1 1", 2)])
def test_argo_cd_rolls_a_menu_back_to_the_one_that_was_there(
    tmp_path: Path, healths: str, code: int
) -> None:
    played = sync(tmp_path, healths=healths)
    assert played.code == code
    assert rolled_back(played) == ["argocd app rollback zhongkong-menu 5 --timeout 120"]


def test_argo_cd_has_nothing_to_go_back_to_after_a_first_menu(tmp_path: Path) -> None:
    played = sync(tmp_path, healths="1", history="")
    assert (played.code, rolled_back(played)) == (1, [])


def test_a_sync_that_breaks_off_is_no_verdict_on_the_menu(tmp_path: Path) -> None:
    """What it left behind nobody knows, and the last entry of the history is not what is live."""
    played = sync(tmp_path, healths="0", synced=20)
    assert (played.code, rolled_back(played)) == (2, [])


def test_without_argo_cd_nothing_is_synced(tmp_path: Path) -> None:
    played = play(tmp_path, ["/bin/sh", str(ARGO_ROLLOUT)], {"argocd": "exit 20"})
    assert (played.code, len(played.calls)) == (1, 1)


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
