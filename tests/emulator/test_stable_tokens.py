"""POST /cgi-bin/stable_token: rules E2, E3, E4."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    SECRET,
    code_of,
    platform,
    probe,
    stable,
)
from zhongkong.emulator.model import WeChatModel


def forced_code(model: WeChatModel, now: float) -> int:
    return code_of(model.stable_token(APPID, SECRET, True, now))


def test_a_normal_call_gives_the_same_token_and_what_is_left_of_it() -> None:
    model = platform()
    first = model.stable_token(APPID, SECRET, False, NOW)
    again = model.stable_token(APPID, SECRET, False, NOW + 6855)
    assert again == {"access_token": first["access_token"], "expires_in": 345}
    assert model.ledger.mints(APPID, "stable") == 1


def test_in_the_last_300_s_a_normal_call_mints_and_both_live() -> None:
    model = platform()
    old, new = stable(model), stable(model, NOW + 6900)
    assert old != new
    assert probe(model, old, NOW + 7199) == 0
    assert probe(model, new, NOW + 7199) == 0
    assert probe(model, old, NOW + 7200) == 42001


def test_a_forced_call_gives_a_new_token() -> None:
    model = platform()
    assert stable(model) != stable(model, NOW + 1, forced=True)
    assert [each.by for each in model.ledger.issued(APPID, "stable")] == ["client", "forced"]


def test_a_forced_call_within_30_s_of_the_last_refreshes_nothing() -> None:
    model = platform()
    first = model.stable_token(APPID, SECRET, True, NOW)
    soon = model.stable_token(APPID, SECRET, True, NOW + 29.9)
    assert soon == {"access_token": first["access_token"], "expires_in": 7170}
    assert stable(model, NOW + 30, forced=True) != first["access_token"]


@pytest.mark.parametrize("code", ["45009", "45011"])
def test_a_forced_call_too_soon_may_be_refused_instead(code: str) -> None:
    model = platform(forced_too_soon=code)
    stable(model, forced=True)
    assert forced_code(model, NOW + 10) == int(code)


def test_the_21st_forced_call_of_a_day_is_refused_until_midnight_of_utc_plus_8() -> None:
    model = platform()
    codes = [forced_code(model, NOW + 60 * each) for each in range(21)]
    assert codes == [0] * 20 + [45009]
    midnight = 1_716_220_800
    assert forced_code(model, midnight - 1) == 45009
    assert forced_code(model, midnight) == 0


def test_the_21st_forced_call_may_be_answered_as_a_normal_one() -> None:
    model = platform(forced_over_quota="current", forced_daily=1)
    token = stable(model, forced=True)
    assert stable(model, NOW + 60, forced=True) == token


@pytest.mark.parametrize(
    ("policy", "after_one", "after_two"),
    [
        pytest.param("dies_at_once", 40001, 40001, id="the old token dies at the forced call"),
        pytest.param(
            "dies_at_second_forced", 0, 40001, id="the old token dies at the second forced call"
        ),
    ],
)
def test_a_leaked_token_dies_as_the_policy_says(
    policy: str, after_one: int, after_two: int
) -> None:
    model = platform(forced_old_token=policy, generations=3)
    leaked = stable(model)
    stable(model, NOW + 10, forced=True)
    assert probe(model, leaked, NOW + 11) == after_one
    stable(model, NOW + 40, forced=True)
    assert probe(model, leaked, NOW + 41) == after_two


def test_under_the_overlap_policy_a_leaked_token_survives_two_forced_calls_for_300_s() -> None:
    model = platform(forced_old_token="overlap", generations=3)
    leaked = stable(model)
    stable(model, NOW + 10, forced=True)
    stable(model, NOW + 40, forced=True)
    assert probe(model, leaked, NOW + 309) == 0
    assert probe(model, leaked, NOW + 310) == 40001


def test_after_an_early_death_a_normal_call_mints() -> None:
    model = platform()
    dead = stable(model)
    model.console.kill_token(APPID, NOW + 5, "stable")
    assert probe(model, dead, NOW + 5) == 40001
    assert stable(model, NOW + 6) != dead


def test_a_dead_token_may_still_be_given_until_somebody_forces() -> None:
    model = platform(tokens_lost_on_kill=False)
    dead = stable(model)
    model.console.kill_token(APPID, NOW + 5, "stable")
    assert stable(model, NOW + 6) == dead
    assert probe(model, stable(model, NOW + 7, forced=True), NOW + 7) == 0


def test_force_refresh_must_be_a_boolean() -> None:
    model = platform()
    answer = model.stable_token(APPID, SECRET, "true", NOW)  # type: ignore[arg-type]
    assert answer["errcode"] == 47001
