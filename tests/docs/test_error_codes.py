"""What our documents say of WeChat's codes is what the code does with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, READMES, rows
from zhongkong.wechat.codes import ERROR_CODES, CodeClass

CODE_ROW = re.compile(r"-1|[4-9]\d{4}")


def coded(page: Path) -> dict[int, str]:
    """Code to class, of every row that begins with a code and a class."""
    return {
        int(row[0]): row[1].strip("`")
        for row in rows(page)
        if CODE_ROW.fullmatch(row[0]) and len(row) > 2
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_code_in_a_table_is_known_and_of_that_class(page: Path) -> None:
    known = {code: info.klass.name.lower() for code, info in ERROR_CODES.items()}
    assert {code: known.get(code) for code in coded(page)} == coded(page)


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readme_explains_every_class(page: Path) -> None:
    explained = {row[0].strip("`") for row in rows(page)}
    assert {klass.name.lower() for klass in CodeClass} <= explained


def test_both_readmes_list_the_same_codes() -> None:
    english, chinese = map(coded, READMES)
    assert english == chinese
    assert len(english) >= 15
