from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from menu_worker import configured
from menu_worker.drift import Behaviour
from menu_worker.platform import GET
from menu_worker.settings import ENV_PREFIX, MenuFilesSettings, MenuWorkerSettings
from menu_worker.steps import ConditionalStrategy
from zhongkong.runtime.settings import (
    ConfigError,
    Loaded,
    load,
    missing_from_sample,
    parse_document,
)

SAMPLE = files("menu_worker").joinpath("sample.yaml").read_text(encoding="utf-8")
ENVIRON = {"MENU_KEY": "menus-key-0123456789abcdefghijklmn"}
ONE_KEY_FOR_BOTH = f"metrics_key_sha256: {'a' * 64}\nadmin_key_sha256: {'a' * 64}"
MINIMAL = 'token_service: {key: {env: MENU_KEY}}\nmenus: ["menus/*.yaml"]\n'


def loaded(folder: Path, text: str = MINIMAL, **more: str) -> Loaded[MenuWorkerSettings]:
    path = folder / "menu_worker.yaml"
    path.write_text(text, encoding="utf-8")
    return load(MenuWorkerSettings, path, {**ENVIRON, **more}, prefix=ENV_PREFIX)


def test_a_key_and_menus_are_all_that_must_be_given(tmp_path: Path) -> None:
    settings = loaded(tmp_path).settings
    assert str(settings.internal_listen) == "127.0.0.1:9083"
    assert settings.token_service.url == "http://127.0.0.1:8081"
    assert settings.interval == 300
    assert settings.on_drift is Behaviour.CORRECT
    assert settings.conditional_strategy is ConditionalStrategy.ADD_FIRST
    assert settings.allow_delete is False


def test_the_sample_shows_every_setting_with_its_default() -> None:
    assert missing_from_sample(MenuWorkerSettings, parse_document(SAMPLE, "sample")) == []


def test_the_sample_can_be_used_as_it_is(tmp_path: Path) -> None:
    found = loaded(tmp_path, SAMPLE)
    assert found.unbuilt == ()
    assert [line.partition(": ")[2].partition(":")[0] for line in found.notices] == [
        "admin_key_sha256"
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("interval: 9s", "interval: '9s' is too small: write at least 10s"),
        ("on_drift: fight", "on_drift: "),
        ("max_removed: 2", "max_removed: "),
        ("instance: a b", "instance: 'a b' is not a name"),
        ("concurrency: 0", "concurrency: "),
        ("menu: x.yaml", "menu: "),
        ("store: mysql://x", "store: "),
        ("conditional_strategy: random", "conditional_strategy: "),
        ("metrics_key_sha256: abc", "metrics_key_sha256: "),
        (ONE_KEY_FOR_BOTH, "metrics_key_sha256: is that of the admin key"),
    ],
)
def test_a_bad_value_ends_the_start_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f"{MINIMAL}{line}\n")
    assert f"menu_worker.yaml:3: {what}" in str(refused.value)


def test_an_address_with_a_password_is_refused_without_showing_it(tmp_path: Path) -> None:
    text = MINIMAL.replace("{key", "{url: 'http://me:s3cret@tokens', key")
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert "token_service.url" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, MENU_WORKER__INTERVAL="1m", MENU_WORKER__ALLOW_DELETE="true")
    assert found.settings.interval == 60
    assert found.settings.allow_delete is True


def test_desired_files_can_be_looked_at_without_the_secrets(tmp_path: Path) -> None:
    path = tmp_path / "menu_worker.yaml"
    path.write_text(f"{MINIMAL}account: shop\n")
    settings = load(MenuFilesSettings, path, {}, prefix=ENV_PREFIX).settings
    assert settings.menus == ("menus/*.yaml",)
    assert settings.account == "shop"


def test_readings_that_won_t_last_the_day_are_remarked_on(tmp_path: Path) -> None:
    assert not any("interval" in line for line in loaded(tmp_path).notices)
    short = loaded(tmp_path, f"{MINIMAL}interval: 10s\n")
    assert any("10000 readings a day won't last" in line for line in short.notices)
    sandbox = loaded(tmp_path, f"{MINIMAL}interval: 1m\nkind: sandbox\n")
    assert any("1000 readings a day won't last" in line for line in sandbox.notices)


def test_a_worker_has_the_same_name_after_each_start(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    name = configured.instance_of(found.settings, found.path, "menus-7f9c.example")
    assert name == configured.instance_of(found.settings, found.path, "menus-7f9c.example")
    assert name.startswith("menus-7f9c.example-")
    assert name != configured.instance_of(found.settings, tmp_path / "other.yaml", "menus-7f9c")
    assert len(configured.instance_of(found.settings, found.path, "x" * 300)) == 64
    named = loaded(tmp_path, f"{MINIMAL}instance: mine\n")
    assert configured.instance_of(named.settings, named.path, "host") == "mine"


def test_sandbox_accounts_have_a_tenth_of_the_calls(tmp_path: Path) -> None:
    real = configured.daily_limits(loaded(tmp_path).settings)
    sandbox = configured.daily_limits(loaded(tmp_path, f"{MINIMAL}kind: sandbox\n").settings)
    assert (real[GET], sandbox[GET]) == (10_000, 1000)
