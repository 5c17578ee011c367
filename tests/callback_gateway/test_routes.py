from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from callback_gateway.event import Event
from callback_gateway.patterns import Pattern
from callback_gateway.routes import (
    LONG_WINDOW_S,
    SHORT_WINDOW_S,
    Ask,
    Facts,
    Match,
    Route,
    Routes,
    Static,
    facts_of,
)
from zhongkong.wechat.passive_reply import TextReply

TEXT = Facts(type="text", content="Help", user="oUser", account="shop")
CLICK = Facts(type="event", event="CLICK", key="BUY_IN", user="oUser", account="shop")
SUBSCRIBE = Facts(type="event", event="subscribe", key="", user="oUser", account="shop")
HELLO = Static(TextReply("hello"))


def match(**given: str | list[str]) -> Match:
    return Match(
        **{
            name: tuple(
                Pattern.parse(each, ignore_case=name == "event")
                for each in (patterns if isinstance(patterns, list) else [patterns])
            )
            for name, patterns in given.items()
        }
    )


def routes(*given: Route) -> Routes:
    return Routes(replace(route, index=index) for index, route in enumerate(given))


@pytest.mark.parametrize(
    ("wanted", "facts", "why_not"),
    [
        pytest.param({}, TEXT, None, id="an empty match takes everything"),
        pytest.param({"type": "text"}, TEXT, None, id="a type is taken"),
        pytest.param(
            {"type": "text"},
            CLICK,
            "its type is 'event', and the route wants text",
            id="another type is not",
        ),
        pytest.param({"type": ["image", "text"]}, TEXT, None, id="one of a list is enough"),
        pytest.param(
            {"type": ["image", "voice"]},
            TEXT,
            "its type is 'text', and the route wants image or voice",
            id="none of a list is not",
        ),
        pytest.param({"event": "click"}, CLICK, None, id="the case of an event is no matter"),
        pytest.param({"event": "CLICK"}, CLICK, None, id="nor as WeChat writes it"),
        pytest.param(
            {"event": "*"},
            TEXT,
            "it has no event, and the route wants *",
            id="a message has no event",
        ),
        pytest.param({"key": "BUY_*"}, CLICK, None, id="a key by glob"),
        pytest.param(
            {"key": "buy_*"},
            CLICK,
            "its key is 'BUY_IN', and the route wants buy_*",
            id="the case of a key matters",
        ),
        pytest.param({"key": ""}, SUBSCRIBE, None, id="an empty key is a key"),
        pytest.param(
            {"key": ""},
            CLICK,
            "its key is 'BUY_IN', and the route wants \"\"",
            id="and no other is empty",
        ),
        pytest.param({"content": "/^help$/i"}, TEXT, None, id="content by regex"),
        pytest.param(
            {"content": "*"},
            CLICK,
            "it has no content, and the route wants *",
            id="an event has no content",
        ),
        pytest.param({"user": "oUser", "account": "sh*"}, TEXT, None, id="all fields must fit"),
        pytest.param(
            {"type": "text", "account": "bank"},
            TEXT,
            "its account is 'shop', and the route wants bank",
            id="one that does not fit is told",
        ),
    ],
)
def test_a_route_matches_or_says_why_not(
    wanted: dict[str, Any], facts: Facts, why_not: str | None
) -> None:
    table = routes(Route(match(**wanted), notify=("audit",)))

    assert [each.why_not for each in table.explain(facts)] == [why_not]
    assert table.decide(facts).notify == (("audit",) if why_not is None else ())


def test_every_matching_route_notifies_and_the_first_with_a_reply_answers() -> None:
    table = routes(
        Route(match(type="image"), reply=Ask("images")),
        Route(match(type="text"), notify=("crm", "audit")),
        Route(match(content="/help/i"), reply=HELLO, notify=("audit",)),
        Route(Match(), reply=Ask("trading"), notify=("archive", "crm")),
    )
    decision = table.decide(TEXT)

    assert decision.notify == ("crm", "audit", "archive")
    assert decision.reply == HELLO
    assert decision.route is not None
    assert decision.route.index == 2
    assert [each.answers for each in table.explain(TEXT)] == [False, False, True, False]


def test_window_and_fallback_are_those_of_the_answering_route() -> None:
    fallback = TextReply("wait")
    table = routes(
        Route(match(type="text"), notify=("crm",), reply_window_s=SHORT_WINDOW_S),
        Route(Match(), reply=Ask("t"), reply_window_s=LONG_WINDOW_S, fallback=fallback),
    )

    assert table.decide(TEXT).reply_window_s == LONG_WINDOW_S
    assert table.decide(TEXT).fallback == fallback


def test_without_a_route_nothing_is_done() -> None:
    decision = Routes().decide(TEXT)

    assert (decision.notify, decision.reply, decision.route) == ((), None, None)
    assert (decision.fallback, decision.reply_window_s) == (None, SHORT_WINDOW_S)


def test_who_answers_may_be_notified_as_well() -> None:
    decision = routes(Route(Match(), reply=Ask("t"), notify=("t",))).decide(TEXT)

    assert (decision.notify, decision.reply) == (("t",), Ask("t"))


WORDS = st.sampled_from(["a", "b", "a*", "*", "?", "/a/", "ab", ""])
MATCHES = st.builds(
    match,
    type=st.lists(st.sampled_from(["text", "event", "*"]), min_size=1, max_size=2),
    content=st.lists(WORDS, min_size=1, max_size=2),
)
FACTS = st.builds(
    Facts, type=st.sampled_from(["text", "event"]), content=st.none() | st.text("ab", max_size=3)
)
ROUTES = st.lists(
    st.builds(
        Route,
        st.one_of(MATCHES, st.just(Match())),
        st.lists(st.sampled_from("xyz"), max_size=2).map(tuple),
        st.sampled_from([None, HELLO, Ask("t")]),
    ),
    max_size=6,
).map(lambda given: routes(*given))


@given(ROUTES, FACTS)
def test_the_decision_is_what_the_explanation_says(table: Routes, facts: Facts) -> None:
    decision, told = table.decide(facts), table.explain(facts)
    matched = [each.route for each in told if each.why_not is None]
    answering = [route for route in matched if route.reply is not None][:1]

    assert [each.route for each in told if each.answers] == answering
    assert decision.route == (answering[0] if answering else None)
    assert set(decision.notify) == {target for route in matched for target in route.notify}
    assert len(set(decision.notify)) == len(decision.notify)


@given(MATCHES, MATCHES, FACTS)
def test_a_match_that_covers_another_takes_all_of_it(
    one: Match, other: Match, facts: Facts
) -> None:
    takes = {
        each.route.index: each.why_not is None
        for each in routes(Route(one), Route(other)).explain(facts)
    }
    if one.covers(other) and takes[1]:
        assert takes[0]


def test_an_empty_match_covers_all_and_is_covered_by_none_but_itself() -> None:
    assert Match().covers(match(type="text"))
    assert not match(type="*").covers(Match())
    assert Match().covers(Match())


def event(kind: str, name: str, **data: Any) -> Event:
    return Event("id", "shop", kind, name, "oUser", "gh_1", 1, data)


@pytest.mark.parametrize(
    ("of", "facts"),
    [
        (
            event("message", "text", content="hi"),
            Facts(type="text", content="hi", user="oUser", account="shop"),
        ),
        (
            event("event", "click", event="CLICK", event_key="BUY_IN"),
            Facts(type="event", event="CLICK", key="BUY_IN", user="oUser", account="shop"),
        ),
        (
            event("event", "view", event="VIEW", event_key=7),
            Facts(type="event", event="VIEW", key="7", user="oUser", account="shop"),
        ),
        (
            event("message", "image", content=["x"]),
            Facts(type="image", user="oUser", account="shop"),
        ),
    ],
)
def test_what_is_matched_of_an_event(of: Event, facts: Facts) -> None:
    assert facts_of(of) == facts


def test_what_a_user_wrote_is_not_in_the_repr_of_facts() -> None:
    assert "oUser" not in repr(TEXT)
    assert "Help" not in repr(TEXT)
