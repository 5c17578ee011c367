"""The keys of opaque tokens, handed on in files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.token_service.settings_files import MINIMAL, SECRET, loaded, write
from token_service.keys_out import NoKeysOut, keys_to_hand_on, written
from token_service.opaque_keys import opaque_tokens
from zhongkong.runtime.clock import SystemRandomness

STORE = "store: sqlite:///x.db\n"
FIRST, SECOND = "the first key, long enough to be one", "the second key, long enough to be one"


def test_the_file_beside_the_store_is_read_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "x.db.opaque-keys").write_text(f"{FIRST}\n\n{SECOND}\n")
    service = loaded(tmp_path, STORE + MINIMAL)
    assert keys_to_hand_on(service.path, {}) == [FIRST, SECOND]
    assert len(opaque_tokens(service, SystemRandomness()).key_ids) == 2


def test_the_secrets_of_the_accounts_need_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "x.db.opaque-keys").write_text(f"{FIRST}\n")
    path = write(tmp_path, STORE + MINIMAL.replace("{file: shop.secret}", "{env: NOT_SET}"))
    assert keys_to_hand_on(path, {}) == [FIRST]


def test_configured_keys_are_handed_on_too(tmp_path: Path) -> None:
    text = STORE + "opaque_token_keys: [{file: shop.secret}]\n" + MINIMAL
    assert keys_to_hand_on(write(tmp_path, text), {}) == [SECRET]


@pytest.mark.parametrize("store", [STORE, "store: memory://\n"])
def test_where_there_are_no_keys_none_are_made(tmp_path: Path, store: str) -> None:
    with pytest.raises(NoKeysOut, match="where the service keeps its store"):
        keys_to_hand_on(write(tmp_path, store + MINIMAL), {})
    assert not (tmp_path / "x.db.opaque-keys").exists()


def test_a_file_that_cannot_be_read_says_who_may(tmp_path: Path) -> None:
    (tmp_path / "x.db.opaque-keys").mkdir()
    with pytest.raises(NoKeysOut, match="as the user that the service has"):
        keys_to_hand_on(write(tmp_path, STORE + MINIMAL), {})


def test_each_key_gets_a_file_of_its_own_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with written([FIRST, SECOND], tmp_path / "key") as paths:
            pass
    finally:
        os.umask(before)
    assert paths == [tmp_path / "key", tmp_path / "key.2"]
    assert [path.read_text() for path in paths] == [f"{FIRST}\n", f"{SECOND}\n"]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_the_files_can_be_used_as_they_are(tmp_path: Path) -> None:
    with written([FIRST, SECOND], tmp_path / "key"):
        pass
    entry = "opaque_token_keys: [{file: key}, {file: key.2}]\n"
    assert keys_to_hand_on(write(tmp_path, entry + MINIMAL), {}) == [FIRST, SECOND]


def _fails_inside(folder: Path) -> None:
    with written([FIRST, SECOND], folder / "key"):
        raise RuntimeError("the copy failed")


def test_nothing_is_left_behind_when_the_copy_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        _fails_inside(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_overwritten_and_what_was_begun_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "key.2").write_text("somebody's")
    with pytest.raises(NoKeysOut, match=r"key\.2 exists already"):
        _fails_inside(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["key.2"]
    assert (tmp_path / "key.2").read_text() == "somebody's"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoKeysOut, match="exists already"):
        _fails_inside(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoKeysOut, match="none/key can't be written: No such file"):
        _fails_inside(tmp_path / "none")
