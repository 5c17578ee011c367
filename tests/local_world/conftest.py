from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.local_world.worlds import REAL, World, free_base
from zhongkong.cli import app
from zhongkong.runtime.commandline import run_app

Begin = Callable[..., World]
Up = Callable[..., int]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a world, on free ports or on those of `base`. It ends with the test at the latest."""
    worlds: list[World] = []

    def start(
        base: int | None = None,
        *arguments: str,
        wrapper: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> World:
        worlds.append(
            World(tmp_path, base or free_base(), *arguments, wrapper=wrapper, variables=variables)
        )
        return worlds[-1]

    yield start
    for world in worlds:
        world.child.kill()


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that is ready; for tests that leave it as it is, but for what users said and did."""
    ready = World(tmp_path_factory.mktemp("a home"), free_base())
    try:
        yield ready.wait_until_ready()
    finally:
        ready.child.kill()


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Up:
    """`zhongkong up` in this process and an empty folder, refused before a world begins."""

    async def live(*_: object, **__: object) -> None:
        raise AssertionError("a world was begun")

    monkeypatch.setattr("zhongkong.local_world.world.live", live)
    monkeypatch.chdir(tmp_path)
    for name in REAL:
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: run_app(app, ["up", *arguments], name="zhongkong")
