from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from token_service.proxy.spool import Allowance, Spool

PIECE = bytes(range(256)) * 1024


async def whole(spool: Spool) -> bytes:
    return b"".join([piece async for piece in spool.pieces()])


async def test_what_was_kept_is_read_again_as_it_was() -> None:
    spool = Spool(limit=10 * len(PIECE), allowance=Allowance(10 * len(PIECE)))
    for _ in range(5):
        await spool.append(PIECE)
    await spool.append(b"end")
    await spool.end()

    assert spool.complete
    assert [await whole(spool), await whole(spool)] == [PIECE * 5 + b"end"] * 2
    spool.close()


@pytest.mark.parametrize(("limit", "allowance"), [(100, 10**9), (10**9, 100)])
async def test_beyond_its_limit_or_the_common_one_nothing_is_kept(
    limit: int, allowance: int
) -> None:
    shared = Allowance(allowance)
    spool = Spool(limit=limit, allowance=shared)
    await spool.append(b"x" * 60)
    await spool.append(b"x" * 60)
    await spool.end()

    assert not spool.complete
    assert shared.used == 0


async def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool(limit=10**9, allowance=Allowance(10**9))
    await spool.append(PIECE)
    await spool.end()

    assert spool.complete
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - one look at a folder
    spool.close()


async def test_a_full_disk_fails_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("token_service.proxy.spool._temporary_file", full)
    spool = Spool(limit=10**9, allowance=Allowance(10**9))
    await spool.append(PIECE)
    await spool.end()

    assert not spool.complete


@given(st.lists(st.integers(0, 50), max_size=30))
def test_an_allowance_is_never_exceeded_and_comes_back(sizes: list[int]) -> None:
    shared = Allowance(100)
    taken = [size for size in sizes if shared.take(size)]

    assert shared.used == sum(taken) <= 100
    for size in taken:
        shared.give_back(size)
    assert shared.used == 0
