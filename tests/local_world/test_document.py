"""What docs/local-world.md says of options, ports and files is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from tests.docs.blocks import ROOT, rows
from tests.docs.pages import cells
from zhongkong.cli import app
from zhongkong.local_world import names, plan
from zhongkong.local_world.folder import prepare
from zhongkong.runtime.clock import SystemRandomness

PAGE = ROOT / "docs" / "local-world.md"
TABLE = rows(PAGE)


def test_every_option_is_told_and_no_other() -> None:
    up = get_command(app).commands["up"]  # type: ignore[attr-defined]
    there = {name for each in up.params for name in (*each.opts, *each.secondary_opts)}
    told = [re.findall(r"--[a-z-]+", row[0]) for row in TABLE if row[0].startswith("`--")]
    assert {option for options in told for option in options} == there - {"--help"}


def test_every_port_is_told_and_no_other() -> None:
    told = [int(offset) for row in TABLE for offset in re.findall(r"base \+ (\d+)", str(row))]
    assert {0, *told} == set(plan.ports(0).values())


def test_every_file_is_told(tmp_path: Path) -> None:
    prepare(tmp_path, plan.DEFAULT_BASE, SystemRandomness())
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    stores = {names.STORE, names.MENU_STORE, names.INBOX}
    assert there | stores <= cells(TABLE, 0)
