from __future__ import annotations

from pathlib import Path

import pytest

from callback_gateway import configured
from callback_gateway.accounts import Account, Mode
from callback_gateway.inbox.records import Keeping
from callback_gateway.routes import Ask, Facts
from callback_gateway.targets import make_target
from tests.callback_gateway.settings_files import AES_KEY, MINIMAL, SIGNING, TOKEN, loaded
from zhongkong.runtime.settings import ConfigError
from zhongkong.wechat.envelope import AesKey


def test_accounts_have_their_secrets_and_show_none(tmp_path: Path) -> None:
    shop = configured.rules(loaded(tmp_path)).accounts["shop"]

    assert shop == Account(
        "shop", "wx0123456789abcdef", None, (TOKEN,), (AesKey.parse(AES_KEY),), Mode.SAFE
    )
    assert TOKEN not in repr(shop)
    assert AES_KEY not in repr(shop)


def test_targets_sign_and_show_neither_secret_nor_address(tmp_path: Path) -> None:
    trading = configured.rules(loaded(tmp_path)).targets["trading"]

    assert trading == make_target("trading", "http://trading.internal/wechat", SIGNING)
    assert SIGNING not in repr(trading)
    assert "trading.internal" not in repr(trading)


def test_routes_know_where_they_stand(tmp_path: Path) -> None:
    rules = configured.rules(loaded(tmp_path))
    route = rules.routes.decide(Facts("event", "click", "BUY_IN", account="shop")).route

    assert route is not None
    assert route.reply == Ask("trading")
    assert route.place == f"{tmp_path / 'callback_gateway.yaml'}:10"


def test_a_route_from_a_variable_stands_there(tmp_path: Path) -> None:
    environ = {"CALLBACK_GATEWAY__ROUTES__3": '{"match": {}, "notify": "audit"}'}
    rules = configured.rules(loaded(tmp_path, MINIMAL, environ))

    assert [route.place for route in rules.routes][3] == "CALLBACK_GATEWAY__ROUTES__3"


def test_a_fingerprint_changes_with_address_and_secret_alone() -> None:
    one = make_target("t", "http://a/", SIGNING)

    assert one.fingerprint == make_target("u", "http://a/", SIGNING, timeout_s=1).fingerprint
    assert one.fingerprint != make_target("t", "http://a/b", SIGNING).fingerprint
    assert one.fingerprint != make_target("t", "http://a/", SIGNING[:-4] + "AAAA").fingerprint


def test_the_inbox_keeps_what_the_settings_say(tmp_path: Path) -> None:
    text = "freshness: 5m\nretention: 48h\ninbox_limit: 5\ndead_letter_retention: 2h\n" + MINIMAL

    assert configured.keeping(loaded(tmp_path, text).settings) == Keeping(5, 172_800, 600, 7_200)
    assert configured.keeping(loaded(tmp_path).settings) == Keeping()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("token", "accounts[0].tokens[0]"),
        ("aes", "accounts[0].aes_keys[0]"),
        ("signing", "targets.trading.secret"),
    ],
)
def test_a_secret_that_has_gone_bad_is_named_by_its_file(
    tmp_path: Path, name: str, key: str
) -> None:
    found = loaded(tmp_path)
    (tmp_path / name).write_text("no good")
    for secret in found.secrets:
        secret.refresh()

    with pytest.raises(ConfigError) as refused:
        configured.rules(found)
    assert str(refused.value).startswith(f"file {tmp_path / name}: {key}: ")
    assert "no good" not in str(refused.value)
