from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from tests.token_service.fake_source import served
from tests.token_service.proxy.world import (
    APPID,
    BANK_APPID,
    KEYS,
    REAL_TOKEN,
    SHOP,
    Service,
    lone,
    service,
)
from token_service.proxy.handouts import RealHandouts
from token_service.served import RejectionOutcome

TOKEN = "/cgi-bin/token"
STABLE = "/cgi-bin/stable_token"
ASKED = {"grant_type": "client_credential", "appid": APPID, "secret": KEYS["sdk"]}


def query(**fields: str) -> str:
    return "&".join(f"{name}={value}" for name, value in {**ASKED, **fields}.items())


async def test_an_sdk_gets_an_opaque_token_with_a_full_life(it: Service) -> None:
    answer = await it.get(f"{TOKEN}?{query()}")

    assert answer.status == 200
    assert set(answer.document) == {"access_token", "expires_in"}
    assert answer.document["expires_in"] == 7200
    assert answer.document["access_token"].startswith("zkt1_")


@pytest.mark.parametrize("path", [TOKEN, STABLE, "//cgi-bin//token", "/cgi-bin//stable_token"])
@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/json", False),
        ("APPLICATION/JSON; charset=UTF-8", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", True),
        ("Application/X-WWW-Form-Urlencoded", True),
    ],
)
async def test_a_token_is_given_for_any_body(
    it: Service, path: str, content_type: str, form: bool
) -> None:
    body = query() if form else json.dumps({**ASKED, "force_refresh": False})
    answer = await it.ask("POST", path, data=body, headers={"Content-Type": content_type})

    assert answer.document["expires_in"] == 7200


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "x" * 32}, 40125),
        ({"secret": ""}, 41004),
        ({"grant_type": "password"}, 40002),
        ({"appid": BANK_APPID}, 48001),
        ({"secret": KEYS["reader"]}, 48001),
    ],
)
async def test_a_refusal_has_wechat_s_shape_and_says_what_to_do(
    it: Service, changed: dict[str, str], errcode: int
) -> None:
    answer = await it.get(f"{TOKEN}?{query(**changed)}")

    assert answer.status == 200
    assert answer.errcode == errcode
    assert len(answer.document["errmsg"]) > 20
    assert "secret-" not in answer.document["errmsg"]


async def test_a_secret_given_twice_is_malformed(it: Service) -> None:
    answer = await it.get(f"{TOKEN}?{query()}&secret={KEYS['sdk']}")

    assert answer.status == 400


async def test_a_loop_on_the_token_endpoint_calls_nobody(it: Service) -> None:
    await it.get(f"/cgi-bin/menu/get?access_token={await it.token()}")
    answers = [await it.get(f"{TOKEN}?{query()}") for _ in range(1000)]

    assert all(answer.status == 200 for answer in answers)
    assert it.token_calls == 1


async def test_a_client_that_is_given_real_tokens_learns_their_true_life(it: Service) -> None:
    token = (await it.get(f"{TOKEN}?{query(secret=KEYS['real'])}")).document

    ledger, now = it.wechat.world.model.ledger, it.wechat.world.time.now()
    assert ledger.alive(token["access_token"], now)
    ends_at = ledger.ends_at(token["access_token"])
    assert ends_at is not None
    assert 0 <= ends_at - now - token["expires_in"] < 10


async def test_a_loop_for_real_tokens_costs_one_probe_at_most(it: Service) -> None:
    await it.get(f"{TOKEN}?{query(secret=KEYS['real'])}")
    ledger = it.wechat.world.model.ledger
    mark, calls = ledger.mark(), it.token_calls
    for _ in range(1000):
        await it.get(f"{TOKEN}?{query(secret=KEYS['real'])}")

    assert it.token_calls == calls
    assert len(ledger.requests(after=mark)) <= 1


async def test_a_real_token_that_died_is_replaced_when_it_is_asked_for_again(it: Service) -> None:
    asked = f"{TOKEN}?{query(secret=KEYS['real'])}"
    first = (await it.get(asked)).document["access_token"]
    it.kill()

    again = (await it.get(asked)).document["access_token"]

    assert again != first
    assert it.token_calls == 2


def test_pods_that_share_a_key_are_no_suspicion() -> None:
    handouts = RealHandouts()
    holder = ("real", "shop")

    assert not any(handouts.asks_again(holder, f"10.0.0.{pod}", "v", 0.0) for pod in range(10))
    assert handouts.asks_again(holder, "10.0.0.3", "v", 59.0)
    assert not handouts.asks_again(holder, "10.0.0.4", "v", 61.0)
    assert not handouts.asks_again(holder, "10.0.0.4", "w", 62.0)


async def test_a_suspicion_is_a_claim_and_no_evidence() -> None:
    async with lone(["http://127.0.0.1:9"], real_tokens=True) as it:
        it.source.outcome = RejectionOutcome.CONFIRMED_VALID
        for _ in range(2):
            await it.get(f"{TOKEN}?{query()}")

        assert it.source.asked == [("reject", SHOP, served(SHOP, REAL_TOKEN).version, False)]


async def test_a_forced_refresh_takes_the_right_force(it: Service) -> None:
    await it.token()
    await it.get(f"/cgi-bin/menu/get?access_token={await it.token()}")
    calls = it.token_calls
    await it.post(STABLE, {**ASKED, "force_refresh": True})
    assert it.token_calls == calls

    await it.post(STABLE, {**ASKED, "secret": KEYS["admin"], "force_refresh": True})
    assert it.token_calls == calls + 1


async def test_a_token_of_before_a_restart_is_good_after_it(tmp_path: Path) -> None:
    async with service(tmp_path) as it:
        token = await it.token()
    assert (tmp_path / "tokens.db.opaque-keys").stat().st_mode & 0o777 == 0o600

    async with service(tmp_path) as it:
        answer = await it.get(f"/cgi-bin/get_api_domain_ip?access_token={token}")
    # The emulator is another one, on another port: the token was accepted and sent on.
    assert answer.errcode in {0, -1}


async def test_a_ticket_comes_from_our_cache(tmp_path: Path) -> None:
    async with service(tmp_path) as it:
        path = tmp_path / "token_service.yaml"
        path.write_text(
            path.read_text().replace("mode: stable}", "mode: stable, tickets: [jsapi]}", 1)
        )
        await it.running.look_at_config()
        token = await it.token("admin")
        path.write_text(path.read_text().replace('"force"]', '"force", "read"]'))
        await it.running.look_at_config()
        asked = f"/cgi-bin/ticket/getticket?access_token={token}&type=jsapi"
        tickets = {(await it.get(asked)).document["ticket"] for _ in range(5)}
        refused = await it.get(asked.replace("jsapi", "wx_card"))

        assert len(tickets) == 1
        assert it.wechat.world.model.ledger.calls("/cgi-bin/ticket/getticket") == 1
        assert refused.errcode == 48001


async def test_unknown_paths_below_v1_stay_unknown(it: Service) -> None:
    for path in ("/v1/nothing", "/v1", "/v1/accounts/shop/wechat"):
        assert (await it.get(path)).status == 404
    assert (await it.get("/openapi.json")).status == 200


async def test_concurrent_askers_are_all_answered(it: Service) -> None:
    answers = await asyncio.gather(*(it.get(f"{TOKEN}?{query()}") for _ in range(50)))

    assert len({answer.document["access_token"] for answer in answers}) == 50


async def test_a_revoked_client_gets_a_good_token_for_its_key(it: Service) -> None:
    before = await it.token()
    await it.running.service.revocations.revoke("sdk")
    after = await it.token()

    assert (await it.get(f"/cgi-bin/get_api_domain_ip?access_token={before}")).errcode == 40001
    assert (await it.get(f"/cgi-bin/get_api_domain_ip?access_token={after}")).errcode == 0


async def test_without_a_live_token_an_opaque_one_is_given_all_the_same() -> None:
    async with lone(["http://127.0.0.1:9"]) as it:
        it.source.live.clear()
        answer = await it.get(f"{TOKEN}?{query()}")

        assert answer.document["expires_in"] == 7200


async def test_a_key_in_the_query_of_a_refused_call_is_not_repeated(it: Service) -> None:
    answer = await it.get(f"{TOKEN}?{query(secret='k' * 40)}")

    assert b"k" * 10 not in answer.body


async def test_a_body_that_never_ends_is_not_waited_for() -> None:
    async with lone(["http://127.0.0.1:9"]) as it:
        object.__setattr__(
            it.parts, "settings", it.parts.settings.model_copy(update={"timeout": 0.1})
        )

        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(b"POST /cgi-bin/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n")
        writer.close()

        assert b" 408 " in head


async def test_a_session_of_any_client_may_be_kept_alive(it: Service) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            url = f"http://127.0.0.1:{it.port}{TOKEN}?{query()}"
            async with session.get(url) as response:
                assert response.status == 200
        assert session.connector is not None
