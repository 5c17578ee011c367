"""Properties of the token families under any history."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st

from tests.emulator.platforms import APPID, NOW, SECRET, platform, probe
from zhongkong.emulator.model import WeChatModel

ACTIONS = ("classic", "normal", "forced", "foreign_classic", "foreign_forced", "kill")
HISTORIES = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.floats(min_value=0, max_value=4000)), max_size=30
)


def act(model: WeChatModel, action: str, now: float) -> None:
    match action:
        case "classic":
            model.token(APPID, SECRET, now)
        case "normal":
            model.stable_token(APPID, SECRET, False, now)
        case "forced":
            model.stable_token(APPID, SECRET, True, now)
        case "foreign_classic":
            model.foreign_refresh(APPID, now)
        case "foreign_forced":
            model.foreign_refresh(APPID, now, "stable_forced")
        case _:
            model.console.kill_token(APPID, now, "stable")


@given(
    history=HISTORIES,
    generations=st.integers(1, 4),
    policy=st.sampled_from(["overlap", "dies_at_once", "dies_at_second_forced"]),
)
@settings(max_examples=60, deadline=None)
def test_never_more_generations_live_than_configured(
    history: list[tuple[str, float]], generations: int, policy: str
) -> None:
    model, now = platform(generations=generations, forced_old_token=policy), NOW
    for action, pause in history:
        now += pause
        act(model, action, now)
        for family in ("classic", "stable"):
            values = [each.value for each in model.ledger.issued(APPID, family)]
            assert sum(model.ledger.alive(each, now) for each in values) <= generations


@given(history=HISTORIES)
@settings(max_examples=60, deadline=None)
def test_a_classic_call_changes_no_stable_token(history: list[tuple[str, float]]) -> None:
    model, now = platform(overlap_s=0), NOW
    for action, pause in history:
        now += pause
        stable = [each.value for each in model.ledger.issued(APPID, "stable")]
        before = [model.ledger.ends_at(each) for each in stable]
        act(model, action, now)
        if "classic" in action:
            assert [model.ledger.ends_at(each) for each in stable] == before


@given(history=HISTORIES, pause=st.floats(min_value=0, max_value=6000))
@settings(max_examples=60, deadline=None)
def test_a_normal_call_gives_a_living_token_with_300_s_or_more(
    history: list[tuple[str, float]], pause: float
) -> None:
    model, now = platform(), NOW
    for action, wait in history:
        now += wait
        act(model, action, now)
    now += pause
    answer = model.stable_token(APPID, SECRET, False, now)
    assert 300 <= answer["expires_in"] <= 7200
    assert probe(model, answer["access_token"], now) == 0
    assert model.stable_token(APPID, SECRET, False, now) == answer


@given(history=HISTORIES)
@settings(max_examples=60, deadline=None)
def test_the_ledger_and_the_platform_agree_on_what_lives(
    history: list[tuple[str, float]],
) -> None:
    model, now = platform(), NOW
    for action, pause in history:
        now += pause
        act(model, action, now)
        for issued in model.ledger.issued():
            assert model.ledger.alive(issued.value, now) == (probe(model, issued.value, now) == 0)


@given(history=HISTORIES, seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_and_history_give_the_same_ledger(
    history: list[tuple[str, float]], seed: int
) -> None:
    ledgers = []
    for _ in range(2):
        model, now = platform(seed=seed), NOW
        for action, pause in history:
            now += pause
            act(model, action, now)
        ledgers.append(list(model.ledger.entries))
    assert ledgers[0] == ledgers[1]
