from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDict

from tests.token_service.proxy.world import APPID, BANK_APPID, KEYS, Service, entry, service
from tests.token_service.running import write_config
from token_service.proxy.headers import to_wechat
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.emulator.faults import Fault
from zhongkong.runtime.settings import ConfigError, load

MENU = {"button": [{"type": "click", "name": "买入", "key": "BUY_IN"}]}
IP = "/cgi-bin/get_api_domain_ip"


async def test_a_menu_is_made_read_and_deleted_with_an_opaque_token(it: Service) -> None:
    token = await it.token()
    created = await it.post(f"/cgi-bin/menu/create?access_token={token}", MENU)
    got = await it.get(f"/cgi-bin/menu/get?access_token={token}")
    deleted = await it.get(f"/cgi-bin/menu/delete?access_token={token}")

    assert (created.errcode, deleted.errcode) == (0, 0)
    assert got.document["menu"]["button"][0]["name"] == "买入"


async def test_the_token_may_stand_in_a_form_or_a_json_body(it: Service) -> None:
    token = await it.token()
    for body in (f"access_token={token}&a=1", json.dumps({"access_token": token})):
        answer = await it.ask("POST", "/cgi-bin/media/unknown", data=body)
        # It was recognised and sent on; the path is what WeChat refuses.
        assert answer.errcode == 40066
    assert not it.wechat.world.model.ledger.sightings.saw(token)


@pytest.mark.parametrize("mode", ["stable", "classic"])
async def test_each_of_100_deaths_is_healed_unseen_with_one_token_call(
    tmp_path: Path, mode: str
) -> None:
    async with service(tmp_path, mode=mode) as it:
        token = await it.token()
        await it.get(f"{IP}?access_token={token}")
        before = it.token_calls
        for _ in range(100):
            it.kill(mode)
            answer = await it.get(f"{IP}?access_token={token}")
            assert "ip_list" in answer.document

        assert it.token_calls == before + 100
        assert it.parts.tallies.count(outcome="healed") == 100


async def test_a_death_under_many_calls_costs_one_token_call(it: Service) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}")
    it.kill()
    answers = await asyncio.gather(*(it.get(f"{IP}?access_token={token}") for _ in range(40)))

    assert all("ip_list" in answer.document for answer in answers)
    assert it.token_calls == 2


async def test_a_post_is_repeated_with_its_body_after_a_death(it: Service) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}")
    it.kill()
    created = await it.post(f"/cgi-bin/menu/create?access_token={token}", MENU)
    got = await it.get(f"/cgi-bin/menu/get?access_token={token}")

    assert created.errcode == 0
    assert got.document["menu"]["button"][0]["key"] == "BUY_IN"


async def test_a_path_that_always_answers_40001_mints_nothing_after_the_first_time(
    it: Service,
) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}")
    it.wechat.world.model.faults.add(
        Fault(kind="errcode", path="/cgi-bin/user/info", errcode=40001, errmsg="invalid credential")
    )
    asked = f"/cgi-bin/user/info?access_token={token}&openid=x"
    first = await it.get(asked)
    after_first = it.token_calls
    answers = [await it.get(asked) for _ in range(20)]
    concurrent = await asyncio.gather(*(it.get(asked) for _ in range(20)))

    assert {answer.errcode for answer in [first, *answers, *concurrent]} == {40001}
    assert after_first <= 2
    assert it.token_calls == after_first


async def test_many_first_calls_on_a_path_that_always_answers_40001_mint_once(
    it: Service,
) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}")
    it.wechat.world.model.faults.add(
        Fault(kind="errcode", path="/cgi-bin/user/info", errcode=40001, errmsg="invalid credential")
    )
    asked = f"/cgi-bin/user/info?access_token={token}&openid=x"
    await asyncio.gather(*(it.get(asked) for _ in range(40)))

    assert it.token_calls <= 2


@pytest.mark.parametrize("token", ["x", "zkt1_" + "A" * 100, "92_" + "r" * 130])
async def test_a_bad_opaque_token_is_answered_40001(it: Service, token: str) -> None:
    answer = await it.get(f"{IP}?access_token={token}")

    assert (answer.status, answer.errcode) == (200, 40001)
    assert it.wechat.world.model.ledger.calls(IP) == 0


async def test_a_call_without_a_token_is_answered_41001(it: Service) -> None:
    assert (await it.get(IP)).errcode == 41001


async def test_a_token_given_twice_is_400(it: Service) -> None:
    token = await it.token()
    twice = await it.get(f"{IP}?access_token={token}&access_token={token}")
    both = await it.post(f"{IP}?access_token={token}", {"access_token": token})

    assert (twice.status, both.status) == (400, 400)
    assert it.wechat.world.model.ledger.calls(IP) == 0


async def test_an_appid_of_another_account_is_refused(it: Service) -> None:
    token = await it.token()

    assert (await it.get(f"{IP}?access_token={token}&appid={BANK_APPID}")).errcode == 40013
    assert "ip_list" in (await it.get(f"{IP}?access_token={token}&appid={APPID}")).document


async def test_a_client_is_refused_on_paths_that_are_not_its_own(it: Service) -> None:
    token = await it.token("menus")

    assert (await it.get(f"/cgi-bin/menu/get?access_token={token}")).errcode == 46003
    assert (await it.get(f"{IP}?access_token={token}")).errcode == 48001
    assert (await it.get(f"/cgi-bin/menu/x/get?access_token={token}")).errcode == 48001
    assert it.wechat.world.model.ledger.calls(IP) == 0


async def test_a_refused_call_is_counted_under_its_client_s_name(it: Service) -> None:
    await it.get(f"{IP}?access_token={await it.token('menus')}")

    assert it.parts.tallies.count(client="menus", account="shop", outcome="refused") == 1


async def test_a_client_is_refused_on_accounts_that_are_not_its_own(it: Service) -> None:
    fetched = await it.get(
        f"/cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={KEYS['bank']}"
    )
    native = await it.native("bank", "GET", "/v1/accounts/shop/wechat/cgi-bin/menu/get")

    assert fetched.errcode == 48001
    assert (native.status, native.document["title"]) == (403, "No right")


@pytest.mark.parametrize(
    "path",
    [
        "/cgi-bin/component/api_component_token",
        "/cgi-bin/clear_quota",
        "/cgi-bin/openapi/quota/clear",
        "/cgi-bin/Token",
        "/cgi-bin/token/",
    ],
)
async def test_what_makes_tokens_or_resets_quotas_is_denied_whatever_the_globs(
    it: Service, path: str
) -> None:
    token = await it.token()
    sdk = await it.ask("POST", f"{path}?access_token={token}", data=b"{}")
    native = await it.native("sdk", "POST", f"/v1/accounts/shop/wechat{path}", data=b"{}")

    assert sdk.errcode == 48001
    assert native.status == 403
    assert it.wechat.world.model.ledger.calls(path) == 0


async def test_a_revoked_client_is_refused_at_once(it: Service) -> None:
    token = await it.token()
    assert "ip_list" in (await it.get(f"{IP}?access_token={token}")).document
    await it.running.service.revocations.revoke("sdk")

    answer = await it.get(f"{IP}?access_token={token}")
    assert (answer.errcode, "revoked" in answer.document["errmsg"]) == (40001, True)


async def test_a_client_that_left_the_configuration_is_refused(
    tmp_path: Path,
) -> None:
    async with service(tmp_path) as it:
        token = await it.token()
        path = tmp_path / "token_service.yaml"
        path.write_text(path.read_text().replace('"sdk"', '"sdk2"'))
        await it.running.look_at_config()

        assert (await it.get(f"{IP}?access_token={token}")).errcode == 40001


async def test_web_login_goes_through_with_the_key_as_secret(it: Service) -> None:
    world = it.wechat.world
    ledger = world.model.ledger
    key = KEYS["sdk"]
    answer = await it.get(
        f"/sns/oauth2/access_token?appid={APPID}&secret={key}&code=abc&grant_type=authorization_code"
    )

    # The code is unknown to WeChat; that it says so means that it took the secret.
    assert answer.errcode in {40029, 40163}
    assert not ledger.sightings.saw(key)


async def test_a_secret_in_a_body_is_replaced(it: Service) -> None:
    answer = await it.post("/cgi-bin/clear_quota/v2", {"appid": APPID, "appsecret": KEYS["sdk"]})

    assert answer.errcode == 0
    assert not it.wechat.world.model.ledger.sightings.saw(KEYS["sdk"])


async def test_a_login_takes_the_right_login(it: Service) -> None:
    login = f"/sns/jscode2session?appid={APPID}&js_code=x&grant_type=authorization_code&secret="

    assert (await it.get(login + KEYS["menus"])).errcode == 48001
    assert (await it.get(login + "x" * 32)).errcode == 40125
    assert (await it.get(login)).errcode == 40125
    assert it.wechat.world.model.ledger.calls("/sns/jscode2session") == 0


async def test_a_user_s_token_is_passed_through_and_never_taken_for_ours(it: Service) -> None:
    user_token = "user-token-" + "u" * 100
    answer = await it.get(f"/sns/userinfo?access_token={user_token}&openid=o&lang=zh_CN")

    assert answer.errcode in {40001, 40014, 42001, 40003}
    assert it.wechat.world.model.ledger.sightings.saw(user_token)
    assert it.token_calls <= 1
    assert it.parts.tallies.count(outcome="healed") == 0


async def test_an_opaque_token_is_not_passed_on_as_a_user_s(it: Service) -> None:
    token = await it.token()
    answer = await it.get(f"/sns/userinfo?access_token={token}&openid=o")

    assert answer.status == 400
    assert not it.wechat.world.model.ledger.sightings.saw(token)


async def test_an_unknown_path_that_carries_a_secret_is_refused(it: Service) -> None:
    token = await it.token()
    query = f"access_token={token}"
    answers = [
        await it.get(f"/cgi-bin/x?{query}&secret={KEYS['sdk']}"),
        await it.get(f"/SNS/jscode2session?appid={APPID}&secret={KEYS['sdk']}"),
        await it.post(f"/cgi-bin/x?{query}", {"appsecret": "whatever"}),
        await it.ask("POST", f"/cgi-bin/x?{query}", data=b'{"\\u0073ecret": "whatever"}'),
    ]

    assert {answer.errcode for answer in answers} == {48001}
    assert it.wechat.world.model.ledger.calls("/cgi-bin/x") == 0


async def test_the_native_face_puts_the_real_token_in(it: Service) -> None:
    base = "/v1/accounts/shop/wechat"
    got = await it.native("sdk", "GET", f"{base}{IP}?a=1")
    without_key = await it.get(f"{base}{IP}")
    unknown = await it.native("sdk", "GET", f"/v1/accounts/none/wechat{IP}")
    twice = await it.native("sdk", "GET", f"{base}{IP}?access_token=x")

    assert "ip_list" in got.document
    assert without_key.status == 401
    assert unknown.status == 404
    assert (twice.status, twice.headers["Content-Type"]) == (400, "application/problem+json")


async def test_the_native_face_heals_as_well(it: Service) -> None:
    base = "/v1/accounts/shop/wechat"
    await it.native("sdk", "GET", f"{base}{IP}")
    it.kill()

    assert "ip_list" in (await it.native("sdk", "GET", f"{base}{IP}")).document


async def test_the_native_face_puts_appid_and_secret_into_a_login(it: Service) -> None:
    answer = await it.native(
        "sdk", "GET", "/v1/accounts/shop/wechat/sns/jscode2session?js_code=x&grant_type=y"
    )

    assert answer.errcode not in {40013, 40125, 41002, 41004, 48001}


async def test_wechat_s_answer_keeps_its_status_headers_and_bytes(it: Service) -> None:
    token = await it.token()
    answer = await it.get(f"{IP}?access_token={token}")
    bare = await it.session.get(f"http://127.0.0.1:{it.wechat.port}{IP}?access_token=x")

    assert answer.headers["Server"] == bare.headers["Server"]
    assert answer.body.startswith(b'{"ip_list":')
    assert "Cache-Control" not in answer.headers


async def test_a_client_of_real_tokens_may_send_its_calls_through_us(it: Service) -> None:
    token = await it.token("real")
    before = await it.get(f"{IP}?access_token={token}")
    it.kill()
    after = await it.get(f"{IP}?access_token={token}")

    assert "ip_list" in before.document
    assert "ip_list" in after.document


async def test_media_go_up_and_down_as_they_are(it: Service) -> None:
    token = await it.token()
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200
    form = aiohttp.FormData()
    form.add_field("media", picture, filename="a.png", content_type="image/png")
    up = await it.ask("POST", f"/cgi-bin/media/upload?access_token={token}&type=image", data=form)
    media_id = up.document["media_id"]
    down = await it.get(f"/cgi-bin/media/get?access_token={token}&media_id={media_id}")

    assert down.body == picture


async def test_every_call_is_audited_without_its_query(
    it: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}&x=needle-in-the-query")
    shown = capsys.readouterr()

    assert "needle-in-the-query" not in shown.out + shown.err
    assert token not in shown.out + shown.err


async def test_metrics_tell_client_account_class_and_outcome(it: Service) -> None:
    token = await it.token()
    await it.get(f"{IP}?access_token={token}")
    url = f"http://127.0.0.1:{it.running.internal_port}/metrics"
    async with it.session.get(url) as response:
        text = await response.text()

    assert (
        'token_service_proxied_calls_total{account="shop",client="sdk",outcome="passed",'
        'path_class="app_token"} 1.0' in text
    )


async def test_a_client_s_rate_is_kept(tmp_path: Path) -> None:
    limited = entry(
        "sdk",
        accounts=["shop"],
        verbs=["proxy"],
        proxy_paths=["/**"],
        rate={"calls": 3, "per": "1h"},
    )
    clients = f"clients:\n  - {limited}\n"
    async with service(tmp_path, clients=clients) as it:
        token = await it.token()
        answers = [await it.get(f"{IP}?access_token={token}") for _ in range(4)]
        native = await it.native("sdk", "GET", f"/v1/accounts/shop/wechat{IP}")

    assert [answer.errcode for answer in answers] == [0, 0, 0, 45011]
    assert native.status == 429
    assert int(native.headers["Retry-After"]) > 0


async def test_redis_needs_keys_for_opaque_tokens(tmp_path: Path) -> None:
    path = write_config(tmp_path, 1, store="redis://localhost/0")
    path.write_text(path.read_text().replace("[{file: opaque}]", "[]"))
    with pytest.raises(ConfigError, match="opaque_token_keys: is missing"):
        load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX)


def test_headers_of_one_connection_and_of_ours_stay_here() -> None:
    sent = CIMultiDict(
        {
            "Host": "us",
            "Authorization": "Bearer x",
            "Cookie": "a=b",
            "Connection": "X-Mine, close",
            "X-Mine": "1",
            "TE": "trailers",
            "X-Forwarded-For": "10.0.0.1",
            "Expect": "100-continue",
            "User-Agent": "sdk/1",
            "Accept-Encoding": "br, gzip",
            "Content-Type": "text/plain",
        }
    )
    raw = tuple((name.encode(), value.encode()) for name, value in sent.items())

    assert to_wechat(raw) == [
        b"User-Agent: sdk/1",
        b"Content-Type: text/plain",
        b"Accept-Encoding: gzip",
    ]
