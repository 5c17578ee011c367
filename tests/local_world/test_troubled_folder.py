"""A folder with something wrong in it: the file is named, with what to do, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhongkong.local_world import names, ports
from zhongkong.local_world.folder import claimed, prepare
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.startup import CannotStart


@pytest.mark.parametrize(
    "name",
    [names.ADMIN_KEY, names.TOKEN_SERVICE_CONFIG, names.OWNER, names.STORE, names.MENU],
)
def test_a_directory_in_a_files_place_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(CannotStart) as refused:
        prepare(tmp_path, 8080, SystemRandomness())
    assert str(refused.value).startswith(f"{tmp_path / name} can't be used")
    assert "move it away, or name another place with --folder" in str(refused.value)


def test_a_file_in_a_directorys_place_is_named(tmp_path: Path) -> None:
    (tmp_path / names.MENUS).touch()
    with pytest.raises(CannotStart, match=f"{tmp_path / names.MENUS} can't be used"):
        prepare(tmp_path, 8080, SystemRandomness())


def test_a_directory_among_the_menus_is_no_menu(tmp_path: Path) -> None:
    (tmp_path / names.MENUS / "a.yaml").mkdir(parents=True)
    assert prepare(tmp_path, 8080, SystemRandomness()) == tmp_path / names.MENU


def test_whose_folder_it_is_is_never_shown_unless_it_is_an_account(tmp_path: Path) -> None:
    (tmp_path / names.OWNER).write_bytes(b"\x1b[2J\x00 garbage")
    with pytest.raises(CannotStart) as refused:
        prepare(tmp_path, 8080, SystemRandomness())
    assert str(refused.value).startswith(f"{tmp_path / names.OWNER} names no account; remove it")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("elsewhere", "said"), [(False, "make run PORT_BASE="), (True, "--folder FOLDER")]
)
def test_a_second_world_is_told_another_folder_where_ports_alone_would_not_do(
    tmp_path: Path, elsewhere: bool, said: str
) -> None:
    advice = ports.advice(30_000, elsewhere=elsewhere)
    with (
        claimed(tmp_path, ""),
        pytest.raises(CannotStart, match="runs in") as refused,
        claimed(tmp_path, advice),
    ):
        raise AssertionError("two worlds hold one folder")
    assert said in str(refused.value)
