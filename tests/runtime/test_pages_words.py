"""What the pages say of problems: the sentences that our code raises, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from callback_gateway.status_page import BRAND as GATEWAY
from menu_worker.status_page import BRAND as MENUS
from tests.runtime.page_rendering import rendered, uneven_words, words_of
from token_service.status_page import BRAND as TOKENS
from zhongkong.runtime.pages.visits import Brand
from zhongkong.runtime.pages.words import COMMON
from zhongkong.runtime.problems import Problem

ROOT = Path(__file__).parents[2]
PREFIX = "problem."
OF_ALL = Brand("zhongkong.runtime.pages", "all", "title", COMMON)
TABLES = {
    "zhongkong/runtime": COMMON,
    "callback_gateway": GATEWAY.table,
    "menu_worker": MENUS.table,
    "token_service": TOKENS.table,
}


def raised_in(folder: str) -> set[str]:
    """Every whole text that a module there holds, and the titles that HTTP itself has."""
    texts = {"Bad request", "Not found"}
    for file in (ROOT / folder).rglob("*.py"):
        if not file.name.endswith("words.py"):
            tree = ast.parse(file.read_text("utf-8"))
            constants = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
            texts.update(each for each in constants if isinstance(each, str))
    return texts


@pytest.mark.parametrize(("folder", "table"), TABLES.items(), ids=TABLES)
def test_every_problem_that_has_words_is_one_that_is_raised(
    folder: str, table: Mapping[str, tuple[str, str]]
) -> None:
    told = {key.removeprefix(PREFIX): both for key, both in table.items() if PREFIX in key}
    assert {text: english for text, (english, _) in told.items()} == {text: text for text in told}
    assert set(told) <= raised_in(folder)


def test_every_text_of_all_pages_is_there_in_both_languages() -> None:
    assert uneven_words(OF_ALL) == set()


def test_a_problem_is_told_in_chinese() -> None:
    problem = Problem(404, "Unknown client", "No client of this name is configured.")
    text = rendered(TOKENS, "problem.html.j2", {"problem": problem}, language="zh")
    assert "调用方不存在" in text
    assert "No client" not in text


def test_what_somebody_else_said_stays_as_it_was_said() -> None:
    assert words_of(TOKENS, "zh").said("problem", "no such_thing") == "no such_thing"


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("run `a <b>` now", "run <code>a &lt;b&gt;</code> now"),
        ("a ` alone", "a ` alone"),
        ("`a` and ` more", "`a` and ` more"),
    ],
)
def test_what_stands_between_backquotes_is_code(hint: str, shown: str) -> None:
    page = rendered(TOKENS, "problem.html.j2", {"problem": Problem(404, "x", hint)})
    assert f"<p>{shown}</p>" in "".join(line.strip() for line in page.splitlines())
