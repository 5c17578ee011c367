"""Many files, each for itself: one account's fault keeps no other from its menu."""

from __future__ import annotations

from pathlib import Path

import pytest

from menu_worker.desired import DesiredRefused, KeyPlace, load_all, load_file
from tests.menu_worker.files import loaded, written

SHOP = "account: shop\nbutton:\n  - {type: click, name: 买入, key: BUY_IN}\n"
BANK = SHOP.replace("shop", "bank")


def test_a_file_says_whose_menu_it_holds_and_where_its_keys_stand(tmp_path: Path) -> None:
    desired = loaded(tmp_path, SHOP)
    assert desired.account == "shop"
    assert desired.file == tmp_path / "shop.yaml"
    assert desired.keys == (KeyPlace("click", "BUY_IN", 3, 29),)


def test_the_callers_account_stands_in_where_the_file_names_none(tmp_path: Path) -> None:
    path = written(tmp_path, SHOP.partition("\n")[2])
    assert load_file(path, default_account="bank").account == "bank"
    with pytest.raises(DesiredRefused, match="`account` is missing"):
        load_file(path)
    assert load_file(written(tmp_path, SHOP), default_account="bank").account == "shop"


def test_every_file_that_a_glob_matches_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "menus"
    folder.mkdir()
    written(folder, SHOP, "a.yaml")
    written(folder, BANK, "b.yaml")
    written(folder, "not: read", "c.txt")
    loaded_menus = load_all(["menus/*.yaml", str(folder / "a.yaml")], tmp_path)
    assert set(loaded_menus.desired) == {"shop", "bank"}
    assert loaded_menus.desired["shop"].file == folder / "a.yaml"
    assert not loaded_menus.refused
    assert not loaded_menus.unmatched


def test_an_account_fails_alone(tmp_path: Path) -> None:
    written(tmp_path, SHOP, "a.yaml")
    bad = written(tmp_path, "account: bank\nbutton: [7]\n", "b.yaml")
    worse = written(tmp_path, "account: [", "c.yaml")
    found = load_all(["*.yaml"], tmp_path)
    assert set(found.desired) == {"shop"}
    assert set(found.refused) == {bad, worse}
    assert found.unusable == {"bank": (bad,)}


def test_two_files_for_one_account_are_both_refused(tmp_path: Path) -> None:
    one = written(tmp_path, SHOP, "a.yaml")
    two = written(tmp_path, SHOP, "b.yaml")
    found = load_all(["*.yaml"], tmp_path)
    assert not found.desired
    assert found.unusable == {"shop": (one, two)}
    assert str(two) in found.refused[one][0].message
    assert str(one) in found.refused[two][0].message


def test_a_broken_second_file_for_an_account_keeps_the_first_from_being_used(
    tmp_path: Path,
) -> None:
    written(tmp_path, SHOP, "a.yaml")
    written(tmp_path, SHOP.replace("click", "clik"), "b.yaml")
    assert not load_all(["*.yaml"], tmp_path).desired


def test_patterns_without_a_file_are_named_whole(tmp_path: Path) -> None:
    written(tmp_path, SHOP, "a.yaml")
    found = load_all(["*.yaml", "menus/*.yaml", "gone.yaml"], tmp_path)
    assert found.unmatched == (f"{tmp_path}/menus/*.yaml", f"{tmp_path}/gone.yaml")


def test_the_versions_behind_a_kubernetes_volume_are_not_matched(tmp_path: Path) -> None:
    version = tmp_path / "..2024_01_01"
    version.mkdir()
    written(version, SHOP, "shop.yaml")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "shop.yaml").symlink_to("..data/shop.yaml")
    for pattern in ("*.yaml", "**/*.yaml"):
        assert load_all([pattern], tmp_path).desired["shop"].file == tmp_path / "shop.yaml"
