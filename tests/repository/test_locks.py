"""The lock files hold versions and hashes alone, and satisfy what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("build", "dev", "runtime")
PIN = re.compile(r"[a-z0-9-]+==[a-z0-9.+!]+(?: ; [a-z_]+ [^\\/:]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def lines_of(lock: str) -> list[str]:
    return (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()


def pins(lock: str) -> dict[str, str]:
    """Return each package's locked version."""
    words = (line.split()[0] for line in lines_of(lock) if PIN.fullmatch(line))
    return {name: version for name, _, version in (word.partition("==") for word in words)}


def wanted(lock: str) -> list[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime: list[str] = project["project"]["dependencies"]
    groups: dict[str, list[str]] = project["dependency-groups"]
    return {
        "build": [*groups["build"], *project["build-system"]["requires"]],
        "dev": [*runtime, *groups["dev"]],
        "runtime": runtime,
    }[lock]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_nothing_but_versions_markers_and_hashes(lock: str) -> None:
    strange = [
        line
        for line in lines_of(lock)
        if not line.startswith("#") and not PIN.fullmatch(line) and not HASH.fullmatch(line)
    ]

    assert strange == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_package_has_a_hash(lock: str) -> None:
    lines = [line for line in lines_of(lock) if not line.startswith("#")]

    bare = [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if PIN.fullmatch(line) and not HASH.fullmatch(after)
    ]

    assert bare == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_what_the_project_asks_for(lock: str) -> None:
    locked = pins(lock)

    unmet = [
        requirement
        for requirement in map(Requirement, wanted(lock))
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
    ]

    assert unmet == []


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    dev = pins("dev")

    assert {name: dev.get(name) for name in pins("runtime")} == pins("runtime")
