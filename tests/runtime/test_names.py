from __future__ import annotations

import pytest

from zhongkong.runtime.names import is_name


@pytest.mark.parametrize("name", ["a", "7", "shop", "Shop-1.test_2", "x" * 64])
def test_what_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "é", "a\n", "a/b", "a:b"])
def test_what_is_no_name(name: str) -> None:
    assert not is_name(name)
