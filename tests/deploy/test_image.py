"""The image's recipe is clean, pinned and lets in nothing that it doesn't need."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.image_context import let_in
from tests.deploy.image_dockerfile import parse
from tests.repository.test_tracked_files import repository_files
from tests.repository.test_wheel import PACKAGES

ROOT: Final = Path(__file__).resolve().parents[2]
RECIPE: Final = ROOT / "deploy/image/Dockerfile"
IGNORE: Final = (ROOT / ".dockerignore").read_text(encoding="utf-8")
STAGES: Final = parse(RECIPE.read_text(encoding="utf-8"))


def test_hadolint_has_nothing_to_say() -> None:
    program = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    assert program is not None, "hadolint is of the dev packages: sh scripts/bootstrap.sh dev"
    done = subprocess.run([program, str(RECIPE)], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_every_stage_stands_on_a_base_that_is_pinned_by_version() -> None:
    for stage in STAGES:
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", stage.base), stage.base


def test_the_base_has_a_python_that_the_project_is_said_to_run_on() -> None:
    versions = {stage.base.split(":")[1].rsplit(".", 1)[0] for stage in STAGES}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    for version in versions:
        assert f'"Programming Language :: Python :: {version}"' in project


def test_the_last_stage_runs_as_another_user_than_root() -> None:
    assert [each.text for each in STAGES[-1].of("USER")] == ["10001:10001"]


def test_packages_are_installed_from_the_locks_with_their_hashes() -> None:
    runs = " ".join(each.text for each in STAGES[0].of("RUN"))
    installs = [part for part in runs.split("&&") if " install " in part]

    for install in installs:
        assert "--no-index" in install or (
            "--require-hashes" in install and "--only-binary :all:" in install
        ), install


def test_no_step_of_the_last_stage_reaches_the_network() -> None:
    assert [each.text for each in STAGES[-1].of("RUN") if "pip" in each.text] == []


def test_the_context_holds_the_packages_and_what_a_wheel_is_built_from_and_no_more() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in repository_files()]

    found = let_in(names, IGNORE)

    assert {name.partition("/")[0] for name in found} == {
        *PACKAGES,
        *("LICENSE", "README.md", "pyproject.toml", "requirements"),
    }
    assert [name for name in names if name.startswith(PACKAGES) and name not in found] == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(".env", id="variables of a world"),
        pytest.param(".git/config", id="the repository's own files"),
        pytest.param("deploy/compose/secrets/shop.secret", id="secrets beside compose"),
        pytest.param("requirements/dev.txt", id="what tests need"),
        pytest.param("token_service.db", id="a store"),
        pytest.param("var/local/shop.secret", id="the local world's files"),
        pytest.param("zhongkong/__pycache__/cli.pyc", id="compiled code"),
    ],
)
def test_the_context_keeps_out(name: str) -> None:
    assert let_in([name], IGNORE) == []


def test_every_file_that_is_copied_is_in_the_context() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in repository_files()]
    found = let_in(names, IGNORE)
    sources = [
        source
        for stage in STAGES
        for each in stage.of("COPY")
        if "from" not in each.options
        for source in each.text.split()[:-1]
    ]

    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in found), source


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("ADD x /", "line 1: ADD", id="an instruction that is not known"),
        pytest.param("RUN true", "line 1: RUN before FROM", id="a step of no stage"),
        pytest.param(
            "FROM x\nRUN --mount=type=a --mount=type=b true", "twice", id="an option given twice"
        ),
        pytest.param("FROM x\nRUN true \\", "continued", id="a line that does not end"),
    ],
)
def test_the_reader_of_recipes_passes_nothing_over(text: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        parse(text)
