"""Desired files are taken over when they have changed, whole, and never half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from menu_worker.desired import LoadedMenus
from menu_worker.files import MenuFiles, MenuWatcher
from tests.emulator.clocks import HeldClock
from tests.menu_worker.files import written

SHOP = "account: shop\nbutton:\n  - {type: click, name: 买入, key: BUY_IN}\n"
SOLD = SHOP.replace("BUY_IN", "SOLD")
NAMELESS = SHOP.partition("\n")[2]


class Watched:
    """A watcher and what it handed over."""

    def __init__(self, folder: Path, *patterns: str, account: str | None = None) -> None:
        self.seen: list[LoadedMenus] = []
        files = MenuFiles(patterns or ("*.yaml",), folder, account)
        self.watcher = MenuWatcher(files, HeldClock(), self.seen.append)

    @property
    def key(self) -> str:
        return self.seen[-1].desired["shop"].menu.buttons[0].target


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A folder as Kubernetes mounts a ConfigMap."""
    _version(tmp_path, "..1", SHOP)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "shop.yaml").symlink_to("..data/shop.yaml")
    return tmp_path


async def test_what_is_there_at_the_start_is_handed_over_at_once(tmp_path: Path) -> None:
    written(tmp_path, SHOP)
    watched = Watched(tmp_path)
    await watched.watcher.look_now()
    assert watched.key == "BUY_IN"


async def test_without_a_change_nothing_is_read_again(tmp_path: Path) -> None:
    written(tmp_path, SHOP)
    watched = Watched(tmp_path)
    await watched.watcher.look_now()
    for _ in range(5):
        await watched.watcher.look()
    assert len(watched.seen) == 1


async def test_a_change_is_taken_over_when_it_has_stood_still_for_one_look(
    tmp_path: Path,
) -> None:
    written(tmp_path, SHOP)
    watched = Watched(tmp_path)
    await watched.watcher.look_now()
    written(tmp_path, SOLD[:20])
    await watched.watcher.look()
    written(tmp_path, SOLD)
    await watched.watcher.look()
    assert len(watched.seen) == 1, "it may be half written"
    await watched.watcher.look()
    assert watched.key == "SOLD"
    assert not watched.seen[-1].refused


async def test_the_swap_of_a_mounted_volume_is_a_change(volume: Path) -> None:
    watched = Watched(volume)
    await watched.watcher.look_now()
    _version(volume, "..2", SOLD)
    (volume / "..tmp").symlink_to("..2")
    (volume / "..tmp").replace(volume / "..data")
    for _ in range(2):
        await watched.watcher.look()
    assert watched.key == "SOLD"


async def test_a_version_with_the_same_size_and_time_is_a_change_all_the_same(
    volume: Path,
) -> None:
    watched = Watched(volume)
    await watched.watcher.look_now()
    _version(volume, "..2", SHOP.replace("BUY_IN", "BUY_ON"))
    first = (volume / "..1" / "shop.yaml").stat()
    os.utime(volume / "..2" / "shop.yaml", ns=(first.st_atime_ns, first.st_mtime_ns))
    (volume / "..tmp").symlink_to("..2")
    (volume / "..tmp").replace(volume / "..data")
    for _ in range(2):
        await watched.watcher.look()
    assert watched.key == "BUY_ON"


async def test_new_and_removed_files_are_changes(tmp_path: Path) -> None:
    path = written(tmp_path, SHOP)
    watched = Watched(tmp_path)
    await watched.watcher.look_now()
    written(tmp_path, SHOP.replace("shop", "bank"), "bank.yaml")
    path.unlink()
    for _ in range(2):
        await watched.watcher.look()
    assert set(watched.seen[-1].desired) == {"bank"}
    (tmp_path / "bank.yaml").unlink()
    for _ in range(2):
        await watched.watcher.look()
    assert watched.seen[-1].unmatched == (f"{tmp_path}/*.yaml",)


async def test_a_person_who_asks_does_not_wait_for_the_next_look(tmp_path: Path) -> None:
    written(tmp_path, SHOP)
    watched = Watched(tmp_path)
    await watched.watcher.look_now()
    written(tmp_path, SOLD)
    await watched.watcher.look_now()
    assert watched.key == "SOLD"


# -- files that name no account -------------------------------------------------------------------


def test_a_file_without_an_account_is_the_configured_ones(tmp_path: Path) -> None:
    path = written(tmp_path, NAMELESS, "a.yaml")
    written(tmp_path, SHOP.replace("shop", "bank"), "b.yaml")
    menus = MenuFiles(("*.yaml",), tmp_path, "shop").load()
    assert set(menus.desired) == {"shop", "bank"}
    assert menus.desired["shop"].file == path
    assert menus.refused == {}


@pytest.mark.parametrize("other", [SHOP, NAMELESS, SHOP.replace("click", "clik")])
def test_two_files_for_the_configured_account_are_both_refused(tmp_path: Path, other: str) -> None:
    one = written(tmp_path, NAMELESS, "a.yaml")
    two = written(tmp_path, other, "b.yaml")
    menus = MenuFiles(("*.yaml",), tmp_path, "shop").load()
    assert menus.desired == {}
    assert set(menus.unusable["shop"]) == {one, two}
    assert any(str(two) in violation.message for violation in menus.refused[one])
    assert any(str(one) in violation.message for violation in menus.refused[two])


def test_a_broken_file_without_an_account_is_reported_as_the_configured_ones(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, NAMELESS.replace("click", "clik"))
    menus = MenuFiles(("*.yaml",), tmp_path, "shop").load()
    assert menus.unusable == {"shop": (path,)}
    assert all("`account`" not in violation.message for violation in menus.refused[path])


def _version(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir()
    written(folder / name, text)
