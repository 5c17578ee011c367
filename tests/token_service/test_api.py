from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.token_service.api_world import (
    BANK,
    KEYS,
    REJECTIONS,
    ROTATIONS,
    SHOP,
    TOKEN,
    World,
    api_world,
    caller,
    directory,
)
from tests.token_service.fake_source import NOW, VALUE, served
from token_service.clients import Verb
from token_service.served import NoLiveToken, RejectionOutcome, TooSoon
from token_service.slot import Failure, FailureKind, version_of
from zhongkong.runtime.storage import StoreUnavailable

VERSION = version_of(SHOP.appid, SHOP.kind, VALUE)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with api_world() as made:
        yield made


async def test_a_live_token_is_answered_with_exactly_the_promised_members(world: World) -> None:
    answer = await world.ask("GET", TOKEN)

    assert answer.status == 200
    assert answer.document == {
        "account": "shop",
        "appid": SHOP.appid,
        "kind": "access_token",
        "value": VALUE,
        "version": VERSION,
        "issued_at": "2027-01-15T08:00:00Z",
        "expires_at": "2027-01-15T10:00:00Z",
        "expires_in": 7200,
    }
    assert answer.headers["ETag"] == f'"{VERSION}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("query", ["", "?wait=3", "?min_ttl=200", "?min_ttl=0&wait=60"])
async def test_the_short_way_and_the_long_way_give_the_same_token(world: World, query: str) -> None:
    assert (await world.ask("GET", TOKEN + query)).document["value"] == VALUE


async def test_the_seconds_left_are_counted_at_each_answer(world: World) -> None:
    await world.ask("GET", TOKEN)
    world.source.time = NOW + 10.5

    assert (await world.ask("GET", TOKEN)).document["expires_in"] == 7189


async def test_a_replaced_token_is_handed_out_from_the_next_request_on(world: World) -> None:
    await world.ask("GET", TOKEN)
    world.source.live[SHOP] = served(SHOP, "another")

    assert (await world.ask("GET", TOKEN)).document["value"] == "another"


async def test_an_early_end_of_the_same_token_is_told(world: World) -> None:
    await world.ask("GET", TOKEN)
    world.source.live[SHOP] = served(SHOP, lives_s=100)

    assert (await world.ask("GET", TOKEN)).document["expires_in"] == 100


async def test_http_1_0_and_connection_close_are_answered_and_closed(world: World) -> None:
    for line in ("HTTP/1.0\r\n", "HTTP/1.1\r\nConnection: close\r\n"):
        request = f"GET {TOKEN} {line}Host: x\r\nAuthorization: Bearer {KEYS['ops']}\r\n\r\n"
        assert VALUE.encode() in await world.raw(request.encode())


async def test_pipelined_requests_are_answered_in_order(world: World) -> None:
    one = f"GET {TOKEN} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS['ops']}\r\n"
    answer = await world.raw(f"{one}\r\n{one}\r\n{one}Connection: close\r\n\r\n".encode())

    assert answer.count(VALUE.encode()) == 3


async def test_head_tells_the_headers_alone(world: World) -> None:
    answer = await world.ask("HEAD", TOKEN)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["ETag"] == f'"{VERSION}"'


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(f'"{VERSION}"', id="the very tag"),
        pytest.param(f'W/"{VERSION}"', id="weak"),
        pytest.param(f'"old", W/"older" , "{VERSION}"', id="in a list"),
        pytest.param("*", id="any"),
    ],
)
async def test_a_caller_that_holds_the_current_token_gets_304(world: World, tags: str) -> None:
    answer = await world.ask("GET", TOKEN, headers={"If-None-Match": tags})

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == f'"{VERSION}"'


async def test_an_old_tag_gets_the_token(world: World) -> None:
    answer = await world.ask("GET", TOKEN, headers={"If-None-Match": '"old", ,"'})

    assert answer.document["version"] == VERSION


@pytest.mark.parametrize(
    ("method", "path", "rights"),
    [
        ("GET", TOKEN, {"orders": 200, "ops": 200, "reader": 403, "nothing": 403, None: 401}),
        ("GET", "/v1/accounts/bank/tokens/access_token", {"orders": 403, "reader": 200}),
        ("POST", REJECTIONS, {"orders": 200, "ops": 200, "reader": 403, None: 401}),
        ("POST", ROTATIONS, {"orders": 403, "ops": 200, "reader": 403, None: 401}),
        ("GET", "/v1/accounts", {"orders": 200, "nothing": 200, None: 401}),
        ("GET", "/openapi.json", {"orders": 200, None: 200}),
        ("GET", "/v1/accounts/nobody/tokens/access_token", {"ops": 404, "orders": 404, None: 401}),
        ("GET", "/v1/accounts/shop/tokens/jsapi_ticket", {"ops": 404, "orders": 404, None: 401}),
    ],
)
async def test_each_caller_may_do_what_its_rights_say_and_no_more(
    world: World, method: str, path: str, rights: dict[str | None, int]
) -> None:
    body = {"version": VERSION, "errcode": 40001} if path == REJECTIONS else None
    for key, status in rights.items():
        assert (await world.ask(method, path, key=key, json=body)).status == status, key


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="scheme alone"),
        pytest.param("Bearer short", id="short key"),
        pytest.param(f"Basic {KEYS['ops']}", id="another scheme"),
        pytest.param(f"Bearer {KEYS['ops']}x", id="one character more"),
        pytest.param(f"Bearer {'k' * 4000}", id="long"),
    ],
)
async def test_a_bad_key_is_401_and_told_how_to_do_better(world: World, authorization: str) -> None:
    answer = await world.ask("GET", TOKEN, key=None, headers={"Authorization": authorization})

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "keys new" in answer.document["detail"]


async def test_every_problem_has_type_title_status_and_detail(world: World) -> None:
    answers = [
        await world.ask("GET", TOKEN, key=None),
        await world.ask("GET", TOKEN, key="nothing"),
        await world.ask("GET", "/nowhere"),
        await world.ask("DELETE", TOKEN),
        await world.ask("GET", f"{TOKEN}?min_ttl=1&min_ttl=2"),
        await world.ask("POST", REJECTIONS, data=b"x" * 20_000),
    ]

    assert [answer.status for answer in answers] == [401, 403, 404, 405, 400, 413]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= answer.document.keys()
        assert answer.document["status"] == answer.status


async def test_a_wrong_method_is_told_the_right_ones(world: World) -> None:
    assert (await world.ask("PUT", TOKEN)).headers["Allow"] == "GET, HEAD"
    assert (await world.ask("GET", REJECTIONS)).headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("min_ttl=201", "min_ttl"),
        ("min_ttl=-1", "min_ttl"),
        ("min_ttl=NaN", "min_ttl"),
        ("min_ttl=1e2", "min_ttl"),
        ("min_ttl=" + "9" * 400, "min_ttl"),
        ("min_ttl=%D9%A3", "min_ttl"),
        ("wait=61", "wait"),
        ("wait=", "wait"),
        ("wait=1&wait=2", "wait"),
        ("force=1", "force"),
    ],
)
async def test_a_bad_parameter_is_400_and_named(world: World, query: str, named: str) -> None:
    answer = await world.ask("GET", f"{TOKEN}?{query}")

    assert answer.status == 400
    assert f"`{named}`" in answer.document["detail"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON object"),
        (b"[]", "JSON object"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"version": NaN, "errcode": 40001}', "JSON"),
        (b'{"errcode": 40001}', "version"),
        (b'{"version": 5, "errcode": 40001}', "version"),
        (b'{"version": "a b", "errcode": 40001}', "version"),
        (b'{"version": "v"}', "errcode"),
        (b'{"version": "v", "errcode": "40001"}', "errcode"),
        (b'{"version": "v", "errcode": true}', "errcode"),
        (b'{"version": "v", "errcode": 1e400}', "JSON"),
        (b'{"version": "v", "errcode": 45009}', "only these say that a token is dead"),
        (b'{"version": "v", "errcode": 40001, "value": "x"}', "value"),
        (b"[" * 8000, "JSON"),
    ],
)
async def test_a_bad_report_is_400_and_says_what_is_wrong(
    world: World, body: bytes, named: str
) -> None:
    answer = await world.ask("POST", REJECTIONS, data=body)

    assert answer.status == 400
    assert named in answer.document["detail"]
    assert world.source.asked == []


async def test_a_report_is_answered_with_its_outcome_and_the_token_to_use(world: World) -> None:
    world.source.outcome = RejectionOutcome.REPLACED
    answer = await world.ask("POST", REJECTIONS, json={"version": "old", "errcode": 42001})

    assert answer.document["outcome"] == "replaced"
    assert answer.document["value"] == VALUE
    assert world.source.asked == [("reject", SHOP, "old", False)]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"reason": "leaked"}', b" \n"])
async def test_a_rotation_is_answered_as_a_read(world: World, body: bytes) -> None:
    answer = await world.ask("POST", ROTATIONS, data=body)

    assert answer.status == 200
    assert set(answer.document) == set((await world.ask("GET", TOKEN)).document)


@pytest.mark.parametrize(
    "body", [b"[]", b'{"why": 1}', b'{"reason": 1}', b'{"reason": "' + b"x" * 300]
)
async def test_a_bad_rotation_is_400_and_rotates_nothing(world: World, body: bytes) -> None:
    assert (await world.ask("POST", ROTATIONS, data=body)).status == 400
    assert world.source.asked == []


async def test_a_rotation_too_soon_is_429_with_whole_seconds_to_wait(world: World) -> None:
    world.source.trouble = TooSoon("Forced refreshes are 30 s apart.", retry_after_s=12.2)
    answer = await world.ask("POST", ROTATIONS)

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "13"
    assert answer.document["detail"] == "Forced refreshes are 30 s apart."


@pytest.mark.parametrize(("retry_after_s", "header"), [(0.01, "1"), (3.0, "3"), (1e12, "86400")])
async def test_no_live_token_is_503_with_what_wechat_said(
    world: World, retry_after_s: float, header: str
) -> None:
    failure = Failure(FailureKind.OPERATOR, NOW, NOW + 600, 1, "", errcode=40164, rid="r-1")
    world.source.live = {}
    world.source.trouble = NoLiveToken("No way.", retry_after_s=retry_after_s, failure=failure)
    answer = await world.ask("GET", TOKEN)

    assert answer.status == 503
    assert answer.headers["Retry-After"] == header
    assert answer.document["errcode"] == 40164
    assert answer.document["rid"] == "r-1"


async def test_a_store_that_is_away_is_503_for_deeds(world: World) -> None:
    world.source.trouble = StoreUnavailable("redis is away")
    answer = await world.ask("POST", ROTATIONS)

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_read_without_a_live_token_waits_as_long_as_it_was_told(world: World) -> None:
    del world.source.live[BANK]
    world.source.trouble = NoLiveToken("None.", retry_after_s=1)
    await world.ask("GET", "/v1/accounts/bank/tokens/access_token?wait=7")
    await world.ask("GET", "/v1/accounts/bank/tokens/access_token")

    assert world.source.asked == [("get", BANK, 7, 0), ("get", BANK, 5, 0)]


async def test_too_short_a_life_waits_for_the_refresh_under_way(world: World) -> None:
    world.source.live[SHOP] = served(SHOP, lives_s=100)
    await world.ask("GET", f"{TOKEN}?min_ttl=150")

    assert world.source.asked == [("get", SHOP, 5, 150)]


async def test_one_more_than_may_wait_is_sent_away_at_once() -> None:
    async with api_world(seats=1) as world:
        world.source.live = {}
        world.source.hold = asyncio.Event()
        first = asyncio.ensure_future(world.ask("GET", TOKEN))
        while world.room.taken == 0:
            await asyncio.sleep(0)
        second = await world.ask("GET", TOKEN)
        world.source.live = {SHOP: served(SHOP)}
        world.source.hold.set()

        assert (second.status, second.headers["Retry-After"]) == (503, "1")
        assert (await first).status == 200


async def test_waits_end_at_once_when_the_process_is_stopped(world: World) -> None:
    world.source.live = {}
    world.source.hold = asyncio.Event()
    waiting = asyncio.ensure_future(world.ask("GET", f"{TOKEN}?wait=60"))
    while world.room.taken == 0:
        await asyncio.sleep(0)
    world.room.close()

    answer = await waiting
    assert answer.status == 503
    assert "stopped" in answer.document["detail"]


async def test_a_rotation_goes_on_when_its_caller_hangs_up(world: World) -> None:
    world.source.hold = asyncio.Event()
    asking = asyncio.ensure_future(world.ask("POST", ROTATIONS))
    while not world.source.asked:
        await asyncio.sleep(0)
    asking.cancel()
    while world.room.taken:
        await asyncio.sleep(0)
    world.source.hold.set()
    async with asyncio.timeout(30):
        while not world.source.finished:
            await asyncio.sleep(0)


async def test_the_accounts_listed_are_those_that_the_caller_may_use(world: World) -> None:
    shop = {"account": "shop", "appid": SHOP.appid, "kinds": ["access_token"]}
    bank = {"account": "bank", "appid": BANK.appid, "kinds": ["access_token"]}

    for key, accounts in (("orders", [shop]), ("ops", [shop, bank]), ("nothing", [])):
        answer = await world.ask("GET", "/v1/accounts", key=key)
        assert answer.document == {"accounts": accounts}


async def test_changed_rights_hold_from_the_next_request_on(world: World) -> None:
    assert (await world.ask("GET", TOKEN, key="reader")).status == 403
    world.api.replace(directory(caller("reader", "shop", Verb.READ)))

    assert (await world.ask("GET", TOKEN, key="reader")).status == 200
    assert (await world.ask("GET", TOKEN, key="ops")).status == 401


async def test_an_expectation_other_than_100_continue_is_417(world: World) -> None:
    answer = await world.ask("GET", TOKEN, headers={"Expect": "miracles"})

    assert answer.status == 417


async def test_100_continue_is_met(world: World) -> None:
    answer = await world.ask("POST", ROTATIONS, data=b"{}", expect100=True)

    assert answer.status == 200


async def test_requests_are_counted_by_client_operation_and_status(world: World) -> None:
    await world.ask("GET", TOKEN, key="orders")
    await world.ask("GET", f"{TOKEN}?wait=1", key="orders")
    await world.ask("GET", TOKEN, key=None)

    assert world.tallies.tally("orders", "get_token", 200).count == 2
    assert world.tallies.tally("-", "get_token", 401).count == 1


async def test_a_request_id_of_the_caller_comes_back_with_a_problem(world: World) -> None:
    answer = await world.ask("GET", "/nowhere", headers={"X-Request-ID": "theirs-1"})

    assert answer.headers["X-Request-ID"] == "theirs-1"
