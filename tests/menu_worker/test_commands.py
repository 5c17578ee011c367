"""What commands print and how they end; WeChat's part is played by the emulator's model."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from menu_worker.cli import main
from menu_worker.menu import NO_MENU, Button, Conditional, Menu, Rule
from menu_worker.platform import CREATE, DELETE
from menu_worker.schema import schema_text
from tests.fixtures.alone import alone_in
from tests.menu_worker.fleets import BUY, SELL
from tests.menu_worker.served import Shop, open_shop

Output = pytest.CaptureFixture[str]

TODAY = Button("今日收益", "view", (("url", "http://www.soso.com/"),))
RICH = Menu(
    (*BUY.buttons, Button("查收益", children=(TODAY,))),
    (Conditional(Rule((("tag_id", "2"),)), SELL.buttons),),
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, "shop", "bank") as it:
        yield it


# -- plan -----------------------------------------------------------------------------------------


async def test_a_plan_shows_every_change_and_exits_2(shop: Shop, capsys: Output) -> None:
    shop.world.somebody_writes("shop", SELL)
    shop.desire("shop", RICH)

    assert await shop.command("plan") == 2
    assert capsys.readouterr().out.splitlines() == [
        "shop",
        "  default menu",
        "    - 卖出  SELL",
        "    + 买入  BUY_IN",
        "    + 查收益",
        "    + 查收益 / 今日收益  http://www.soso.com/",
        "  conditional menu for tag_id=2",
        "    + 卖出  SELL",
        "  4 added, 1 removed; calls: create, addconditional",
        "  users see it within about 5 minutes, when they next enter the chat",
    ]
    assert shop.world.live("shop") == SELL


async def test_a_plan_without_changes_exits_0(shop: Shop, capsys: Output) -> None:
    shop.world.somebody_writes("shop", BUY)
    shop.desire("shop", BUY)
    assert await shop.command("plan") == 0
    assert capsys.readouterr().out == "shop\n  no change\n"


async def test_a_plan_says_what_an_apply_would_refuse(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", _many(9))
    assert await shop.command("apply") == 0
    shop.desire("shop", BUY)
    assert await shop.command("plan") == 2
    assert "apply would refuse: 9 of the 9 buttons" in capsys.readouterr().out


async def test_a_plan_as_json_is_the_document_alone(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    shop.desire("bank", BUY)
    assert await shop.command("plan", "--json", "--account", "b*") == 2
    document = json.loads(capsys.readouterr().out)
    [account] = document["accounts"]
    assert account["account"] == "bank"
    assert account["changes"][0]["kind"] == "added"
    assert document["errors"] == []


async def test_a_menu_of_the_web_console_is_announced(shop: Shop, capsys: Output) -> None:
    from tests.menu_worker.fleets import appid_of
    from zhongkong.emulator.menu_state import Button as Made

    world = shop.world
    made = (Made("公告", "text", (("value", "你好"),)),)
    world.model.console.publish_menu(appid_of("shop"), made, world.clock.now())
    shop.desire("shop", BUY)
    assert await shop.command("plan") == 2
    assert "  replaces the menu made in WeChat's console" in capsys.readouterr().out


async def test_an_error_outranks_changes(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    shop.desire("bank", BUY)
    shop.away.add("bank")
    assert await shop.command("plan", "--out", "plan.json") == 1
    output = capsys.readouterr()
    assert "bank: the token service answered 503" in output.err
    assert "plan.json is not written" in output.err
    assert "2 accounts: 1 with changes, 1 that could not be planned" in output.out


async def test_nothing_that_steers_a_terminal_is_printed(shop: Shop, capsys: Output) -> None:
    evil = Menu((Button("a\x9b31m[red]b", "click", (("key", "K"),)),))
    shop.world.somebody_writes("shop", evil)
    shop.desire("shop", BUY)
    await shop.command("plan")
    shown = capsys.readouterr().out
    assert "a\\x9b31m[red]b" in shown
    assert "\x9b" not in shown


# -- apply ----------------------------------------------------------------------------------------


async def test_an_apply_makes_the_menu_live_and_a_second_one_only_reads(
    shop: Shop, capsys: Output
) -> None:
    shop.desire("shop", RICH)
    assert await shop.command("apply") == 0
    assert "applied and verified as revision 1" in capsys.readouterr().out
    assert shop.world.live("shop") == RICH
    begun = len(shop.world.caller.calls)
    assert await shop.command("apply") == 0
    assert capsys.readouterr().out == "shop: the live menu is the desired one\n"
    assert len(shop.world.caller.calls) == begun + 1


async def test_too_much_removed_is_refused_with_3_and_forced_with_0(
    shop: Shop, capsys: Output
) -> None:
    shop.desire("shop", _many(9))
    await shop.command("apply")
    shop.desire("shop", BUY)
    assert await shop.command("apply") == 3
    assert "`apply --force` lets it pass" in capsys.readouterr().out
    assert shop.world.live("shop") == _many(9)
    assert await shop.command("apply", "--force") == 0
    assert shop.world.live("shop") == BUY


@pytest.mark.parametrize("text", ["", "account: shop\nbutton: []\n"], ids=["no text", "no button"])
async def test_an_empty_menu_exits_3_and_deletes_nothing(
    shop: Shop, capsys: Output, text: str
) -> None:
    shop.world.somebody_writes("shop", BUY)
    path = shop.desire("shop", BUY)
    path.write_text(text)
    assert await shop.command("apply") == 3
    assert str(path) in capsys.readouterr().err
    assert await shop.command("apply", "--force") == 3
    assert await shop.command("plan") == 1
    assert await shop.command("validate") == 1
    assert shop.world.live("shop") == BUY
    assert shop.world.caller.count("shop", DELETE) == 0


async def test_an_empty_menu_deletes_where_that_is_allowed(shop: Shop, capsys: Output) -> None:
    shop.world.somebody_writes("shop", BUY)
    shop.configure(allow_delete=True)
    shop.desire("shop", NO_MENU).write_text("account: shop\nbutton: []\n")
    assert await shop.command("validate") == 0
    assert await shop.command("plan") == 2
    assert "deletes the live menu" in capsys.readouterr().out
    assert await shop.command("apply") == 0
    assert shop.world.live("shop") == NO_MENU


async def test_no_matching_file_exits_3_and_is_named(shop: Shop, capsys: Output) -> None:
    assert await shop.command("apply") == 3
    assert f"{shop.folder}/menus/*.yaml: no file is there" in capsys.readouterr().err
    assert await shop.command("plan") == 1
    assert await shop.command("validate") == 1
    shop.desire("shop", BUY)
    assert await shop.command("apply", "--account", "bank") == 3
    assert "bank: no desired file is for such an account" in capsys.readouterr().err


async def test_an_invalid_file_exits_1_and_the_others_are_applied(
    shop: Shop, capsys: Output
) -> None:
    shop.desire("shop", BUY)
    path = shop.desire("bank", BUY)
    path.write_text("account: bank\nbutton: [7]\n")
    assert await shop.command("apply") == 1
    assert f"{path}:2:" in capsys.readouterr().err
    assert shop.world.live("shop") == BUY
    assert await shop.command("apply", "--account", "shop") == 0


async def test_over_several_accounts_an_error_outranks_a_refusal(
    shop: Shop, capsys: Output
) -> None:
    shop.desire("shop", _many(9))
    shop.desire("bank", BUY)
    await shop.command("apply")
    shop.desire("shop", BUY)
    assert await shop.command("apply") == 3
    shop.away.add("bank")
    assert await shop.command("apply") == 1
    assert "2 accounts: 1 unavailable (bank), 1 guarded (shop)" in capsys.readouterr().out


async def test_an_apply_as_json_names_each_account(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    assert await shop.command("apply", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accounts"] == [
        {
            "account": "shop",
            "result": "applied",
            "detail": "applied and verified as revision 1",
            "revision": 1,
        }
    ]


async def test_a_wrong_key_is_an_error_that_says_so(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    (shop.folder / "key").write_text("another-key-0123456789abcdefghijk")
    assert await shop.command("apply") == 1
    assert "the token service answered 401" in capsys.readouterr().out


async def test_a_file_that_names_no_account_is_the_configured_ones(shop: Shop) -> None:
    shop.configure(account="bank")
    shop.desire("bank", BUY).write_text("button: [{type: click, name: 买入, key: BUY_IN}]\n")
    assert await shop.command("apply") == 0
    assert shop.world.live("bank") == BUY


# -- plan files -----------------------------------------------------------------------------------


async def test_a_kept_plan_is_applied_while_all_is_as_it_was(shop: Shop) -> None:
    shop.desire("shop", BUY)
    assert await shop.command("plan", "--out", "plan.json") == 2
    assert await shop.command("apply", "--plan", "plan.json") == 0
    assert shop.world.live("shop") == BUY
    assert await shop.command("apply", "--plan", "plan.json") == 0, "nothing is left to do"


async def test_a_plan_is_stale_when_the_live_menu_has_changed(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("plan", "--out", "plan.json")
    shop.world.somebody_writes("shop", SELL)
    assert await shop.command("apply", "--plan", "plan.json") == 3
    assert "the live menu has changed since this plan was made" in capsys.readouterr().out
    assert shop.world.live("shop") == SELL


async def test_a_plan_is_stale_when_the_desired_menu_has_changed(shop: Shop) -> None:
    path = shop.desire("shop", BUY)
    await shop.command("plan", "--out", "plan.json")
    shop.desire("shop", SELL)
    assert await shop.command("apply", "--plan", "plan.json", "--force") == 3
    path.unlink()
    shop.desire("bank", BUY)
    assert await shop.command("apply", "--plan", "plan.json") == 3
    assert shop.world.caller.count("shop", CREATE) == 0
    assert shop.world.caller.count("bank", CREATE) == 0, "the plan doesn't have it"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"format": "else"},
        {"format": "zhongkong-menu-plan", "version": 2},
        {"format": "zhongkong-menu-plan", "version": 1, "accounts": [{"account": "shop"}]},
        {"format": "zhongkong-menu-plan", "version": 1, "accounts": [7]},
    ],
)
async def test_what_is_no_plan_file_exits_1(shop: Shop, capsys: Output, document: object) -> None:
    shop.desire("shop", BUY)
    Path("plan.json").write_bytes(orjson.dumps(document))
    assert await shop.command("apply", "--plan", "plan.json") == 1
    assert "plan.json" in capsys.readouterr().err
    assert shop.world.caller.calls == []


async def test_a_plan_file_has_a_size_limit(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    Path("plan.json").write_bytes(b" " * (1024 * 1024 + 1))
    assert await shop.command("apply", "--plan", "plan.json") == 1
    assert "is larger than 1048576 bytes" in capsys.readouterr().err


# -- history, rollback, pause ---------------------------------------------------------------------


async def test_the_history_lists_what_was_written(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("apply")
    shop.desire("shop", RICH)
    await shop.command("apply")
    capsys.readouterr()
    assert await shop.command("history") == 0
    shown = capsys.readouterr().out
    assert "apply by" in shown
    assert "1, 3" in shown
    assert await shop.command("history", "--json", "--limit", "1") == 0
    [revision] = json.loads(capsys.readouterr().out)["revisions"]
    assert revision["revision"] == 2
    assert revision["outcome"] == "verified"
    assert revision["before"] == BUY.document()


async def test_a_rollback_brings_back_what_was_live_before(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("apply")
    shop.desire("shop", RICH)
    await shop.command("apply")
    assert await shop.command("rollback", "2") == 0
    assert shop.world.live("shop") == BUY
    shown = capsys.readouterr().out
    assert "brings the desired menu back with its next pass" in shown
    assert "`menu-worker pause shop`" in shown
    assert await shop.command("apply") == 0
    assert shop.world.live("shop") == RICH, "the desired menu is back"


async def test_a_rollback_passes_a_pause_and_an_apply_does_not(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("apply")
    shop.desire("shop", RICH)
    await shop.command("apply")
    assert await shop.command("pause", "shop") == 0
    assert await shop.command("rollback", "2") == 0
    assert "is paused by" in capsys.readouterr().out
    assert await shop.command("apply") == 3
    assert "paused by" in capsys.readouterr().out
    assert shop.world.live("shop") == BUY
    assert await shop.command("resume", "shop") == 0
    assert await shop.command("apply") == 0
    assert shop.world.live("shop") == RICH


async def test_what_can_not_be_rolled_back_exits_1(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("apply")
    assert await shop.command("rollback", "1") == 1
    assert "no menu was live before it" in capsys.readouterr().err
    assert await shop.command("rollback", "7") == 1
    assert "has no revision 7" in capsys.readouterr().err
    assert shop.world.live("shop") == BUY


async def test_of_several_accounts_a_rollback_wants_to_know_which(shop: Shop) -> None:
    shop.desire("shop", BUY)
    shop.desire("bank", BUY)
    assert await shop.command("rollback", "1") == 64


async def test_a_rollback_takes_the_account_from_other_workers(shop: Shop, capsys: Output) -> None:
    shop.desire("shop", BUY)
    await shop.command("apply")
    shop.configure(instance="worker-2")
    shop.desire("shop", RICH)
    await shop.command("apply")
    shop.configure(instance="laptop")
    assert await shop.command("rollback", "2") == 0
    assert "until their files change, these stand down: worker-2" in capsys.readouterr().out
    shop.configure(instance="worker-2")
    assert await shop.command("apply") == 1
    assert "stands down: laptop took another menu up" in capsys.readouterr().out
    assert await shop.command("apply", "--force") == 0
    assert shop.world.live("shop") == RICH


# -- the others -----------------------------------------------------------------------------------


async def test_an_imported_menu_is_the_live_one(shop: Shop, capsys: Output) -> None:
    shop.world.somebody_writes("shop", SELL)
    assert await shop.command("import", "--account", "shop", "-o", "menus.yaml") == 0
    shop.configure(menus=["menus.yaml"])
    assert await shop.command("plan") == 0
    assert await shop.command("import", "-o", "menus.yaml") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert await shop.command("import", "-o", "menus.yaml", "--overwrite") == 0


async def test_a_preview_shows_desired_beside_live(shop: Shop) -> None:
    shop.world.somebody_writes("shop", SELL)
    path = shop.desire("shop", BUY)
    assert await shop.command("preview", str(path), "-o", "menu.html") == 0
    page = Path("menu.html").read_text(encoding="utf-8")
    assert "买入" in page
    assert "卖出" in page
    assert await shop.command("preview", str(path), "-o", "menu.html", "--offline") == 0
    assert "卖出" not in Path("menu.html").read_text(encoding="utf-8")


async def test_a_preview_whose_live_menu_can_not_be_read_exits_1(
    shop: Shop, capsys: Output
) -> None:
    shop.away.add("shop")
    path = shop.desire("shop", BUY)
    assert await shop.command("preview", str(path), "-o", "menu.html") == 1
    assert "--offline" in capsys.readouterr().err


async def test_violations_name_file_line_and_column(shop: Shop, capsys: Output) -> None:
    path = shop.desire("shop", BUY)
    path.write_text("account: shop\nbutton:\n  - {type: clik, name: 买入, key: K}\n")
    assert await shop.command("validate") == 1
    assert capsys.readouterr().out.startswith(f"{path}:3:")


def test_files_are_validated_without_any_configuration(tmp_path: Path, capsys: Output) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("account: shop\nbutton:\n  - {type: click, name: 买入, key: BUY_IN}\n")
    assert main(["validate", "good.yaml"]) == 0
    assert capsys.readouterr().out == "good; account: shop\n"
    assert main(["validate", "good.yaml", "bad.yaml"]) == 1
    assert capsys.readouterr().out == "bad.yaml: no file is there\n"
    assert main(["validate"]) == 1
    assert "menu_worker.yaml" in capsys.readouterr().err


def test_keys_that_no_route_handles_are_named(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "menu.yaml").write_text(
        "account: shop\nbutton:\n  - {type: click, name: 买入, key: BUY_IN}\n"
    )
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text('routes: [{match: {type: event, key: "BUY_*"}, reply: trading}]\n')
    assert main(["validate", "menu.yaml", "--routes", "gateway.yaml"]) == 0
    gateway.write_text('routes: [{match: {type: event, key: "SELL_*"}, reply: trading}]\n')
    capsys.readouterr()
    assert main(["validate", "menu.yaml", "--routes", "gateway.yaml"]) == 1
    assert 'no route of gateway.yaml handles the key "BUY_IN"' in capsys.readouterr().out


async def test_files_are_validated_without_the_secrets_of_the_configuration(shop: Shop) -> None:
    shop.desire("shop", BUY)
    (shop.folder / "key").unlink()
    assert await shop.command("validate") == 0
    assert await shop.command("plan") == 1


def test_the_schema_is_the_one_that_is_shipped(capsys: Output) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


async def test_a_good_configuration_is_called_good(shop: Shop, capsys: Output) -> None:
    assert await shop.command("config", "check") == 0
    assert capsys.readouterr().out == f"{shop.config}: good; patterns of desired files: 1\n"


async def test_a_store_that_can_not_be_opened_is_one_line_and_exits_1(
    shop: Shop, capsys: Output
) -> None:
    shop.desire("shop", BUY)
    (shop.folder / "menus.db").write_text("no database" * 100)
    assert await shop.command("apply") == 1
    output = capsys.readouterr()
    assert "menus.db" in output.err
    assert "Traceback" not in output.err


async def test_commands_may_share_the_file_with_one_another(shop: Shop) -> None:
    shop.desire("shop", BUY)
    with sqlite3.connect(shop.folder / "menus.db") as other:
        assert await shop.command("apply") == 0
        assert other.execute("SELECT count(*) FROM revisions").fetchone() == (1,)
    other.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run", "--nonsense"],
        ["plan", "--account", "a b"],
        ["apply", "plan.json"],
        ["preview", "menu.yaml"],
        ["preview", "-o", "menu.html"],
        ["history", "--limit", "0"],
        ["rollback"],
        ["rollback", "first"],
        ["pause"],
        ["resume", "a/b"],
        ["config", "chek"],
    ],
)
def test_a_misused_command_exits_64(arguments: list[str]) -> None:
    assert main(arguments) == 64


def _many(count: int) -> Menu:
    leaves = [Button(f"b{n}", "click", (("key", f"K{n}"),)) for n in range(count)]
    return Menu(
        tuple(
            Button(f"p{place}", children=tuple(leaves[place : place + 5]))
            for place in range(0, count, 5)
        )
    )
