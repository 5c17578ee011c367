"""The wheel holds the product and nothing else, and asks for what the code imports."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.test_tracked_files import repository_files

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("callback_gateway", "menu_worker", "token_service", "zhongkong")
# What a distribution hands out in its own interface comes with it, in the version it needs.
COMPANIONS = {
    "markupsafe": "jinja2",
    "multidict": "aiohttp",
    "pydantic-core": "pydantic",
    "yarl": "aiohttp",
}
BUILD = "import sys; from setuptools.build_meta import build_wheel as b; b(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of the repository: a build leaves traces in its source."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in repository_files():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    words = [sys.executable, "-c", BUILD, str(target)]
    environ = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        words, cwd=source, env=environ, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    [path] = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_packages_of_the_product_and_no_others(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    files = (path.relative_to(ROOT) for path in repository_files())

    missing = [str(path) for path in files if path.parts[0] in PACKAGES and str(path) not in held]

    assert missing == []


def test_the_wheel_brings_only_commands_that_exist(wheel: zipfile.ZipFile) -> None:
    [entries] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    lines = [line for line in wheel.read(entries).decode().splitlines() if " = " in line]

    for line in lines:
        module, _, function = line.partition(" = ")[2].partition(":")
        tree = ast.parse(wheel.read(f"{module.replace('.', '/')}.py"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def imported_packages() -> Iterator[str]:
    """Yield the top package of each absolute import in the product."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]


def test_the_project_asks_for_exactly_the_distributions_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [word for words in project["optional-dependencies"].values() for word in words]
    wanted = [*project["dependencies"], *extras]
    asked = {canonicalize_name(Requirement(word).name) for word in wanted}
    known = packages_distributions()

    foreign = set(imported_packages()) - set(sys.stdlib_module_names) - set(PACKAGES)

    imported = {canonicalize_name(name) for top in foreign for name in known.get(top, [top])}
    assert {COMPANIONS.get(name, name) for name in imported} == asked
