"""What a world that is ready has printed, and that it works when pasted."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.fixtures.tools import require_tool
from tests.local_world.worlds import World, control, shell
from zhongkong.local_world import names, plan
from zhongkong.local_world.kept import FORMS
from zhongkong.local_world.processes import environment


def test_the_printed_curl_line_fetches_a_token(world: World, tmp_path: Path) -> None:
    require_tool("curl")
    answer = json.loads(pasted(world.line("/tokens/access_token"), tmp_path))
    assert answer["account"] == "shop"
    assert answer["kind"] == "access_token"
    assert len(answer["value"]) > 100
    assert 0 < answer["expires_in"] <= 7200


def test_the_printed_push_is_answered_in_the_users_chat(world: World, tmp_path: Path) -> None:
    require_tool("curl")
    answer = json.loads(pasted(world.line("/pushes?wait_s="), tmp_path))
    assert answer["outcome"] == "answered"
    feed = control(world.base, "GET", f"/accounts/{names.APPID}/users/{names.USER}/feed")
    assert "已买入 1 手" in feed["entries"][-1]["content"]["content"]


def test_the_printed_send_command_shows_the_bots_answer(world: World, tmp_path: Path) -> None:
    assert "您持有 0 手" in pasted(world.line("callback_gateway send"), tmp_path)


def test_the_printed_status_command_shows_a_table(world: World, tmp_path: Path) -> None:
    assert "shop" in pasted(world.line("token_service status"), tmp_path)


def test_no_key_is_printed(world: World) -> None:
    for name in FORMS:
        assert (world.folder / name).read_text().strip() not in world.child.output


def test_every_address_is_printed(world: World) -> None:
    for port in plan.ports(world.base).values():
        assert f"http://127.0.0.1:{port}" in world.welcome


def test_lines_of_parts_stand_behind_their_names_without_colours(world: World) -> None:
    line = world.line("token_refreshed")
    assert line.split(" | ")[0].strip() == "token-service"
    assert "account=shop" in line
    assert "\x1b" not in world.child.output


def test_all_files_are_for_their_owner_alone(world: World) -> None:
    for path in (world.folder, *world.folder.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_the_parts_are_tied_to_their_own_process_groups(world: World) -> None:
    groups = {int(Path(f"/proc/{pid}/stat").read_text().split()[4]) for pid in world.parts()}
    assert len(groups) == 5
    assert world.child.pid not in groups


def test_a_part_gets_no_setting_and_no_key_of_ours_from_the_environment() -> None:
    ours = {
        "TOKEN_SERVICE__LISTEN": "x",
        "CALLBACK_GATEWAY_CONFIG": "x",
        "MENU_WORKER__INTERVAL": "x",
        "ZHONGKONG_EMULATOR__SEED": "x",
        "ZHONGKONG_ADMIN_KEY": "x",
        "WECHAT_SECRET": "x",
    }
    for part in plan.parts(8080, "folder"):
        assert environment(part, ours | {"PATH": "/bin"}) == {"PATH": "/bin"}


def pasted(line: str, folder: Path) -> str:
    done = shell(line, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
