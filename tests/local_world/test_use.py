"""What a person does in a world: tap, write, change the menu, try a slow handler."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.local_world.conftest import Begin
from tests.local_world.worlds import DEADLINE_S, World, control, free_base, until
from zhongkong.local_world import names

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("late_answer")]

PATIENT = "oPatient0000000000000000004"
ACCOUNT = f"/accounts/{names.APPID}"
GOOD = """\
account: shop
button:
  - {type: click, name: 买入, key: BUY_IN}
  - {type: click, name: 持仓, key: HOLDINGS}
"""


def does(world: World, user: str, **what: object) -> list[dict[str, Any]]:
    """What the user sees of it."""
    before = feed(world, user)["next"]
    control(world.base, "POST", f"{ACCOUNT}/pushes?wait_s=20", {"user": user, **what})
    entries: list[dict[str, Any]] = feed(world, user, before)["entries"]
    return entries


def feed(world: World, user: str, after: int = 0) -> dict[str, Any]:
    path = f"{ACCOUNT}/users/{user}/feed?after={after}"
    found: dict[str, Any] = control(world.base, "GET", path)
    return found


def menu_of(world: World, user: str = names.USER) -> dict[str, Any]:
    found: dict[str, Any] = control(world.base, "GET", f"{ACCOUNT}/users/{user}/menu?enter=true")
    return found


def labels(menu: dict[str, Any]) -> list[str]:
    return [button["name"] for button in menu["button"]]


def live(world: World) -> dict[str, Any]:
    """All menus as they are now, whatever phones still show."""
    found: dict[str, Any] = control(world.base, "GET", f"{ACCOUNT}/menu-history")
    return found


def slow_down(world: World, delay_s: float) -> None:
    """As the switch on the phone page does."""
    control(world.base, "PUT", f"{ACCOUNT}/handler-delay", {"delay_s": delay_s})


@pytest.fixture(scope="module")
def late_answer(world: World) -> Iterator[Future[list[dict[str, Any]]]]:
    """What a user will see of a tap for which the handler takes longer than WeChat waits.

    For all others it is fast again: they need not wait for this one.
    """
    before = world.child.mark()
    control(world.base, "POST", f"{ACCOUNT}/users", {"openid": PATIENT})
    slow_down(world, 5.5)
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(does, world, PATIENT, click="BUY_IN")
        # The handler tells of each event, and by then knows when to answer this one.
        world.child.wait_for_line(" wechat.event.click", after=before, timeout_s=DEADLINE_S)
        slow_down(world, 0)
        yield answer


def test_a_tap_on_the_menu_is_answered_by_the_bot(world: World) -> None:
    sent, reply = does(world, names.USER, click="BUY_IN")
    assert sent["kind"] == "sent"
    assert (reply["kind"], reply["type"]) == ("reply", "text")
    assert reply["content"]["content"].startswith("已买入 1 手")


def test_a_text_is_answered_by_the_bot_too(world: World) -> None:
    [_, reply] = does(world, names.STRANGER, text="持仓")
    assert reply["content"]["content"].startswith("您持有 0 手")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"text": "help"}, "您好，这是一条静态回复"),
        ({"event": "subscribe"}, "欢迎关注"),
        ({"click": "VIP"}, "会员专享"),
    ],
)
def test_other_things_are_answered_by_the_configuration(
    world: World, what: dict[str, str], said: str
) -> None:
    [_, reply] = does(world, names.MEMBER, **what)
    assert reply["content"]["content"].startswith(said)


def test_users_see_the_menu_that_is_for_them(world: World) -> None:
    assert labels(menu_of(world)) == ["买入", "卖出", "查收益"]
    theirs = menu_of(world, names.MEMBER)
    assert theirs["origin"] == "conditional"
    assert labels(theirs) == ["买入", "卖出", "会员"]


def test_a_changed_menu_file_is_the_live_menu_within_seconds(world: World) -> None:
    menu = world.folder / names.MENU
    sample = menu.read_text("utf-8")
    menu.write_text(GOOD, "utf-8")
    try:
        until(lambda: labels(live(world)["now"]) == ["买入", "持仓"], "the live menu changed")
    finally:
        menu.write_text(sample, "utf-8")
        world.reconcile()


def test_a_bad_menu_file_leaves_the_menu_out_and_says_where_to_look(
    begin: Begin, tmp_path: Path
) -> None:
    base = free_base()
    menu = tmp_path / "var" / "local" / str(base) / names.MENU
    menu.parent.mkdir(parents=True)
    menu.write_text("account: shop\nbutton: a menu\n")

    world = begin(base).wait_until_ready()

    assert "The menu isn't live: desired files can not be used." in world.welcome
    assert "menu_worker validate" in world.welcome
    assert f"/{names.MENU}:2:" in world.line("desired_refused")
    assert not live(world)["now"]["is_shown"]

    menu.write_text(GOOD)
    world.reconcile()

    assert live(world)["now"]["is_shown"]


def test_a_handler_that_misses_the_first_try_answers_a_later_one(
    late_answer: Future[list[dict[str, Any]]],
) -> None:
    [_, reply] = late_answer.result(DEADLINE_S)
    assert "现持有 1 手" in reply["content"]["content"]
