from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from callback_gateway.inbox.records import NOWHERE, Arrival, Kind, Selection
from callback_gateway.targets import Target
from tests.callback_gateway.internal_world import OWNER, USER, World, internal_world
from zhongkong.runtime import logs
from zhongkong.runtime.storage import StoreUnavailable

LETTERS = "/v1/dead-letters"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with internal_world(tmp_path) as it:
        yield it


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("callback_gateway", stream=stream, json=True)
    yield stream
    logs.close()


def audited(log: io.StringIO) -> list[dict[str, Any]]:
    logs.close()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "admin_acted"]


async def test_dead_letters_are_listed_without_their_events(world: World) -> None:
    await world.bury("evt_1")
    status, page = await world.ask("GET", LETTERS)

    (letter,) = page["dead_letters"]
    assert status == 200
    assert (letter["id"], letter["account"], letter["target"]) == (
        "evt_1.trading",
        "shop",
        "trading",
    )
    assert (letter["kind"], letter["reason"]) == ("notify", "exhausted")
    assert [attempt["outcome"] for attempt in letter["attempts"]] == ["http_500"]
    assert page["next"] is None
    assert USER not in json.dumps(page)


async def test_pages_follow_each_other(world: World) -> None:
    ids = [await world.bury(f"evt_{number}") for number in range(5)]
    pages: list[Any] = []
    after = ""
    for _ in range(3):
        pages.append((await world.ask("GET", f"{LETTERS}?limit=2{after}"))[1])
        after = f"&after={pages[-1]['next']}"

    assert [letter["id"] for page in pages for letter in page["dead_letters"]] == ids
    assert [page["next"] is None for page in pages] == [False, False, True]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("account=shop", ["evt_1.trading", "evt_2.audit"]),
        ("target=audit", ["evt_2.audit", "evt_3.audit"]),
        ("account=bank&target=audit", ["evt_3.audit"]),
        ("target=-", ["bad_4.-"]),
    ],
)
async def test_the_list_can_be_narrowed(world: World, query: str, ids: list[str]) -> None:
    await world.bury("evt_1")
    await world.bury("evt_2", "audit")
    await world.bury("evt_3", "audit", "bank")
    await world.inbox.accept([Arrival("bad_4", "bank", b"{}", malformed="no XML")], owner=OWNER)
    _, page = await world.ask("GET", f"{LETTERS}?{query}")

    assert [letter["id"] for letter in page["dead_letters"]] == ids


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "acount=shop", "account=a%20b", "account=a&account=a"],
)
async def test_a_bad_query_is_refused(world: World, query: str) -> None:
    assert (await world.ask("GET", f"{LETTERS}?{query}"))[0] == 400


async def test_the_event_is_shown_to_the_holder_of_the_key_and_that_is_audited(
    world: World, log: io.StringIO
) -> None:
    identity = await world.bury("evt_1")
    status, letter = await world.ask("GET", f"{LETTERS}/{identity}")

    assert status == 200
    assert letter["event"] == {"id": "evt_1", "subject": USER}
    (line,) = audited(log)
    assert (line["who"], line["what"], line["selection"], line["count"]) == (
        "admin",
        "dead_letter_shown",
        identity,
        1,
    )
    assert USER not in log.getvalue()


async def test_without_a_configured_key_this_machine_sees_all_but_the_event(tmp_path: Path) -> None:
    async with internal_world(tmp_path, key=None) as world:
        identity = await world.bury("evt_1")
        status, letter = await world.ask("GET", f"{LETTERS}/{identity}", key=None)

    assert status == 200
    assert "event" not in letter
    assert "admin_key_sha256" in letter["event_withheld"]
    assert USER not in json.dumps(letter)


@pytest.mark.parametrize("path", [f"{LETTERS}/evt_9.x", f"{LETTERS}/%20"])
async def test_an_unknown_letter_is_not_there(world: World, path: str) -> None:
    assert (await world.ask("GET", path))[0] in {400, 404}


async def test_chosen_letters_are_due_again_and_the_dispatcher_is_woken(
    world: World, log: io.StringIO
) -> None:
    first, _ = await world.bury("evt_1"), await world.bury("evt_2")
    answer = await world.ask("POST", f"{LETTERS}/redrive", {"ids": [first]})

    assert answer == (200, {"redriven": 1, "more": False})
    assert world.woken == ["woken"]
    (delivery,) = await world.inbox.lease({"trading": 5}, owner=OWNER)
    assert (delivery.event_id, delivery.kind) == ("evt_1", Kind.NOTIFY)
    (line,) = audited(log)
    assert (line["what"], line["selection"], line["count"]) == ("dead_letters_redriven", first, 1)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"ids": ["evt_1.trading", "evt_2.audit"]}, {"evt_3.audit"}),
        ({"target": "audit"}, {"evt_1.trading"}),
        ({"account": "shop", "target": "audit"}, {"evt_1.trading", "evt_3.audit"}),
        ({"all": True}, set()),
    ],
)
async def test_chosen_letters_are_dropped(
    world: World, body: dict[str, Any], left: set[str]
) -> None:
    await world.bury("evt_1")
    await world.bury("evt_2", "audit")
    await world.bury("evt_3", "audit", "bank")
    status, answer = await world.ask("POST", f"{LETTERS}/drop", body)

    page = await world.inbox.dead_letters(Selection())
    assert (status, answer) == (200, {"dropped": 3 - len(left), "more": False})
    assert {letter.id for letter in page.letters} == left


async def test_thousands_are_changed_in_one_request(world: World) -> None:
    arrivals = [
        Arrival(f"bad_{number}", "shop", b"{}", malformed="no XML") for number in range(2500)
    ]
    await world.inbox.accept(arrivals, owner=OWNER)

    assert (await world.ask("POST", f"{LETTERS}/drop", {"target": NOWHERE}))[1] == {
        "dropped": 2500,
        "more": False,
    }


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"all": False},
        {"target": None},
        {"account": None, "target": "trading"},
        {"all": 1},
        {"ids": []},
        {"ids": ["a b"]},
        {"ids": "evt_1.trading"},
        {"ids": ["x"] * 1001},
        {"ids": ["x"], "all": True},
        {"account": ""},
        {"target": None, "al": True},
    ],
)
@pytest.mark.parametrize("change", ["redrive", "drop"])
async def test_nothing_is_changed_by_a_body_that_doesn_t_say_what(
    world: World, change: str, body: object
) -> None:
    await world.bury("evt_1")

    assert (await world.ask("POST", f"{LETTERS}/{change}", body))[0] == 400
    assert len((await world.inbox.dead_letters(Selection())).letters) == 1


@pytest.mark.parametrize(
    "path", [f"{LETTERS}/redrive", f"{LETTERS}/drop", "/v1/targets/trading/enablement"]
)
async def test_nothing_is_changed_without_the_key(world: World, path: str) -> None:
    assert (await world.ask("POST", path, {"all": True}, key=None))[0] == 401
    assert (await world.ask("POST", path, {"all": True}, key="x" * 32))[0] == 401


@pytest.mark.parametrize(
    "path", [f"{LETTERS}/redrive", f"{LETTERS}/drop", "/v1/targets/trading/enablement"]
)
async def test_nothing_is_changed_where_no_key_is_configured(tmp_path: Path, path: str) -> None:
    async with internal_world(tmp_path, key=None) as world:
        assert (await world.ask("POST", path, {"all": True}, key=None))[0] == 401


async def test_a_body_has_a_limit(world: World) -> None:
    body = {"ids": ["x" * 256] * 2000}

    assert (await world.ask("POST", f"{LETTERS}/drop", body))[0] == 413


async def test_a_disabled_target_is_enabled_and_that_is_audited(
    world: World, log: io.StringIO
) -> None:
    await world.inbox.disable("trading", "any")
    path = "/v1/targets/trading/enablement"

    assert (await world.ask("POST", path))[1]["was_disabled"] is True
    assert (await world.ask("POST", path))[1]["was_disabled"] is False
    assert await world.inbox.disabled() == {}
    assert [(line["what"], line["selection"], line["count"]) for line in audited(log)] == [
        ("target_enabled", "trading", 1),
        ("target_enabled", "trading", 0),
    ]


async def test_a_target_that_isn_t_configured_can_t_be_enabled(world: World) -> None:
    assert (await world.ask("POST", "/v1/targets/other/enablement"))[0] == 404


async def test_a_store_that_is_away_is_a_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_args: object, **_named: object) -> int:
        raise StoreUnavailable("gone")

    for name in ("dead_letters", "redrive", "drop", "enable"):
        monkeypatch.setattr(world.inbox, name, away)

    for method, path in (
        ("GET", LETTERS),
        ("GET", f"{LETTERS}/evt_1.x"),
        ("POST", f"{LETTERS}/redrive"),
        ("POST", f"{LETTERS}/drop"),
        ("POST", "/v1/targets/trading/enablement"),
    ):
        assert (await world.ask(method, path, {"all": True}))[0] == 503


async def test_status_shows_accounts_and_targets(world: World) -> None:
    world.metrics.answered("shop", "new", 0.001)
    world.metrics.forged("shop", "signature")
    await world.bury("evt_1")
    await world.bury("evt_2", "gone")
    trading: Target = world.rules.targets["trading"]
    await world.inbox.disable("trading", trading.fingerprint)
    await world.watch.look()
    status, document = await world.ask("GET", "/v1/status")

    (shop,) = document["accounts"]
    by_name = {target["target"]: target for target in document["targets"]}
    assert status == 200
    assert (shop["answered"], shop["refused"]) == ({"new": 1}, {"signature": 1})
    assert (by_name["trading"]["dead"], by_name["trading"]["disabled"]) == (1, True)
    assert by_name["audit"]["disabled"] is False
    assert (by_name["gone"]["configured"], by_name["gone"]["dead"]) == (False, 1)
    assert document["inbox"] == {"events": 2, "limit": 100_000}


async def test_metrics_are_there(world: World) -> None:
    headers = {"Authorization": "Bearer admin-key-0123456789abcdefghij"}
    url = f"http://127.0.0.1:{world.port}/metrics"
    async with world.session.get(url, headers=headers) as response:
        assert response.status == 200
        assert "callback_gateway_store_away 0.0" in await response.text()
