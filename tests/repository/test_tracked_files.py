"""What is in the repository works anywhere: it names no package index and no one's machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The bracketed letters keep this file from finding itself.
FORBIDDEN = {
    "the Python package index": r"[p]ypi\.org/simple|[p]ythonhosted\.org",
    "the npm registry": r"[r]egistry\.npm(?:js|mirror)\.",
    "a mirror of the distribution": r"(?:[d]eb|[s]ecurity)\.debian\.org|[a]rchive\.ubuntu\.com",
    "an index option": r"--(?:extra-)?[i]ndex-url|--[f]ind-links|--[t]rusted-host",
    "a home folder": r"/(?:[r]oot|[h]ome/\w+|[U]sers/\w+)/",
    "a folder of one machine": r"/[w]ork/|/[f]arm/|/opt/[w]heels",
}


def repository_files() -> list[Path]:
    """Return what is tracked, and what would be if it were added now."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True).stdout
    paths = (ROOT / name.decode() for name in listed.split(b"\0") if name)
    return sorted(path for path in paths if path.is_file())


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", errors="replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])

    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in repository_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        pytest.param("an index option", "pip install --index" + "-url x", id="an index option"),
        pytest.param("a home folder", "cat /ho" + "me/someone/file", id="a home folder"),
        pytest.param(
            "the Python package index", "https://files.pythonhosted" + ".org/x", id="a file's host"
        ),
    ],
)
def test_the_patterns_find(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)
