from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.token_service.settings_files import MINIMAL, SECRET, SHA, loaded, write
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from token_service.slot import Mode
from zhongkong.runtime.settings import ConfigError, load, missing_from_sample, parse_document

SAMPLE = files("token_service").joinpath("sample.yaml").read_text(encoding="utf-8")
ONE_KEY_FOR_BOTH = f"metrics_key_sha256: {SHA}\nadmin_key_sha256: {SHA}"

EVERYTHING = f"""\
listen: 127.0.0.1:8081
internal_listen: 127.0.0.1:9081
store: sqlite:///var/token_service.db
encryption_keys: [{{env: ZK_KEY}}]
admin_key_sha256: {SHA}
wechat: {{base_urls: [https://api.weixin.qq.com]}}
accounts_dir: accounts
opaque_token_keys: [{{env: ZK_KEY}}]
kubernetes: {{issuer: https://k8s, audience: token-service, jwks: /jwks.json}}
proxy: {{timeout: 30s, replay_limit: 64MiB, secret_paths: ["/sns/jscode2session"]}}
accounts:
  - name: shop
    appid: wx0123456789abcdef
    secret: {{file: shop.secret}}
    mode: classic
    kind: sandbox
    tickets: [jsapi, wx_card]
clients:
  - name: orders
    key_sha256: {SHA}
    accounts: [shop]
    kinds: [access_token, jsapi_ticket]
    verbs: [read, report, proxy]
    proxy_paths: ["/cgi-bin/**"]
    hand_out: opaque
    rate: {{calls: 600, per: 1m}}
  - name: pod
    service_account: shop/orders
"""


def test_names_secrets_and_keys_are_all_that_must_be_given(tmp_path: Path) -> None:
    settings = loaded(tmp_path).settings

    assert str(settings.listen) == "127.0.0.1:8081"
    assert str(settings.internal_listen) == "127.0.0.1:9081"
    assert settings.store == "sqlite:///var/token_service.db"
    assert settings.wechat.base_urls == ("https://api.weixin.qq.com",)
    assert settings.accounts[0].mode is Mode.STABLE
    assert settings.grace == 8.0


def test_every_key_is_accepted_and_those_without_effect_are_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, EVERYTHING, {"ZK_KEY": "k" * 40})

    unbuilt = "\n".join(found.unbuilt)
    for key in (
        "accounts_dir",
        "kubernetes",
        "clients[1].service_account",
    ):
        assert f": {key}: has no effect yet" in unbuilt


def test_the_sample_shows_every_setting_with_its_default() -> None:
    assert missing_from_sample(TokenServiceSettings, parse_document(SAMPLE, "sample")) == []


def test_the_sample_can_be_used_as_it_is(tmp_path: Path) -> None:
    text = SAMPLE.replace("/run/secrets/shop", "shop.secret")

    assert loaded(tmp_path, text).settings.accounts[0].name == "shop"


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    environ = {"TOKEN_SERVICE__ACCOUNTS__0__MODE": "classic", "TOKEN_SERVICE_CONFIG": "ignored"}

    assert loaded(tmp_path, MINIMAL, environ).settings.accounts[0].mode is Mode.CLASSIC


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    settings = loaded(tmp_path).settings

    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()
    assert settings.accounts[0].secret.reveal() == SECRET


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "lisen: 127.0.0.1:1",
            "token_service.yaml:1: lisen: is not a setting; did you mean listen?",
        ),
        ("listen: 8081", "token_service.yaml:1: listen:"),
        ("rotation: {lead: 5m}", "rotation.lead: must be below 5m"),
        ("rotation: {lead: 240}", "rotation.lead:"),
        ("rotation: {lead: 20s}", "rotation.lead_jitter: must be shorter than rotation.lead"),
        ("rotation: {call_deadline: 14s}", "rotation.call_deadline: must be shorter than"),
        ("budgets: {forced: 2}", "budgets.forced_reserve: must not exceed"),
        ("budgets: {classic: -1}", "budgets.classic:"),
        ("store: mysql://x", "store:"),
        ("wechat: {base_urls: []}", "wechat.base_urls:"),
        ("wechat: {base_urls: [ftp://x]}", "wechat.base_urls:"),
        ("grace: 0s", "grace:"),
        ("log_level: loud", "log_level:"),
        ("admin_key_sha256: abc", "admin_key_sha256:"),
        ("metrics_key_sha256: abc", "metrics_key_sha256:"),
        (ONE_KEY_FOR_BOTH, "metrics_key_sha256: is that of the admin key"),
        ("encryption_keys: [{env: SHORT}]", "encryption_keys:"),
        ("internal_listen: 127.0.0.1:8081", "internal_listen: is the same address as listen"),
        ("accounts: [{name: a b, appid: x, secret: {env: S}}]", "accounts[0].name:"),
        ("accounts: [{name: a, appid: x}]", "accounts[0].secret: is missing"),
        ("accounts: [{name: a, appid: x, secret: {env: NONE}}]", "accounts[0].secret:"),
        ("accounts: [{name: a, appid: x, secret: plain}]", "accounts[0].secret:"),
        ("opaque_token_keys: [{env: SHORT}]", "opaque_token_keys:"),
        ("store: redis://localhost", "opaque_token_keys: is missing"),
        ("proxy: {timeout: 0s}", "proxy.timeout:"),
        ("proxy: {secret_paths: [sns]}", "proxy.secret_paths[0]:"),
        (f"clients: [{{name: c, key_sha256: {SHA}, hand_out: both}}]", "clients[0].hand_out:"),
        (
            f"clients: [{{name: c, key_sha256: {SHA}, rate: {{calls: 0}}}}]",
            "clients[0].rate.calls:",
        ),
        ("clients: [{name: c}]", "clients[0].key_sha256: is missing"),
        (f"clients: [{{name: c, key_sha256: {SHA}, verbs: [mint]}}]", "clients[0].verbs[0]:"),
    ],
)
def test_a_bad_value_is_refused_with_file_line_and_remedy(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text, {"S": SECRET, "SHORT": "abc"})

    report = str(refused.value)
    assert problem in report
    assert "token_service.yaml:1" in report
    assert SECRET not in report


def test_a_store_s_password_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, "store: redis://:hunter2hunter2@host/x")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("name: bank", "name: shop"), "accounts[1].name: is that of accounts[0] already"),
        (("appid: wx2", "appid: wx1"), "accounts[1].appid: is that of accounts[0] already"),
        (("name: c2", "name: c1"), "clients[1].name: is that of clients[0] already"),
        (("b" * 64, SHA), "clients[1].key_sha256: is that of clients[0] already"),
    ],
)
def test_nothing_may_stand_twice(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    text = f"""\
accounts:
  - {{name: shop, appid: wx1, secret: {{file: shop.secret}}}}
  - {{name: bank, appid: wx2, secret: {{file: shop.secret}}}}
clients:
  - {{name: c1, key_sha256: {SHA}}}
  - {{name: c2, key_sha256: {"b" * 64}}}
"""
    loaded(tmp_path, text)
    with pytest.raises(ConfigError, match=r"token_service\.yaml:[36]: ") as refused:
        loaded(tmp_path, text.replace(*change))

    assert problem in str(refused.value)


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load(TokenServiceSettings, tmp_path / "none.yaml", {}, prefix=ENV_PREFIX)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "shop.secret").unlink()

    with pytest.raises(ConfigError, match=r"token_service\.yaml:4: accounts\[0\]\.secret: .*shop"):
        load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX)
