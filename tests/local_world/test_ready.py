"""What a world that is ready has printed, and that it works when pasted."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.local_world.worlds import READY, World, shell
from zhongkong.local_world import plan


def test_the_printed_curl_line_fetches_a_token(world: World, tmp_path: Path) -> None:
    answer = pasted(world.line("/tokens/access_token"), world, plan.ORDERS_KEY, tmp_path)
    assert answer["account"] == "shop"
    assert answer["kind"] == "access_token"
    assert len(answer["value"]) > 100
    assert 0 < answer["expires_in"] <= 7200


def test_the_printed_status_line_shows_the_account(world: World, tmp_path: Path) -> None:
    answer = pasted(world.line("/admin.key')\""), world, plan.ADMIN_KEY, tmp_path)
    assert answer["ready"] is True
    assert [token["account"] for token in answer["tokens"]] == ["shop"]


def test_the_printed_status_command_shows_a_table(world: World, tmp_path: Path) -> None:
    done = shell(world.line("token_service status"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "shop" in done.stdout


def test_no_key_is_printed(world: World) -> None:
    for name in plan.KEPT:
        assert (world.folder / name).read_text().strip() not in world.child.output


def test_every_address_is_printed(world: World) -> None:
    printed = world.child.output.partition(READY)[2]
    for port in plan.ports(world.base).values():
        assert f"http://127.0.0.1:{port}" in printed


def test_lines_of_parts_stand_behind_their_names_without_colours(world: World) -> None:
    line = world.line("token_refreshed")
    assert line.split(" | ")[0].strip() == "token-service"
    assert "account=shop" in line
    assert "\x1b" not in world.child.output


def test_all_files_are_for_their_owner_alone(world: World) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in world.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(world.folder.stat().st_mode) == 0o700


def test_the_parts_are_tied_to_their_own_process_groups(world: World) -> None:
    groups = {int(Path(f"/proc/{pid}/stat").read_text().split()[4]) for pid in world.parts()}
    assert len(groups) == 3
    assert world.child.pid not in groups


def pasted(line: str, world: World, key: str, folder: Path) -> Any:
    if shutil.which("curl") is not None:
        done = shell(line, folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    bearer = (world.folder / key).read_text().strip()
    request = Request(line.rpartition(" ")[2], headers={"Authorization": f"Bearer {bearer}"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)
