"""The control calls under /_emulator/."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from tests.emulator.clocks import HeldClock
from tests.emulator.platforms import APPID, NOW, OTHER_APPID, PROBE, SECRET, code_of
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
TOKEN = f"/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET}"


async def control(
    client: Client, method: str, path: str, body: object = None, *, status: int = 200
) -> dict[str, Any]:
    response = await client.request(method, f"/_emulator{path}", json=body)
    assert response.status == status, await response.text()
    return dict(await response.json())


async def wechat_get(client: Client, target: str) -> dict[str, Any]:
    return dict(await (await client.get(target)).json(content_type=None))


async def test_the_index_lists_the_calls(wechat: Client) -> None:
    calls = (await control(wechat, "GET", ""))["calls"]
    assert "POST /_emulator/clock" in calls


async def test_the_clock_is_advanced_shifted_frozen_and_thawed(
    wechat: Client, clock: HeldClock
) -> None:
    assert (await control(wechat, "GET", "/clock"))["now"] == NOW
    assert (await control(wechat, "POST", "/clock", {"advance_s": 60}))["now"] == NOW + 60
    assert (await control(wechat, "POST", "/clock", {"offset_s": -120}))["now"] == NOW - 120
    await control(wechat, "POST", "/clock", {"frozen": True})
    clock.at += 500
    assert (await control(wechat, "POST", "/clock", {"advance_s": 20}))["now"] == NOW - 100
    thawed = await control(wechat, "POST", "/clock", {"frozen": False})
    assert thawed == {"now": NOW + 400, "offset_s": -100.0, "frozen": False}


@pytest.mark.parametrize("body", ['{"advance_s":1e30}', '{"offset_s":NaN}', '{"advance_s":"x"}'])
async def test_an_impossible_time_is_refused(wechat: Client, body: str) -> None:
    response = await wechat.post("/_emulator/clock", data=body)
    assert response.status == 400
    assert (await response.json())["detail"]


async def test_faults_are_added_listed_struck_and_removed(wechat: Client) -> None:
    fault = {"kind": "errcode", "path": "/cgi-bin/token", "errcode": 45009, "count": 2}
    fault_id = (await control(wechat, "POST", "/faults", fault))["id"]
    assert code_of(await wechat_get(wechat, TOKEN)) == 45009
    (listed,) = (await control(wechat, "GET", "/faults"))["faults"]
    assert (listed["id"], listed["strikes"], listed["errcode"]) == (fault_id, 1, 45009)
    await control(wechat, "DELETE", f"/faults/{fault_id}")
    assert code_of(await wechat_get(wechat, TOKEN)) == 0
    gone = await control(wechat, "DELETE", f"/faults/{fault_id}", status=404)
    assert "GET /_emulator/faults" in gone["detail"]


async def test_all_faults_are_cleared_at_once(wechat: Client) -> None:
    await control(wechat, "POST", "/faults", {"kind": "disconnect"})
    await control(wechat, "DELETE", "/faults")
    assert code_of(await wechat_get(wechat, TOKEN)) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"frozen": 50002}, 50002),
        ({"token_barred": True}, 50004),
        ({"secret_frozen": True}, 40243),
        ({"secret": "another"}, 40125),
        ({"allowlist": {"enabled": True, "addresses": ["203.0.113.1"]}}, 40164),
    ],
)
async def test_an_account_is_changed_and_changed_back(
    wechat: Client, change: dict[str, Any], code: int
) -> None:
    await control(wechat, "PATCH", f"/accounts/{APPID}", change)
    assert code_of(await wechat_get(wechat, TOKEN)) == code
    healthy: dict[str, Any] = {
        "frozen": None,
        "token_barred": False,
        "secret_frozen": False,
        "secret": SECRET,
        "allowlist": {},
    }
    await control(wechat, "PATCH", f"/accounts/{APPID}", healthy)
    assert code_of(await wechat_get(wechat, TOKEN)) == 0


async def test_accounts_are_added_and_shown_with_their_tokens(wechat: Client) -> None:
    new = {"appid": OTHER_APPID, "secret": "s" * 32, "kind": "sandbox"}
    await control(wechat, "POST", "/accounts", new)
    token = (await wechat_get(wechat, TOKEN))["access_token"]
    shown = (await control(wechat, "GET", "/accounts"))["accounts"]
    assert [each["appid"] for each in shown] == [APPID, OTHER_APPID]
    assert shown[0]["classic"][0]["value"] == token
    assert (await control(wechat, "GET", f"/accounts/{OTHER_APPID}"))["kind"] == "sandbox"
    again = await control(wechat, "POST", "/accounts", new, status=400)
    assert OTHER_APPID in again["detail"]


async def test_the_administrator_approves_and_refuses(wechat: Client) -> None:
    change = {"allowlist": {"confirmation": True}}
    await control(wechat, "PATCH", f"/accounts/{APPID}", change)
    assert code_of(await wechat_get(wechat, TOKEN)) == 89503
    tap = {"address": "127.0.0.1", "decision": "refuse"}
    await control(wechat, "POST", f"/accounts/{APPID}/confirmations", tap)
    assert code_of(await wechat_get(wechat, TOKEN)) == 89507
    tap["decision"] = "approve"
    await control(wechat, "POST", f"/accounts/{APPID}/confirmations", tap)
    assert code_of(await wechat_get(wechat, TOKEN)) == 0


async def test_tokens_are_killed_and_refreshed_by_a_colleague(wechat: Client) -> None:
    token = (await wechat_get(wechat, TOKEN))["access_token"]
    assert (await control(wechat, "POST", "/tokens/kill", {"family": "classic"}))["killed"] == [
        token
    ]
    assert code_of(await wechat_get(wechat, f"{PROBE}?access_token={token}")) == 40001
    foreign = await control(wechat, "POST", "/foreign-refresh", {"kind": "stable_forced"})
    assert code_of(await wechat_get(wechat, f"{PROBE}?access_token={foreign['access_token']}")) == 0


async def test_with_several_accounts_the_appid_must_be_said(wechat: Client) -> None:
    await control(wechat, "POST", "/accounts", {"appid": OTHER_APPID, "secret": "s"})
    refused = await control(wechat, "POST", "/foreign-refresh", {}, status=400)
    assert "appid" in refused["detail"]
    await control(wechat, "POST", "/foreign-refresh", {"appid": OTHER_APPID})
    await control(wechat, "POST", "/foreign-refresh", {"appid": "wx0"}, status=404)


async def test_parameters_are_changed_one_by_one(wechat: Client) -> None:
    changed = await control(wechat, "PATCH", "/parameters", {"wrong_secret_code": 40001})
    assert changed["wrong_secret_code"] == 40001
    assert changed["overlap_s"] == 300
    assert await control(wechat, "GET", "/parameters") == changed
    assert code_of(await wechat_get(wechat, TOKEN + "x")) == 40001
    bad = await control(wechat, "PATCH", "/parameters", {"overlap": 1}, status=400)
    assert "overlap" in bad["detail"]


async def test_the_ledger_is_filtered_and_paged(wechat: Client) -> None:
    for _ in range(3):
        await wechat_get(wechat, TOKEN)
    issued = await control(wechat, "GET", "/ledger?kind=issued&since=0&count=2")
    assert [each["family"] for each in issued["entries"]] == ["classic", "classic"]
    assert issued["left_off"] == 1
    rest = await control(wechat, "GET", f"/ledger?kind=issued&since={issued['next']}")
    assert len(rest["entries"]) == 1
    newest = await control(wechat, "GET", "/ledger?path=/cgi-bin/token&count=1")
    assert newest["entries"][0]["kind"] == "request"
    nothing = await control(wechat, "GET", f"/ledger?since={newest['next']}")
    assert nothing["entries"] == []
    await control(wechat, "GET", "/ledger?kind=nonsense", status=400)


async def test_totals_and_questions_about_single_values(wechat: Client) -> None:
    token = (await wechat_get(wechat, TOKEN))["access_token"]
    totals = await control(wechat, "GET", "/ledger/totals")
    assert totals["calls"] == {"/cgi-bin/token": 1}
    assert totals["mints"] == [{"appid": APPID, "family": "classic", "by": "client", "count": 1}]
    asked = await control(wechat, "POST", "/ledger/tokens", {"value": token})
    assert asked == {"alive": True, "ends_at": NOW + 7200, "now": NOW}
    seen = await control(wechat, "POST", "/ledger/secrets", {"text": SECRET, "watch": True})
    assert seen == {"seen": True, "watched": 0}
    await wechat_get(wechat, TOKEN)
    all_seen = await control(wechat, "GET", "/ledger/secrets")
    assert all_seen["watched"] == {SECRET: 1}
    assert SECRET in {each["value"] for each in all_seen["seen"]}


async def test_a_reset_begins_a_new_world(wechat: Client, world: World) -> None:
    token = (await wechat_get(wechat, TOKEN))["access_token"]
    await control(wechat, "POST", "/clock", {"advance_s": 60})
    await control(wechat, "POST", "/faults", {"kind": "errcode", "path": "/none"})
    await control(wechat, "POST", "/reset")
    assert (await control(wechat, "GET", "/clock"))["now"] == NOW
    assert (await control(wechat, "GET", "/faults"))["faults"] == []
    assert (await control(wechat, "GET", "/ledger"))["entries"] == []
    assert code_of(await wechat_get(wechat, f"{PROBE}?access_token={token}")) == 40001
    assert (await wechat_get(wechat, TOKEN))["access_token"] != token


async def test_control_calls_leave_no_trace_in_the_ledger(wechat: Client) -> None:
    await control(wechat, "GET", "/accounts")
    assert (await control(wechat, "GET", "/ledger/totals"))["calls"] == {}


async def test_unknown_calls_say_where_the_list_is(wechat: Client) -> None:
    for method, path in (("GET", "/nothing"), ("PUT", "/clock"), ("POST", ""), ("GET", "/a/b")):
        refused = await control(wechat, method, path, status=404)
        assert "GET /_emulator lists" in refused["detail"]


async def test_strangers_are_refused_unless_allowed(
    world: World, aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.web.Request.remote", "203.0.113.5", raising=False)
    guarded: Client = await aiohttp_client(make_app(world))
    refused = await control(guarded, "GET", "/accounts", status=403)
    assert "this machine only" in refused["detail"]
    open_one: Client = await aiohttp_client(make_app(world, control_from_anywhere=True))
    await control(open_one, "GET", "/accounts")
