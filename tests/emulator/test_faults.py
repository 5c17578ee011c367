"""Which fault strikes which request, and what a course means for the model."""

from __future__ import annotations

from statistics import median, quantiles
from typing import Any

import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    OTHER_APPID,
    OTHER_SECRET,
    PROBE,
    SECRET,
    account,
    classic,
    code_of,
    platform,
    probe,
    stable,
)
from zhongkong.emulator.chance import Chance
from zhongkong.emulator.faults import UNTROUBLED, Course, Delay, Fault, FaultPlan
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.request import ApiRequest

TOKEN_CALL = ApiRequest.from_wire(
    "GET",
    f"/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}",
    peer="127.0.0.1",
)


def draw(*faults: Fault, path: str = PROBE, appid: str | None = APPID, seed: int = 1) -> Course:
    plan = FaultPlan()
    for each in faults:
        plan.add(each)
    return plan.draw(path, appid, "127.0.0.1", Chance(seed))


def send(model: WeChatModel, request: ApiRequest = TOKEN_CALL) -> dict[str, Any] | None:
    return model.perform(request, NOW, model.course(request))


@pytest.mark.parametrize(
    "narrowed",
    [{"path": "/cgi-bin/token"}, {"appid": OTHER_APPID}, {"peer": "10.*"}, {"probability": 0.0}],
)
def test_a_fault_strikes_only_what_it_matches(narrowed: dict[str, Any]) -> None:
    assert draw(Fault(kind="errcode", **narrowed)) is UNTROUBLED
    assert draw(Fault(kind="errcode", path="/cgi-bin/*")).refusal is not None


def test_a_limited_fault_ends_after_its_count() -> None:
    model = platform()
    model.faults.add(Fault(kind="errcode", errcode=-1, count=2))
    codes = [code_of(send(model)) for _ in range(3)]
    assert codes == [-1, -1, 0]
    assert model.faults.active == {}


def test_a_probable_fault_strikes_as_often_as_it_says_and_the_seed_decides_when() -> None:
    plan, fault = FaultPlan(), Fault(kind="errcode", probability=0.25)
    plan.add(fault)

    def strikes(seed: int) -> list[bool]:
        chance = Chance(seed)
        return [plan.draw("/", None, "", chance) is not UNTROUBLED for _ in range(2000)]

    assert 400 < sum(strikes(7)) < 600
    assert strikes(7) == strikes(7) != strikes(8)


def test_busy_before_the_effect_mints_nothing_and_after_it_hides_a_mint() -> None:
    for when, mints in (("before", 0), ("after", 1)):
        model = platform()
        model.faults.add(Fault(kind="errcode", when=when))  # type: ignore[arg-type]
        answer = send(model)
        assert answer is not None
        assert answer["errcode"] == -1
        assert answer["errmsg"].startswith("system error rid: ")
        assert model.ledger.mints() == mints
        assert model.ledger.refusals(-1) == 1


def test_an_injected_code_has_its_usual_text_or_its_own() -> None:
    model = platform()
    model.faults.add(Fault(kind="errcode", errcode=45009, count=1))
    model.faults.add(Fault(kind="errcode", errcode=48017, errmsg="retired address"))
    first, second = send(model), send(model)
    assert first is not None
    assert second is not None
    assert first["errmsg"].startswith("reach max api daily quota limit rid: ")
    assert second["errmsg"].startswith("retired address rid: ")


def test_a_disconnect_before_the_effect_gives_no_answer_and_after_it_the_mint_stands() -> None:
    for when, mints in (("before", 0), ("after", 1)):
        model = platform()
        model.faults.add(Fault(kind="disconnect", when=when))  # type: ignore[arg-type]
        course = model.course(TOKEN_CALL)
        answer = model.perform(TOKEN_CALL, NOW, course)
        assert course.ending == "disconnect"
        assert (answer is None) == (mints == 0)
        assert model.ledger.mints() == mints
        assert model.ledger.requests()[0].fault == f"disconnect {when}"


def test_faults_of_one_request_add_up() -> None:
    course = draw(
        Fault(kind="latency", delay=Delay(low_s=1)),
        Fault(kind="latency", delay=Delay(low_s=2)),
        Fault(kind="latency", when="after", delay=Delay(low_s=4)),
        Fault(kind="garbage", when="after", garbage="empty"),
        Fault(kind="disconnect", when="after"),
    )
    assert (course.delay_before_s, course.delay_after_s) == (3, 4)
    assert course.ending == "disconnect"
    assert course.takes_effect
    assert len(course.struck_by) == 5


def test_a_wild_delay_has_its_median_its_99th_percentile_and_its_stalls() -> None:
    chance = Chance(3)
    delay = Delay(shape="wild", low_s=0.06, high_s=1.0)
    drawn = [delay.draw(chance) for _ in range(20_000)]
    assert median(drawn) == pytest.approx(0.06, rel=0.05)
    assert quantiles(drawn, n=100)[98] == pytest.approx(1.0, rel=0.2)
    stalling = Delay(shape="wild", stall_s=10, stall_probability=1)
    assert stalling.draw(chance) == 10


def test_a_uniform_delay_stays_between_its_ends() -> None:
    chance = Chance(3)
    delay = Delay(shape="uniform", low_s=1, high_s=2)
    assert all(1 <= delay.draw(chance) < 2 for _ in range(100))


def test_a_token_death_strikes_the_account_of_the_request_only() -> None:
    model = platform(account(), account(OTHER_APPID, OTHER_SECRET))
    ours = classic(model)
    other = model.token(OTHER_APPID, OTHER_SECRET, NOW)["access_token"]
    model.faults.add(Fault(kind="token_death", path=PROBE, count=1))
    request = ApiRequest(method="GET", path=PROBE, query={"access_token": ours})
    assert code_of(send(model, request)) == 40001
    assert probe(model, other, NOW) == 0


def test_a_token_death_after_the_effect_kills_what_was_just_handed_out() -> None:
    model = platform()
    model.faults.add(Fault(kind="token_death", when="after", count=1))
    answer = send(model)
    assert answer is not None
    assert probe(model, answer["access_token"], NOW) == 40001


def test_a_foreign_refresh_strikes_at_the_moment_of_a_request() -> None:
    model = platform(overlap_s=0)
    token = classic(model)
    model.faults.add(Fault(kind="foreign_refresh", path=PROBE))
    request = ApiRequest(method="GET", path=PROBE, query={"access_token": token})
    assert code_of(send(model, request)) == 40001
    assert model.ledger.mints(by="foreign") == 1


def test_a_foreign_refresh_spends_the_quota_of_the_account_unless_told_not_to() -> None:
    model = platform(daily_limits={"/cgi-bin/token": 1})
    model.foreign_refresh(APPID, NOW, spends=False)
    assert code_of(model.token(APPID, SECRET, NOW)) == 0
    model.foreign_refresh(APPID, NOW, "stable_forced")
    assert stable(model, NOW + 10, forced=True) == stable(model, NOW + 10)


def test_a_normal_foreign_call_mints_only_when_there_is_nothing_to_give() -> None:
    model = platform()
    token = model.foreign_refresh(APPID, NOW, "stable")
    assert model.foreign_refresh(APPID, NOW + 1, "stable") == token == stable(model, NOW + 2)


def test_a_kill_can_take_the_previous_token_or_all() -> None:
    model = platform()
    old, new = classic(model), classic(model, NOW + 1)
    model.console.kill_token(APPID, NOW + 2, "classic", "previous")
    assert [probe(model, each, NOW + 2) for each in (old, new)] == [40001, 0]
    model.console.kill_token(APPID, NOW + 2, "classic", "all")
    assert probe(model, new, NOW + 2) == 40001


@pytest.mark.parametrize(
    "facts",
    [
        {"probability": 1.5},
        {"count": 0},
        {"delay": {"shape": "uniform", "low_s": 2, "high_s": 1}},
        {"delay": {"low_s": -1}},
        {"delay": {"shape": "wild", "low_s": 0}},
    ],
)
def test_an_impossible_fault_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is|are"):
        Fault(kind="latency", **{**facts, "delay": Delay(**facts.get("delay", {}))})


def test_faults_are_removed_by_id_and_too_many_are_refused() -> None:
    plan = FaultPlan()
    first = plan.add(Fault(kind="errcode"))
    assert plan.remove(first)
    assert not plan.remove(first)
    for _ in range(1000):
        plan.add(Fault(kind="errcode"))
    with pytest.raises(ValueError, match="1000 faults"):
        plan.add(Fault(kind="errcode"))
