from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zhongkong.runtime.settings import Settings, load
from zhongkong.runtime.settings.errors import KeyPath


class Example(Settings):
    names: tuple[str, ...] = ()
    limit: int = 1

    def notices(self) -> Iterable[tuple[KeyPath, str]]:
        for index, name in enumerate(self.names):
            if name == "odd":
                yield ("names", index), "is odd"

    def landmarks(self) -> Iterable[KeyPath]:
        return [("names", index) for index in range(len(self.names))]


def test_a_remark_of_the_settings_stands_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text("names:\n  - plain\n  - odd\n")

    assert load(Example, path, {}, prefix="X").notices == (f"{path}:3: names[1]: is odd",)


def test_landmarks_are_kept_with_the_line_or_variable_that_made_them(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text("names:\n  - plain\n")

    assert load(Example, path, {"X__NAMES__1": "odd"}, prefix="X").places == {
        ("names", 0): f"{path}:2",
        ("names", 1): "X__NAMES__1",
    }


def test_settings_that_remark_nothing_have_none(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text("limit: 2\n")

    class Silent(Settings):
        limit: int

    found = load(Silent, path, {}, prefix="X")
    assert (found.notices, dict(found.places)) == ((), {})
