"""A full run is held to the table; a part of it is not."""

from __future__ import annotations

import pytest

TABLE = "| id | guarantee | proof |\n| --- | --- | --- |\n"
TESTS = """
import pytest

def test_holds():
    pass

@pytest.mark.parametrize("store", ["memory", "redis"])
def test_holds_on(store):
    if store == "redis":
        pytest.skip("no redis")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    folder = pytester.mkdir("tests")
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    pytester.mkdir("docs")
    return pytester


def promise(project: pytest.Pytester, *rows: str) -> None:
    text = TABLE + "".join(f"| G{number} | it holds | {row} |\n" for number, row in enumerate(rows))
    (project.path / "docs" / "guarantees.md").write_text(text, encoding="utf-8")


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "tests.guarantees.plugin", *arguments)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="in one process"),
        pytest.param(("-p", "xdist", "-n", "1"), id="with xdist"),
    ],
)
def test_a_run_whose_rows_are_all_proven_passes(
    project: pytest.Pytester, words: tuple[str, ...]
) -> None:
    promise(project, "`tests/test_it.py::test_holds`", "`tests/test_it.py::test_holds_on`")

    assert run(project, *words).ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="in one process"),
        pytest.param(("-p", "xdist", "-n", "1"), id="with xdist"),
        pytest.param(("--collect-only",), id="when only collecting"),
    ],
)
def test_a_row_that_names_a_test_that_is_not_there_fails_the_run(
    project: pytest.Pytester, words: tuple[str, ...]
) -> None:
    promise(project, "`tests/test_it.py::test_gone`")

    result = run(project, *words)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*line 3: G0 names tests/test_it.py::test_gone*"])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="in one process"),
        pytest.param(("-p", "xdist", "-n", "1"), id="with xdist"),
    ],
)
def test_in_ci_a_skipped_proof_fails_the_run(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CI", "true")
    promise(project, "`tests/test_it.py::test_holds_on`")

    result = run(project, *words)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*test_holds_on[[]redis], the proof of G0, was skipped*"])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("tests/test_it.py",), id="a file"),
        pytest.param(("-k", "holds"), id="a keyword"),
        pytest.param(("-m", "not slow"), id="a marker"),
    ],
)
def test_a_run_of_some_tests_judges_nothing(
    project: pytest.Pytester, words: tuple[str, ...]
) -> None:
    promise(project, "no test at all")

    assert run(project, *words).ret == pytest.ExitCode.OK


def test_a_document_that_is_missing_fails_a_full_run(project: pytest.Pytester) -> None:
    result = run(project)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*docs/guarantees.md*"])
