"""Menus that people make in the web console, the history of all menus, and what phones show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given, strategies as st

from tests.emulator.clocks import HeldClock
from tests.emulator.menu_samples import CLICK, PARENT, VIEW, Shop, named
from tests.emulator.platforms import APPID, NOW, OPENID, account, classic, code_of, get, user
from tests.emulator.test_control import control
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.menu_sight import FETCHED_ANEW_AFTER_S
from zhongkong.emulator.menu_state import Button
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
TEXT = {"type": "text", "name": "营业时间", "value": "9:00"}
IMG = {"type": "img", "name": "地图"}
NEWS = {
    "type": "news",
    "name": "新闻",
    "value": "MEDIA_ID",
    "news_info": {
        "list": [
            {
                "title": "一",
                "author": "李",
                "digest": "短",
                "show_cover": 1,
                "cover_url": "http://a.example/c.png",
                "content_url": "http://a.example/1",
                "source_url": "",
            }
        ]
    },
}
MINI_PROGRAM = {
    "type": "miniprogram",
    "name": "小程序",
    "url": "https://example.com",
    "appid": "wx" + "f" * 16,
    "pagepath": "pages/index",
}
MENU = f"/accounts/{APPID}/console-menu"
HISTORY = f"/accounts/{APPID}/menu-history"
SEEN = f"/accounts/{APPID}/users/{OPENID}/menu"
HOURS = (Button("时间", "text", (("value", "9:00"),)),)
OTHER = "o" + "z" * 27


async def published(wechat: Client, *buttons: object) -> dict[str, Any]:
    return await control(wechat, "PUT", MENU, {"button": buttons})


def selfmenu(world: World, now: float = NOW) -> dict[str, Any]:
    target = f"/cgi-bin/get_current_selfmenu_info?access_token={classic(world.model)}"
    return get(world.model, target, now)


def shop(**switches: Any) -> Shop:
    return Shop(account(users=(user(tags=(7,)), user(OTHER))), **switches)


# ------------------------------------------------------------------ what it replaces


async def test_a_console_menu_takes_the_place_of_the_one_made_by_calls(
    wechat: Client, world: World
) -> None:
    token = classic(world.model)
    world.model.call("/cgi-bin/menu/create", token, NOW, body={"button": [named("x")]})
    assert code_of(get(world.model, f"/cgi-bin/menu/get?access_token={token}")) == 0
    await published(wechat, TEXT)
    assert code_of(get(world.model, f"/cgi-bin/menu/get?access_token={token}")) == 46003
    assert selfmenu(world) == {"is_menu_open": 1, "selfmenu_info": {"button": [TEXT]}}


def test_a_menu_made_by_a_call_takes_its_place_again() -> None:
    made = shop()
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert made.create(CLICK) == 0
    assert code_of(made.get("menu/get")) == 0
    shown = made.get("get_current_selfmenu_info")
    assert shown == {"is_menu_open": 1, "selfmenu_info": {"button": [CLICK]}}


@pytest.mark.parametrize(("keeps", "left"), [(False, 0), (True, 1)])
def test_conditional_menus_go_with_it_or_stay(keeps: bool, left: int) -> None:
    made = shop(console_keeps_conditional=keeps)
    made.create(CLICK)
    made.add({"tag_id": "7"})
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert code_of(made.get("menu/get")) == 46003
    made.create(CLICK)
    assert len(made.get("menu/get").get("conditionalmenu", [])) == left


def test_a_console_menu_is_no_default_for_conditional_ones() -> None:
    made = shop()
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert code_of(made.add({"tag_id": "7"})) == 65303
    assert code_of(made.post("trymatch", {"user_id": OPENID})) == 46003


@pytest.mark.parametrize(("takes", "open_after"), [(True, 0), (False, 1)])
def test_deleting_takes_it_away_or_not(takes: bool, open_after: int) -> None:
    made = shop(menu_delete_takes_console=takes)
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert code_of(made.get("menu/delete")) == 0
    assert made.get("get_current_selfmenu_info")["is_menu_open"] == open_after


def test_accounts_without_menu_calls_have_the_console_too() -> None:
    made = Shop(account(kind=AccountKind.SUBSCRIPTION))
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert made.create(CLICK) == 48001
    assert made.get("get_current_selfmenu_info")["is_menu_open"] == 1


# ------------------------------------------------------------------ its shape


async def test_it_is_shown_in_the_shape_in_which_it_was_made(wechat: Client, world: World) -> None:
    below = {"name": "更多", "sub_button": {"list": [TEXT, VIEW, MINI_PROGRAM]}}
    await published(wechat, below, NEWS, VIEW)
    assert selfmenu(world)["selfmenu_info"]["button"] == [below, NEWS, VIEW]


async def test_media_have_another_name_at_each_reading(wechat: Client, world: World) -> None:
    media = [{**IMG, "type": kind} for kind in ("img", "voice", "video")]
    await published(wechat, *media[:2], {"name": "更多", "sub_button": {"list": media[2:]}})
    names: set[str] = set()
    for _ in range(3):
        img, voice, more = selfmenu(world)["selfmenu_info"]["button"]
        (video,) = more["sub_button"]["list"]
        assert (list(img), video["value"][:7]) == (["type", "name", "value"], "http://")
        names |= {img["value"], voice["value"], video["value"]}
    assert len(names) == 9


@pytest.mark.parametrize(
    ("button", "problem"),
    [
        pytest.param([], "button", id="no buttons"),
        pytest.param([TEXT] * 4, "button", id="four buttons"),
        pytest.param([CLICK], "'text', 'img'", id="a type that only calls make"),
        pytest.param([{"type": "text", "name": "x"}], "value", id="a text without one"),
        pytest.param([{**TEXT, "key": "K"}], "key", id="a field of another type"),
        pytest.param([{**TEXT, "name": "六个汉字太长"}], "16 bytes", id="a long name on top"),
        pytest.param([PARENT], "sub_button", id="children in a bare list"),
        pytest.param(
            [{"name": "x", "sub_button": {"list": [TEXT] * 6}}], "list", id="six children"
        ),
        pytest.param(
            [{"name": "x", "sub_button": {"list": [{**TEXT, "name": "长" * 21}]}}],
            "60 bytes",
            id="a long name below",
        ),
        pytest.param(
            [
                {
                    "name": "x",
                    "sub_button": {"list": [{"name": "y", "sub_button": {"list": [TEXT]}}]},
                }
            ],
            "type",
            id="a third level",
        ),
        pytest.param([{**NEWS, "news_info": {"list": []}}], "news_info", id="news without any"),
    ],
)
async def test_what_the_console_has_no_room_for_is_refused_and_changes_nothing(
    wechat: Client, world: World, button: object, problem: str
) -> None:
    refused = await control(wechat, "PUT", MENU, {"button": button}, status=400)
    assert problem in refused["detail"]
    assert world.model.menu_history(APPID) == ()


async def test_an_unknown_account_has_no_console(wechat: Client) -> None:
    await control(wechat, "PUT", "/accounts/wx0/console-menu", {"button": [TEXT]}, status=404)


# ------------------------------------------------------------------ the switch


async def test_switched_off_the_menu_stays_and_nobody_sees_it(wechat: Client, world: World) -> None:
    await published(wechat, TEXT)
    closed = await control(wechat, "POST", f"{MENU}/closing")
    assert (closed["is_open"], closed["is_shown"], closed["made_by"]) == (False, False, "console")
    assert selfmenu(world) == {"is_menu_open": 0, "selfmenu_info": {"button": [TEXT]}}
    opened = await control(wechat, "POST", f"{MENU}/opening")
    assert opened["is_shown"]
    assert selfmenu(world)["is_menu_open"] == 1


def test_a_menu_made_by_calls_can_be_switched_off_and_still_be_read() -> None:
    made = shop()
    made.create(CLICK)
    made.model.console.switch_menu(APPID, NOW, is_open=False)
    assert made.get("menu/get")["menu"]["button"] == [{**CLICK, "sub_button": []}]
    assert made.get("get_current_selfmenu_info")["is_menu_open"] == 0


@pytest.mark.parametrize("opens", [False, True])
def test_a_call_switches_it_on_again_or_not(opens: bool) -> None:
    made = shop(create_opens_menu=opens)
    made.model.console.switch_menu(APPID, NOW, is_open=False)
    made.create(CLICK)
    assert made.get("get_current_selfmenu_info")["is_menu_open"] == opens


def test_publishing_switches_it_on() -> None:
    made = shop()
    made.model.console.switch_menu(APPID, NOW, is_open=False)
    made.model.console.publish_menu(APPID, HOURS, NOW)
    assert made.get("get_current_selfmenu_info")["is_menu_open"] == 1


# ------------------------------------------------------------------ the history


def test_every_write_and_edit_stands_in_one_history_with_who_made_it() -> None:
    made = shop()
    made.create(CLICK)
    menuid = made.add({"tag_id": "7"})["menuid"]
    made.model.console.publish_menu(APPID, HOURS, NOW + 1)
    made.create(VIEW)
    made.model.console.switch_menu(APPID, NOW + 2, is_open=False)
    made.model.console.switch_menu(APPID, NOW + 3, is_open=True)
    made.add({"tag_id": "7"})
    made.post("delconditional", {"menuid": str(int(menuid) + 2)})
    made.get("menu/delete")
    changes = made.model.menu_history(APPID)
    assert [(each.by, each.act) for each in changes] == [
        ("api", "create"),
        ("api", "addconditional"),
        ("console", "publish"),
        ("api", "create"),
        ("console", "close"),
        ("console", "open"),
        ("api", "addconditional"),
        ("api", "delconditional"),
        ("api", "delete"),
    ]
    assert [each.seq for each in changes] == list(range(1, 10))
    assert [each.at for each in changes[2:6]] == [NOW + 1, NOW, NOW + 2, NOW + 3]
    shown = [each.after.is_shown for each in changes]
    assert shown == [True, True, True, True, False, True, True, True, False]


def test_refused_writes_leave_no_trace() -> None:
    made = shop()
    assert made.create({**CLICK, "key": ""}) == 40019
    made.add({"tag_id": "7"})
    made.post("delconditional", {"menuid": "1"})
    assert made.model.menu_history(APPID) == ()


def test_each_state_in_the_history_tells_who_saw_what() -> None:
    made = shop()
    special, other = user(tags=(7,)), user(OTHER)
    made.create(named("default"))
    made.add({"tag_id": "7"}, named("seven"))
    made.model.console.publish_menu(APPID, HOURS, NOW)
    for person, names in (
        (special, ["default", "seven", "时间"]),
        (other, ["default"] * 2 + ["时间"]),
    ):
        states = [each.after for each in made.model.menu_history(APPID)]
        assert [state.shown_to(person).buttons[0].name for state in states] == names


def test_who_deletes_and_creates_is_seen_to_have_left_a_gap() -> None:
    made = shop()
    made.create(CLICK)
    made.get("menu/delete")
    made.create(VIEW)
    assert not all(each.after.is_shown for each in made.model.menu_history(APPID))


@given(st.lists(st.sampled_from(["create", "add", "delete", "publish", "close", "open"])))
def test_the_last_state_of_the_history_is_what_there_is(acts: list[str]) -> None:
    made = shop(conditional_at_most=1000)
    carried_out: dict[str, Callable[[], object]] = {
        "create": lambda: made.create(CLICK),
        "add": lambda: made.add({"tag_id": "7"}),
        "delete": lambda: made.get("menu/delete"),
        "publish": lambda: made.model.console.publish_menu(APPID, HOURS, NOW),
        "close": lambda: made.model.console.switch_menu(APPID, NOW, is_open=False),
        "open": lambda: made.model.console.switch_menu(APPID, NOW, is_open=True),
    }
    for act in acts:
        carried_out[act]()
        menus = made.model.accounts[APPID].menus
        if menus.history:
            assert menus.history[-1].after is menus.state
        assert menus.state.default is None or menus.state.console is None
        shown = made.get("get_current_selfmenu_info")
        assert shown["is_menu_open"] == menus.state.is_shown
        is_made_by_calls = code_of(made.get("menu/get")) == 0
        assert is_made_by_calls == (menus.state.default is not None)


async def test_the_history_is_read_by_pages(wechat: Client, world: World) -> None:
    assert (await control(wechat, "GET", HISTORY))["now"]["made_by"] is None
    for number in range(5):
        world.model.console.publish_menu(
            APPID, (Button(str(number), "text", HOURS[0].fields),), NOW
        )
    newest = await control(wechat, "GET", f"{HISTORY}?count=2")
    assert [each["seq"] for each in newest["changes"]] == [4, 5]
    assert newest["left_off"] == 3
    page = await control(wechat, "GET", f"{HISTORY}?after=1&count=3")
    assert [each["after"]["button"][0]["name"] for each in page["changes"]] == ["1", "2", "3"]
    assert (page["next"], page["left_off"], page["forgotten"]) == (4, 1, 0)
    over = await control(wechat, "GET", f"{HISTORY}?after=5")
    assert (over["changes"], over["next"]) == ([], 5)
    await control(wechat, "GET", f"{HISTORY}?count=0", status=400)


async def test_a_change_shows_all_menus_after_it(wechat: Client, world: World) -> None:
    model, token = world.model, classic(world.model)
    model.call("/cgi-bin/menu/create", token, NOW, body={"button": [PARENT]})
    rule = {"button": [named("x")], "matchrule": {"tag_id": "7"}}
    menuid = model.call("/cgi-bin/menu/addconditional", token, NOW, body=rule)["menuid"]
    _, change = (await control(wechat, "GET", HISTORY))["changes"]
    assert change == {
        "seq": 2,
        "at": NOW,
        "by": "api",
        "act": "addconditional",
        "after": {
            "is_open": True,
            "is_shown": True,
            "made_by": "api",
            "button": [PARENT],
            "conditional": [
                {"menuid": int(menuid), "matchrule": {"tag_id": "7"}, "button": [named("x")]}
            ],
        },
    }


def test_the_oldest_changes_are_forgotten_and_counted() -> None:
    menus = shop().model.accounts[APPID].menus
    for number in range(10_003):
        menus.switch(NOW + number, is_open=bool(number % 2))
    assert (len(menus.history), menus.forgotten) == (10_000, 3)
    assert menus.history[0].seq == 4


async def test_a_reset_begins_the_history_anew(wechat: Client) -> None:
    await published(wechat, TEXT)
    await control(wechat, "POST", "/reset")
    seen = await control(wechat, "GET", HISTORY)
    assert (seen["changes"], seen["now"]["button"]) == ([], None)


# ------------------------------------------------------------------ what phones show


async def phone(wechat: Client, enter: bool = False) -> dict[str, Any]:
    return await control(wechat, "GET", f"{SEEN}?enter={str(enter).lower()}")


@pytest.fixture
async def xiaoming(wechat: Client) -> None:
    await control(wechat, "POST", f"/accounts/{APPID}/users", {"openid": OPENID, "tags": [7]})


@pytest.mark.usefixtures("xiaoming")
async def test_a_phone_keeps_the_old_menu_until_its_owner_enters_after_five_minutes(
    wechat: Client, clock: HeldClock
) -> None:
    await published(wechat, TEXT)
    assert (await phone(wechat, enter=True))["button"] == [TEXT]
    await published(wechat, {**TEXT, "name": "new"})
    clock.at += FETCHED_ANEW_AFTER_S
    kept = await phone(wechat, enter=True)
    assert (kept["button"], kept["outdated"], kept["fetched_at"]) == ([TEXT], True, NOW)
    clock.at += 1
    assert (await phone(wechat))["outdated"]
    fetched = await phone(wechat, enter=True)
    assert (fetched["button"][0]["name"], fetched["outdated"]) == ("new", False)
    assert fetched["fetched_at"] == clock.at


@pytest.mark.usefixtures("xiaoming")
async def test_entering_as_if_later_fetches_the_menu_and_leaves_the_clock_alone(
    wechat: Client,
) -> None:
    await published(wechat, TEXT)
    await phone(wechat)
    await published(wechat, {**TEXT, "name": "new"})
    await control(wechat, "GET", f"{SEEN}?later=true")
    assert (await phone(wechat))["outdated"]
    await control(wechat, "GET", f"{SEEN}?enter=true&later=true")
    assert (await phone(wechat))["button"][0]["name"] == "new"
    assert (await control(wechat, "GET", "/clock"))["offset_s"] == 0


@pytest.mark.usefixtures("xiaoming")
async def test_the_emulators_clock_decides_when_five_minutes_are_over(wechat: Client) -> None:
    await published(wechat, TEXT)
    await phone(wechat)
    await published(wechat, {**TEXT, "name": "new"})
    await control(wechat, "POST", "/clock", {"advance_s": FETCHED_ANEW_AFTER_S + 1})
    assert (await phone(wechat, enter=True))["button"][0]["name"] == "new"


@pytest.mark.usefixtures("xiaoming")
async def test_following_anew_shows_the_present_menu_at_once(wechat: Client) -> None:
    await published(wechat, TEXT)
    await phone(wechat)
    await published(wechat, {**TEXT, "name": "new"})
    who = f"/accounts/{APPID}/users/{OPENID}"
    await control(wechat, "PATCH", who, {"following": False})
    assert (await phone(wechat))["button"] == []
    await control(wechat, "PATCH", who, {"following": True})
    assert (await phone(wechat))["button"][0]["name"] == "new"


@pytest.mark.usefixtures("xiaoming")
async def test_a_change_of_another_fact_leaves_the_phone_alone(wechat: Client) -> None:
    await published(wechat, TEXT)
    await phone(wechat)
    await published(wechat, {**TEXT, "name": "new"})
    await control(wechat, "PATCH", f"/accounts/{APPID}/users/{OPENID}", {"nickname": "x"})
    assert (await phone(wechat))["button"] == [TEXT]


@pytest.mark.usefixtures("xiaoming")
async def test_a_phone_shows_the_conditional_menu_that_matches_its_owner(
    wechat: Client, world: World
) -> None:
    model, token = world.model, classic(world.model)
    assert (await phone(wechat))["origin"] == "none"
    model.call("/cgi-bin/menu/create", token, NOW, body={"button": [named("all")]})
    rule = {"button": [named("seven")], "matchrule": {"tag_id": "7"}}
    menuid = model.call("/cgi-bin/menu/addconditional", token, NOW, body=rule)["menuid"]
    await control(wechat, "POST", "/clock", {"advance_s": 301})
    seen = await phone(wechat, enter=True)
    assert (seen["button"], seen["origin"], seen["menuid"]) == (
        [named("seven")],
        "conditional",
        int(menuid),
    )


@pytest.mark.parametrize(
    ("tags", "origin"), [((7,), "conditional"), ((), "default"), ((7, 8), "default")]
)
def test_where_a_menu_comes_from_is_told(tags: tuple[int, ...], origin: str) -> None:
    made = Shop(account(users=(user(tags=tags),)))
    made.create(CLICK)
    made.add({"tag_id": "7"})
    seen = made.model.console.look_at_menu(APPID, OPENID, NOW, enters=True)
    assert seen.shown.origin == origin


def test_a_menu_switched_off_goes_from_phones_when_they_fetch() -> None:
    made = shop()
    made.create(CLICK)
    look = made.model.console.look_at_menu
    assert look(APPID, OPENID, NOW, enters=True).shown
    made.model.console.switch_menu(APPID, NOW, is_open=False)
    assert look(APPID, OPENID, NOW + 300, enters=True).shown
    assert not look(APPID, OPENID, NOW + 301, enters=True).shown


async def test_only_known_users_have_a_phone(wechat: Client) -> None:
    gone = await control(wechat, "GET", SEEN, status=404)
    assert "POST …/users" in gone["detail"]


@pytest.mark.usefixtures("xiaoming")
async def test_an_odd_question_is_refused(wechat: Client) -> None:
    refused = await control(wechat, "GET", f"{SEEN}?enter=perhaps", status=400)
    assert "enter" in refused["detail"]
