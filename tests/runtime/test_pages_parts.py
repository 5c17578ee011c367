from __future__ import annotations

import string

import pytest

from tests.runtime.pages_world import HandClock
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.pages.login_limit import (
    FAILURES_OF_ALL,
    FAILURES_OF_PEER,
    PEERS_AT_MOST,
    WINDOW_S,
    LoginLimit,
)
from zhongkong.runtime.pages.sessions import LIFE_S, SESSIONS_AT_MOST, Sessions
from zhongkong.runtime.pages.telling import (
    ROWS_AT_MOST,
    Trouble,
    moment,
    share,
    shown,
    spending,
    worst_first,
)
from zhongkong.runtime.pages.words import COMMON, Words, choose_language

ENGLISH = Words("en", {"cause.old": ("it was old", "旧了")})
CHINESE = Words("zh", {"cause.old": ("it was old", "旧了")})
NOW = "2026-01-02T03:04:05Z"


def test_one_login_too_many_ends_the_oldest() -> None:
    sessions = Sessions(HandClock(), SystemRandomness())
    names = [sessions.open() for _ in range(SESSIONS_AT_MOST + 1)]

    assert sessions.find(names[0]) is None
    assert all(sessions.find(name) for name in names[1:])


def test_names_and_csrf_tokens_are_never_the_same() -> None:
    sessions = Sessions(HandClock(), SystemRandomness())
    names = [sessions.open() for _ in range(20)]
    tokens = {session.csrf for name in names if (session := sessions.find(name))}

    assert len({*names, *tokens}) == 40


def test_a_session_shows_nothing_of_itself() -> None:
    sessions = Sessions(HandClock(), SystemRandomness())
    session = sessions.find(sessions.open())

    assert session is not None
    assert session.csrf not in repr(session)


def test_a_session_that_ended_is_forgotten() -> None:
    clock = HandClock()
    sessions = Sessions(clock, SystemRandomness())
    name = sessions.open()
    clock.at += LIFE_S
    assert sessions.find(name) is None
    clock.at -= LIFE_S

    assert sessions.find(name) is None


def test_one_peer_s_failures_hold_up_no_other() -> None:
    limit = LoginLimit()
    for _ in range(FAILURES_OF_PEER):
        limit.note_failure("a", 0.0)

    assert limit.wait_s("a", 1.0) == WINDOW_S - 1
    assert limit.wait_s("b", 1.0) == 0
    assert limit.wait_s("a", WINDOW_S) == 0


def test_many_peers_together_are_held_up() -> None:
    limit = LoginLimit()
    for number in range(FAILURES_OF_ALL):
        limit.note_failure(f"peer-{number}", 0.0)

    assert limit.wait_s("another", 0.0) == WINDOW_S


def test_the_right_key_makes_up_for_the_wrong_ones() -> None:
    limit = LoginLimit()
    for _ in range(FAILURES_OF_PEER - 1):
        limit.note_failure("a", 0.0)
    limit.forgive("a")
    limit.note_failure("a", 0.0)

    assert limit.wait_s("a", 0.0) == 0


def test_the_table_of_peers_is_bounded() -> None:
    limit = LoginLimit()
    for number in range(PEERS_AT_MOST + 50):
        limit.note_failure(f"peer-{number}", number * WINDOW_S)

    assert len(limit._by_peer) == PEERS_AT_MOST
    assert len(limit._all) == 1


@pytest.mark.parametrize(
    ("asked", "remembered", "accept", "language"),
    [
        ("zh", "en", "en", "zh"),
        (None, "zh", "en", "zh"),
        ("xx", "yy", "zh-TW", "zh"),
        (None, None, "fr, en;q=0.5, zh;q=0.8", "zh"),
        (None, None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, None, "zh;q=x, en;q=0", "en"),
        (None, None, "", "en"),
        (None, None, ",;=" * 400, "en"),
    ],
)
def test_the_language_that_fits(
    asked: str | None, remembered: str | None, accept: str, language: str
) -> None:
    assert choose_language(asked, remembered, accept) == language


def test_every_common_text_says_the_same_in_both_languages() -> None:
    for key, (english, chinese) in COMMON.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name}
                  for text in (english, chinese)]  # fmt: skip
        assert english, key
        assert chinese, key
        assert fields[0] == fields[1], key


def test_a_value_without_a_name_stands_for_itself() -> None:
    assert (ENGLISH.named("cause", "old"), CHINESE.named("cause", "old")) == ("it was old", "旧了")
    assert ENGLISH.named("cause", "brand_new") == "brand new"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-3, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_span_is_told_in_its_largest_units(seconds: float, told: str) -> None:
    assert ENGLISH.span(seconds) == told


def test_a_moment_is_told_from_now() -> None:
    told = [
        moment(ENGLISH, at, NOW) for at in ("2026-01-02T03:05:05Z", NOW, "2026-01-02T03:04:00Z")
    ]

    assert [each.told for each in told if each] == ["in 1 min 0 s", "now", "5 s ago"]
    assert moment(ENGLISH, None, NOW) is None


def test_what_was_spent_at_all_is_seen_and_what_is_gone_is_bad() -> None:
    assert spending(1, 500_000).share == 1
    assert [spending(spent, 100).tone for spent in (79, 80, 100, 120)] == [
        "good",
        "warn",
        "bad",
        "bad",
    ]
    assert (share(5, 0), share(-1, 2), share(9, 3)) == (0, 0, 100)


def test_of_many_rows_the_urgent_ones_are_shown() -> None:
    rows = [*range(ROWS_AT_MOST + 5)]
    found, left_off = shown(rows, "", str, lambda row: row == 104)

    assert (found[0], len(found), left_off) == (104, ROWS_AT_MOST, 5)
    assert shown(rows, "7", str, lambda _: 0)[0] == [n for n in rows if "7" in str(n)]


def test_the_worst_stands_first() -> None:
    troubles = [Trouble("mild", tone="warn"), Trouble("grave"), Trouble("mild too", tone="warn")]

    assert [each.title for each in worst_first(troubles)] == ["grave", "mild", "mild too"]
