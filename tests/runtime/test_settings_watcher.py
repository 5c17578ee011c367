"""A running service follows its configuration and its secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from zhongkong.runtime.settings import (
    ConfigError,
    ConfigWatcher,
    Loaded,
    Problem,
    Secret,
    Settings,
    load,
)


class Service(Settings):
    name: str = "x"
    key: Secret | None = None
    other: Secret | None = None


class StepClock:
    """Sleeps end when the test says so."""

    def __init__(self) -> None:
        self.steps: asyncio.Queue[None] = asyncio.Queue()
        self.asked: asyncio.Queue[float] = asyncio.Queue()

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self.steps.get()


class World:
    """A configuration in a folder, its watcher, and what the watcher said."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.path = folder / "service.yaml"
        self.path.write_text(text)
        self.settings: list[Loaded[Service]] = []
        self.secrets: list[list[Secret]] = []
        self.refusals: list[ConfigError] = []
        self.refuse_settings: Exception | None = None
        self.clock = StepClock()
        self.watcher = ConfigWatcher(
            load(Service, self.path, {}, prefix="SVC"),
            self.clock,
            on_settings=self.take,
            on_secret=self.secrets.append,
            on_refused=self.refusals.append,
        )

    async def take(self, loaded: Loaded[Service]) -> None:
        if self.refuse_settings is not None:
            raise self.refuse_settings
        self.settings.append(loaded)

    def replace(self, text: str) -> None:
        """As editors and deployments do: a new file under the old name."""
        (self.folder / "new").write_text(text)
        (self.folder / "new").rename(self.path)

    async def looks(self, count: int) -> None:
        for _ in range(count):
            await self.watcher.look()


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "key").write_text("one\n")
    return World(tmp_path, "name: a\nkey: {file: key}\n")


async def test_an_unchanged_file_is_no_news(world: World) -> None:
    await world.looks(3)
    assert (world.settings, world.secrets, world.refusals) == ([], [], [])


async def test_a_good_new_version_is_handed_over_once(world: World) -> None:
    world.replace("name: b\n")
    await world.looks(3)
    assert [loaded.settings.name for loaded in world.settings] == ["b"]
    assert world.watcher.loaded is world.settings[0]


async def test_a_rewrite_in_place_of_the_same_length_is_seen(world: World) -> None:
    await world.looks(2)
    world.path.write_text("name: b\nkey: {file: key}\n")
    await world.looks(2)
    assert len(world.settings) == 1


async def test_a_change_between_loading_and_the_first_look_is_seen(world: World) -> None:
    (world.folder / "key").write_text("two\n")
    world.path.write_text("name: b\nkey: {file: key}\n")
    await world.looks(1)
    assert len(world.settings) == 1
    assert len(world.secrets) == 1


async def test_a_bad_version_is_refused_once_and_the_old_one_stays(world: World) -> None:
    world.replace("nme: b\n")
    await world.looks(25)
    [refusal] = world.refusals
    assert "did you mean name?" in str(refusal)
    assert world.watcher.last_refusal is refusal
    assert world.watcher.loaded.settings.name == "a"


async def test_each_bad_version_is_reported(world: World) -> None:
    for text in ("nme: b\n", "nme: c\n"):
        world.replace(text)
        await world.looks(2)
    assert len(world.refusals) == 2


async def test_a_missing_file_is_refused_once(world: World) -> None:
    world.path.unlink()
    await world.looks(25)
    assert len(world.refusals) == 1


async def test_an_emptied_file_is_refused_for_an_editor_was_caught_half_way(world: World) -> None:
    world.path.write_text("\n")
    await world.watcher.look()
    assert world.settings == []
    assert "is empty now" in str(world.refusals[0].problems[0])


async def test_the_return_of_the_version_in_force_ends_the_refusal(world: World) -> None:
    text = world.path.read_text()
    world.replace("nme: b\n")
    await world.looks(1)
    world.replace(text)
    await world.looks(1)
    assert world.watcher.last_refusal is None
    assert world.settings == []


async def test_a_good_version_after_a_bad_one_ends_the_refusal(world: World) -> None:
    world.replace("nme: b\n")
    await world.looks(1)
    world.replace("name: b\n")
    await world.looks(1)
    assert world.watcher.last_refusal is None
    assert len(world.settings) == 1


async def test_a_version_that_lacked_a_secret_is_taken_when_it_comes(world: World) -> None:
    world.replace("name: b\nother: {file: late}\n")
    await world.looks(1)
    assert "late does not exist" in str(world.refusals[0])
    (world.folder / "late").write_text("x")
    await world.looks(10)
    assert len(world.settings) == 1


async def test_a_handler_may_refuse_a_version(world: World) -> None:
    world.refuse_settings = ConfigError([Problem("service.yaml:1", "name", "needs a restart")])
    world.replace("name: b\n")
    await world.looks(25)
    assert world.refusals == [world.refuse_settings]
    assert world.watcher.loaded.settings.name == "a"


async def test_a_crashing_handler_does_not_end_the_watch(world: World) -> None:
    world.refuse_settings = RuntimeError("boom")
    world.replace("name: b\n")
    await world.looks(1)
    world.refuse_settings = None
    world.replace("name: c\n")
    await world.looks(1)
    assert [loaded.settings.name for loaded in world.settings] == ["c"]


async def test_a_changed_secret_is_handed_over_once_with_its_new_value(world: World) -> None:
    await world.looks(2)
    (world.folder / "key").write_text("two\n")
    await world.looks(3)
    assert world.secrets == [[world.watcher.loaded.settings.key]]
    assert world.secrets[0][0].reveal() == "two"


async def test_an_unreadable_secret_keeps_its_value_and_shows_in_the_status(world: World) -> None:
    (world.folder / "key").unlink()
    await world.looks(2)
    assert world.secrets == []
    assert "does not exist" in world.watcher.unreadable_secrets[0]
    (world.folder / "key").write_text("two\n")
    await world.looks(1)
    assert world.watcher.unreadable_secrets == ()
    assert world.secrets[0][0].reveal() == "two"


async def test_a_reload_keeps_the_secrets_that_it_still_names(world: World) -> None:
    before = world.watcher.loaded.settings.key
    world.replace("name: b\nkey: {file: key}\n")
    await world.looks(1)
    assert world.settings[0].settings.key is before


async def test_run_looks_once_in_every_interval(world: World) -> None:
    run = asyncio.create_task(world.watcher.run())
    try:
        async with asyncio.timeout(30):
            assert await world.clock.asked.get() == 1.0
            world.replace("name: b\n")
            world.clock.steps.put_nowait(None)
            assert await world.clock.asked.get() == 1.0
    finally:
        run.cancel()
    assert len(world.settings) == 1
