from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from callback_gateway.accounts import Mode
from callback_gateway.routes import Ask, Static
from callback_gateway.settings import ENV_PREFIX, GatewaySettings
from tests.callback_gateway.settings_files import (
    ADMIN_SHA,
    AES_KEY,
    MINIMAL,
    SIGNING,
    TOKEN,
    loaded,
    write,
)
from zhongkong.runtime.settings import ConfigError, load, missing_from_sample, parse_document
from zhongkong.wechat.passive_reply import TextReply

SAMPLE = files("callback_gateway").joinpath("sample.yaml").read_text(encoding="utf-8")
ONE_KEY_FOR_BOTH = f"metrics_key_sha256: {ADMIN_SHA}\nadmin_key_sha256: {ADMIN_SHA}"

EVERYTHING = f"""\
listen: 0.0.0.0:8082
internal_listen: 127.0.0.1:9082
internal_hosts: [gateway.internal]
admin_key_sha256: {ADMIN_SHA}
store: redis://localhost/0
spool: sqlite:///spool.db
durability: replicated
freshness: 10m
token_service: {{url: "http://127.0.0.1:8081", key: {{env: GATEWAY_KEY}}}}
schedule: [1s, 5s]
accounts:
  - name: shop
    appid: wx0123456789abcdef
    original_id: gh_0123456789ab
    tokens: [{{file: token}}, {{file: old_token}}]
    aes_keys: [{{file: aes}}]
    mode: compatible
targets:
  trading: {{url: "http://trading/", secret: {{file: signing}}, rate: {{calls: 5, per: 1s}}}}
routes:
  - match: {{type: [text, image], user: "o*"}}
    reply: {{forward: trading}}
    late_reply: customer_service
  - match: {{account: shop}}
    notify: [trading, "stream:crm"]
"""

FORWARDING = "applications that are sent WeChat's own requests"


def test_names_secrets_addresses_and_matches_are_all_that_must_be_given(tmp_path: Path) -> None:
    settings = loaded(tmp_path).settings

    assert str(settings.listen) == "0.0.0.0:8082"
    assert str(settings.internal_listen) == "127.0.0.1:9082"
    assert settings.store == "sqlite:///var/callback_gateway.db"
    assert settings.durability == "disk"
    assert settings.accounts[0].mode is Mode.SAFE
    assert list(settings.schedule) == [1, 5, 30, 120, 600, 3600, 21600]
    assert settings.targets["trading"].timeout == 30
    assert settings.routes[0].reply == Ask("trading")
    assert settings.routes[0].reply_window == 15
    assert settings.routes[1].reply == Static(TextReply("您好"))
    assert settings.routes[2].notify == ("audit",)


def test_every_key_is_accepted_and_those_without_effect_are_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, EVERYTHING, {"GATEWAY_KEY": "k" * 32})

    assert [line.partition("callback_gateway.yaml:")[2] for line in found.unbuilt] == [
        "9: token_service: has no effect yet: late replies",
        "19: targets.trading.rate: has no effect yet: a bound on deliveries per second",
        f"22: routes[0].reply.forward: has no effect yet: {FORWARDING}",
        "23: routes[0].late_reply: has no effect yet: replies after the window has closed",
        "25: routes[1].notify[1].stream: has no effect yet: streams of events that are read from",
    ]


def test_the_sample_shows_every_setting_with_its_default() -> None:
    assert missing_from_sample(GatewaySettings, parse_document(SAMPLE, "sample")) == []


def test_the_sample_can_be_used_as_it_is(tmp_path: Path) -> None:
    environ = {
        "SHOP_TOKEN": TOKEN,
        "SHOP_AES_KEY": AES_KEY,
        "TRADING_SECRET": SIGNING,
        "AUDIT_SECRET": SIGNING,
    }
    found = loaded(tmp_path, SAMPLE, environ)

    assert found.settings.accounts[0].name == "shop"
    assert found.unbuilt == ()
    assert [line.rpartition(": ")[0].rpartition(": ")[2] for line in found.notices] == [
        "admin_key_sha256"
    ]


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    environ = {"CALLBACK_GATEWAY__ACCOUNTS__0__MODE": "compatible"}

    assert loaded(tmp_path, MINIMAL, environ).settings.accounts[0].mode is Mode.COMPATIBLE


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    settings = loaded(tmp_path).settings

    for secret in (TOKEN, AES_KEY, SIGNING):
        assert secret not in repr(settings)
        assert secret not in settings.model_dump_json()


def test_the_lines_of_routes_are_known(tmp_path: Path) -> None:
    path = tmp_path / "callback_gateway.yaml"

    assert loaded(tmp_path).places == {
        ("routes", 0): f"{path}:10",
        ("routes", 1): f"{path}:14",
        ("routes", 2): f"{path}:16",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lisen: 127.0.0.1:1", "lisen: is not a setting; did you mean listen?"),
        ("listen: 8082", "listen:"),
        ("internal_listen: 0.0.0.0:8082", "internal_listen: is the same address as listen"),
        ("internal_hosts: [a b]", "internal_hosts[0]:"),
        ("store: mysql://x", "store:"),
        ("spool: redis://localhost", "spool: the spool is a file of this machine"),
        ("spool: sqlite:///var/callback_gateway.db", "spool: is the same file as the store"),
        ("durability: replicated", "durability: replicated takes Redis"),
        ("durability: memory", "durability:"),
        ("answer_within: 5s", "answer_within: '5s' is too large: write at most 4800ms"),
        ("retention: 1h", "retention: '1h' is too small: write at least 24h"),
        ("body_limit: 2MiB", "body_limit: '2MiB' is too large: write at most 256KiB"),
        ("tries: 0", "tries:"),
        ("schedule: []", "schedule:"),
        ("schedule: [1]", "schedule[0]:"),
        ("inbox_limit: 0", "inbox_limit:"),
        ("drain: 8s", "drain: must be shorter than grace"),
        ("admin_key_sha256: abc", "admin_key_sha256:"),
        ("metrics_key_sha256: abc", "metrics_key_sha256:"),
        (ONE_KEY_FOR_BOTH, "metrics_key_sha256: is that of the admin key"),
    ],
)
def test_a_bad_value_is_refused_with_file_line_and_remedy(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path / 'callback_gateway.yaml'}:1: ")
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("name: a b, tokens: [{env: T}], aes_keys: [{env: K}]", "name: 'a b' is not a name"),
        ("appid: wx!, tokens: [{env: T}], aes_keys: [{env: K}]", "appid: 'wx!' is not an appid"),
        ("aes_keys: [{env: K}]", "tokens: is missing"),
        ("tokens: [], aes_keys: [{env: K}]", "tokens: a list has too few entries: at least 1"),
        (
            "tokens: [{env: T}, {env: U}, {env: V}], aes_keys: [{env: K}]",
            "tokens: a list has too many entries: at most 2",
        ),
        ("tokens: [{env: SHORT}], aes_keys: [{env: K}]", "tokens[0]: is not a callback token"),
        ("tokens: [{env: T}, {env: DASH}], aes_keys: [{env: K}]", "tokens[1]: is not a callback"),
        ("tokens: [{env: LONG}], aes_keys: [{env: K}]", "3 to 32 letters and digits"),
        ("tokens: [plain], aes_keys: [{env: K}]", "tokens[0]: a secret must not stand here"),
        ("tokens: [{env: T}, {env: SAME}], aes_keys: [{env: K}]", "tokens[1]: is the one before"),
        ("tokens: [{env: T}]", "aes_keys: is missing: mode safe takes the EncodingAESKey"),
        ("tokens: [{env: T}], mode: compatible", "aes_keys: is missing: mode compatible"),
        (
            "tokens: [{env: T}], aes_keys: [{env: T}]",
            "aes_keys[0]: an EncodingAESKey is exactly 43",
        ),
        ("tokens: [{env: T}], aes_keys: [{env: K}, {env: K}]", "aes_keys[1]: is the one before"),
        ("tokens: [{env: T}], mode: clear", "mode: 'clear' is not one of safe, compatible, plain"),
        (
            "tokens: [{env: T}], aes_keys: [{env: K}], original_id: shop",
            "original_id: 'shop' is not an original id",
        ),
    ],
)
def test_a_bad_account_is_refused_at_its_line(tmp_path: Path, fields: str, problem: str) -> None:
    environ = {
        "T": TOKEN,
        "SAME": TOKEN,
        "U": "other1",
        "V": "other2",
        "SHORT": "ab",
        "DASH": "not-a-token",
        "LONG": "x" * 33,
        "K": AES_KEY,
    }
    name = "" if fields.startswith("name") else "name: a, "
    appid = "" if fields.startswith("appid") else "appid: wx1, "
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f"grace: 8s\naccounts: [{{{name}{appid}{fields}}}]", environ)

    report = str(refused.value)
    assert "callback_gateway.yaml:2: accounts[0]." in report
    assert problem in report
    assert not [value for value in environ.values() if len(value) > 4 and value in report]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("secret: {env: W}", "targets.t.url: is missing"),
        ('url: "http://a/"', "targets.t.secret: is missing"),
        ('url: "http://me:pass@a/", secret: {env: W}', "must hold no name and password"),
        ('url: "ftp://a/", secret: {env: W}', "begins with https:// or http:// and a host"),
        ('url: "/wechat", secret: {env: W}', "begins with https:// or http:// and a host"),
        ('url: "http://a:99999/", secret: {env: W}', "can't be read"),
        ('url: "http://a:0/", secret: {env: W}', "a port from 1 to 65535"),
        ('url: "http://a/#x", secret: {env: W}', "must hold no #"),
        ('url: "http://a/ b", secret: {env: W}', "plain characters"),
        ('url: "http://a/", secret: {env: BAD}', "doesn't begin with whsec_"),
        ('url: "http://a/", secret: {env: SHORT}', "24 to 64"),
        ('url: "http://a/", secret: {env: W}, timeout: 0s', "targets.t.timeout:"),
        ('url: "http://a/", secret: {env: W}, concurrency: 0', "targets.t.concurrency:"),
    ],
)
def test_a_bad_target_is_refused_at_its_line(tmp_path: Path, fields: str, problem: str) -> None:
    environ = {"W": SIGNING, "BAD": "trading-secret", "SHORT": "whsec_c2hvcnQ="}
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f"grace: 8s\ntargets:\n  t: {{{fields}}}", environ)

    report = str(refused.value)
    assert "callback_gateway.yaml:3: targets.t." in report
    assert problem in report
    for text in (*environ.values(), "pass@"):
        assert text not in report


def test_a_target_in_the_cluster_may_be_called_in_clear(tmp_path: Path) -> None:
    text = 'targets:\n  t: {url: "http://trading.shop.svc:8000/x?v=1", secret: {file: signing}}'

    assert loaded(tmp_path, text).settings.targets["t"].url.endswith("?v=1")


def test_a_target_is_named_like_everything_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"yaml:2: targets\.-: '-' is not a name"):
        loaded(tmp_path, 'targets:\n  "-": {url: "http://a/", secret: {file: signing}}')


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        ("{notify: t}", "match: is missing"),
        ("{match: {}}", "routes[0]: does nothing: give it `reply` or `notify`"),
        ("{match: {}, reply: u}", "reply: u is none of the targets; configured are t"),
        ("{match: {}, notify: [t, u]}", "notify[1]: u is none of the targets; configured are t"),
        ("{match: {}, reply: {forward: u}}", "reply.forward: u is none of the targets"),
        ("{match: {}, notify: []}", "notify: a list is empty: name a target"),
        ("{match: {}, notify: [7]}", "notify[0]: is not the name of a target"),
        ("{match: {}, reply: 7}", "reply: 7 is neither a target's name nor an answer"),
        ("{match: {kind: text}, reply: t}", "match.kind: is not a setting here"),
        ("{match: {key: 7}, reply: t}", "match.key: is not a pattern: write it as text"),
        ("{match: {key: []}, reply: t}", "match.key: a list is empty"),
        ("{match: {key: '/(/'}, reply: t}", "match.key: is no regex of RE2's syntax: missing )"),
        ("{match: {key: [a, '/(?=a)/']}, reply: t}", "match.key[1]: is no regex"),
        ("{match: {key: '/a/g'}, reply: t}", "match.key: is a regex with the flags g"),
        ("{match: {content: '//'}, reply: t}", "match.content: is an empty regex"),
        ("{match: {}, reply: {type: txt}}", "reply.type: has to be one of text"),
        ("{match: {}, reply: {content: x}}", "reply.type: has to be one of text"),
        ("{match: {}, reply: {type: text}}", "reply.content: is missing"),
        ("{match: {}, reply: {type: text, content: x, to: y}}", "reply.to: is unknown"),
        (
            "{match: {type: event}, reply: {type: news, articles: [{title: a, url: b}, {url: c}]}}",
            "reply.articles[1].title: is missing",
        ),
        (
            "{match: {}, reply: {type: news, articles: [{title: a, url: b}, {title: a, url: b}]}}",
            "reply.articles: has to hold one article",
        ),
        ("{match: {}, reply: t, fallback: {type: text}}", "fallback.content: is missing"),
        ("{match: {}, reply: t, reply_window: 5s}", "reply_window: '5s' is not a window"),
        ("{match: {}, reply: t, reply_window: 15}", "reply_window: 15 is not a window"),
        ("{match: {}, notify: t, reply_window: 15s}", "reply_window: has a meaning only where"),
        (
            "{match: {}, reply: {type: text, content: x}, fallback: {type: text, content: y}}",
            "fallback: has a meaning only where `reply` names a target",
        ),
        ("{match: {}, reply: t, late_reply: sms}", "late_reply:"),
    ],
)
def test_a_bad_route_is_refused_at_its_line(tmp_path: Path, route: str, problem: str) -> None:
    text = f"targets:\n  t: {{url: 'http://a/', secret: {{file: signing}}}}\nroutes:\n- {route}"
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)

    report = str(refused.value)
    assert "callback_gateway.yaml:4: routes[0]" in report
    assert problem in report


def test_several_articles_may_answer_what_takes_several(tmp_path: Path) -> None:
    article = "{title: a, url: b}"
    reply = f"{{type: news, articles: [{article}, {article}]}}"
    text = f"routes: [{{match: {{type: event}}, reply: {reply}}}]"

    assert isinstance(loaded(tmp_path, text).settings.routes[0].reply, Static)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("name: bank", "name: shop"), "accounts[1].name: is that of accounts[0] already"),
        (("appid: wx2", "appid: wx1"), "accounts[1].appid: is that of accounts[0] already"),
        (("gh_2", "gh_1"), "accounts[1].original_id: is that of accounts[0] already"),
    ],
)
def test_nothing_may_stand_twice(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    rest = "tokens: [{file: token}], aes_keys: [{file: aes}]"
    text = f"""\
accounts:
  - {{name: shop, appid: wx1, original_id: gh_1, {rest}}}
  - {{name: bank, appid: wx2, original_id: gh_2, {rest}}}
"""
    loaded(tmp_path, text)
    with pytest.raises(ConfigError, match=r"callback_gateway\.yaml:3: ") as refused:
        loaded(tmp_path, text.replace(*change))

    assert problem in str(refused.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = MINIMAL.replace("notify: audit", "notify: adit").replace("reply: trading", "reply: t")
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)

    assert [
        str(problem).partition("yaml:")[2].partition(":")[0] for problem in refused.value.problems
    ] == ["11", "17"]


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "aes").unlink()

    with pytest.raises(ConfigError, match=r"yaml:5: accounts\[0\]\.aes_keys\[0\]: .*aes does not"):
        load(GatewaySettings, path, {}, prefix=ENV_PREFIX)
