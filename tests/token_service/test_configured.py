from __future__ import annotations

from pathlib import Path

from tests.token_service.settings_files import MINIMAL, SECRET, SHA, loaded
from token_service import configured
from token_service.clients import Verb
from token_service.policy import Limits, Policy
from token_service.slot import Kind, Mode, Slot

ON_REDIS = "store: redis://localhost\nopaque_token_keys: [{file: shop.secret}]\n"


def test_the_default_settings_are_the_rotation_s_own_defaults(tmp_path: Path) -> None:
    text = ON_REDIS + MINIMAL
    plan = configured.plans(loaded(tmp_path, text).settings)["shop"]

    assert plan.policy == Policy()
    assert plan.slot == Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.STABLE)
    assert plan.secret() == SECRET


def test_a_store_of_its_own_is_not_left_to_others_when_empty(tmp_path: Path) -> None:
    plan = configured.plans(loaded(tmp_path).settings)["shop"]

    assert plan.policy.reseed_grace_s == 0


def test_a_sandbox_account_has_the_smaller_budget(tmp_path: Path) -> None:
    text = MINIMAL.replace("    secret:", "    kind: sandbox\n    secret:")
    plan = configured.plans(loaded(tmp_path, text).settings)["shop"]

    assert plan.policy.limits == Limits(classic=200)


def test_the_directory_gives_each_client_its_rights(tmp_path: Path) -> None:
    directory = configured.directory(loaded(tmp_path).settings)
    (orders,) = directory.clients

    assert orders.may(Verb.READ, "shop", "access_token")
    assert orders.may(Verb.REPORT, "shop", "access_token")
    assert not orders.may(Verb.FORCE, "shop", "access_token")


def test_a_client_that_is_told_only_by_a_pod_s_token_gets_in_nowhere_yet(tmp_path: Path) -> None:
    text = MINIMAL.replace(f"key_sha256: {SHA}", "service_account: a/b")

    assert list(configured.directory(loaded(tmp_path, text).settings).clients) == []


def test_what_is_probably_not_meant_is_said(tmp_path: Path) -> None:
    text = ON_REDIS + MINIMAL.replace("[shop]", "[shpo, s*]")
    said = "\n".join(configured.warnings(loaded(tmp_path, text).settings))

    assert "encryption_keys: not set" in said
    assert "clients[0].accounts: shpo fits no configured account" in said
    assert "s* fits" not in said


def test_an_empty_configuration_is_not_silent(tmp_path: Path) -> None:
    said = "\n".join(configured.warnings(loaded(tmp_path, "").settings))

    assert "accounts: none" in said
    assert "clients: none" in said


def test_verbs_without_effect_are_said(tmp_path: Path) -> None:
    text = MINIMAL + "    verbs: [read, sign]\n"

    assert "clients[0].verbs: sign has no effect yet" in configured.warnings(
        loaded(tmp_path, text).settings
    )
