from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.local_world.worlds import World, free_base

Begin = Callable[..., World]


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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that is ready; for tests that leave it as it is."""
    ready = World(tmp_path_factory.mktemp("a home"), free_base())
    try:
        yield ready.wait_until_ready()
    finally:
        ready.child.terminate()
