"""A rollout ends well exactly when its menu is live, and a failed one leaves the menu before.

The judge is WeChat's side: the emulator's history of menus and its ledger of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rehearsal import Menu, Pod, Rollouts, Verdict, click
from tests.deploy.rehearsal_books import WeChat, wechats
from tests.fixtures.processes import Launch
from tests.fixtures.warm import warm

pytestmark = pytest.mark.slow

FEW = [click("买入", "BUY_IN")]
CHANGED = [click("买入", "BUY_MORE")]
MANY: list[dict[str, Any]] = [
    {"name": f"第{tens}组", "sub_button": [click(f"项{tens}{n}", f"K{tens}{n}") for n in range(4)]}
    for tens in range(3)
]
REFUSED_BY_WECHAT: list[dict[str, Any]] = [
    *MANY[:2],
    {"type": "media_id", "name": "图片", "media_id": "nobody-uploaded-this"},
]
BAD = [
    pytest.param("account: shop\nbutton: [{name: 买入}", "desired_refused", 0, id="no YAML"),
    pytest.param(REFUSED_BY_WECHAT, "menu_not_applied", 1, id="refused by WeChat"),
    pytest.param(FEW, "plan_refused", 0, id="one that removes too much"),
]
HELD_S = 1.2
LOADED = (
    "menu_worker.app",
    "menu_worker.cli",
    "menu_worker.commands.apply",
    "menu_worker.commands.session",
    "menu_worker.settings",
    "menu_worker.store.sqlite",
    "uvloop",
    "zhongkong.runtime.lifecycle",
)

_names = [f"shop{number}" for number in range(7)]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[WeChat]]:
    """One WeChat for all, an account of one's own for each test."""
    with wechats(tmp_path_factory.mktemp("wechat"), *_names) as found:
        yield iter(found.values())


@pytest.fixture
def wechat(accounts: Iterator[WeChat]) -> WeChat:
    return next(accounts)


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Where workers come from."""
    with warm(*LOADED) as launch:
        yield launch


@pytest.fixture
def rollouts(tmp_path: Path, wechat: WeChat, launch: Launch) -> Iterator[Rollouts]:
    made = Rollouts(tmp_path, wechat, launch)
    yield made
    made.kill()


def hold_creation(wechat: WeChat, when: str, seconds: float) -> None:
    """The next menu/create takes that long, before or after it takes effect."""
    delay = {"shape": "fixed", "low_s": seconds}
    fault = {"kind": "latency", "path": "/cgi-bin/menu/create", "when": when, "delay": delay}
    wechat.control("POST", "/faults", {**fault, "appid": wechat.appid, "count": 1})


def assert_ready_only_once_live(verdict: Verdict, wechat: WeChat, menu: Menu) -> None:
    """Ready after the change took effect, and after the live menu was read back."""
    assert verdict.ready_at is not None
    assert verdict.readiness.count(503) > 1
    assert wechat.buttons() == menu
    change = wechat.changes()[-1]
    read_back = [each for each in wechat.calls() if each["path"].endswith("/menu/get")][-1]
    assert change["at"] < read_back["at"] < verdict.ready_at


def assert_never_without_a_menu(changes: list[dict[str, Any]]) -> None:
    assert all(change["after"]["button"] for change in changes)


def test_a_rollout_is_ready_only_once_its_menu_is_live(rollouts: Rollouts, wechat: WeChat) -> None:
    for number, menu in enumerate((FEW, CHANGED), 1):
        hold_creation(wechat, "before", HELD_S)

        verdict = rollouts.apply(menu)

        assert_ready_only_once_live(verdict, wechat, menu)
        assert [change["act"] for change in wechat.changes()] == ["create"] * number
    assert_never_without_a_menu(wechat.changes())


def test_a_rollout_of_the_same_menu_costs_a_read_and_no_write(
    rollouts: Rollouts, wechat: WeChat
) -> None:
    rollouts.apply(FEW)
    before = len(wechat.calls())

    assert rollouts.restart().live
    rollouts.wait_for_line('"menu_in_sync"')

    paths = [each["path"] for each in wechat.calls(before)]
    assert paths.count("/cgi-bin/menu/get") == 1
    # Once an hour, and so at the start, it is asked whether the menu is switched on.
    assert set(paths) <= {"/cgi-bin/menu/get", "/cgi-bin/get_current_selfmenu_info"}


@pytest.mark.parametrize(("bad", "cause", "tries"), BAD)
def test_a_bad_menu_is_never_ready_and_undone_without_a_write(
    rollouts: Rollouts, wechat: WeChat, bad: Menu, cause: str, tries: int
) -> None:
    assert rollouts.apply(MANY).live
    changes, calls = wechat.changes(), len(wechat.calls())

    failed = rollouts.apply(bad)

    assert not failed.live
    assert 503 in failed.readiness
    assert f'"{cause}"' in failed.log
    assert wechat.buttons() == MANY
    assert wechat.writes(calls) == ["/cgi-bin/menu/create"] * tries

    calls = len(wechat.calls())
    assert rollouts.undo().live
    assert wechat.writes(calls) == []
    assert wechat.changes() == changes


def test_a_worker_killed_while_it_writes_is_started_again_and_writes_once(
    rollouts: Rollouts, wechat: WeChat
) -> None:
    hold_creation(wechat, "after", 30.0)
    strikes = count()

    def kill_once_it_took_effect(pod: Pod) -> None:
        if wechat.changes() and not next(strikes):
            pod.kill()

    verdict = rollouts.apply(FEW, kill_once_it_took_effect)

    assert verdict.live
    assert verdict.restarts == 1
    assert wechat.buttons() == FEW
    assert len(wechat.changes()) == 1


def test_a_job_tells_by_its_exit_code_whether_the_menu_is_live(
    rollouts: Rollouts, wechat: WeChat
) -> None:
    """0: live; 3: a guard refused; 1: WeChat did."""
    assert [rollouts.run_job(menu) for menu in (MANY, FEW, REFUSED_BY_WECHAT)] == [0, 3, 1]
    assert wechat.buttons() == MANY
    assert len(wechat.changes()) == 1
