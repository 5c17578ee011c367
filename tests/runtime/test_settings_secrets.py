"""Secrets are read from files and variables, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from zhongkong.runtime.settings import ConfigError, Secret, SecretUnreadable, Settings, load


class Account(Settings):
    name: str
    secret: Secret


class Sample(Settings):
    accounts: tuple[Account, ...] = ()
    keys: tuple[Secret, ...] = ()
    maybe: Secret | None = None


def write(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b"a\r", "a\r"),
        (b" a ", " a "),
    ],
)
def test_a_file_loses_one_trailing_newline(tmp_path: Path, content: bytes, value: str) -> None:
    path = tmp_path / "s"
    path.write_bytes(content)
    assert Secret.from_file(path).reveal() == value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is not UTF-8 text"),
        (b"x" * 65537, "is larger than 65536 bytes"),
        (None, "does not exist"),
    ],
)
def test_an_unusable_file_is_named_with_the_reason(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "s"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretUnreadable, match=reason) as refusal:
        Secret.from_file(path)
    assert str(path) in str(refusal.value)


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable, match="is a folder, not a file"):
        Secret.from_file(tmp_path)


def test_refresh_tells_whether_the_value_changed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("one")
    secret = Secret.from_file(path)
    assert secret.refresh() is False
    path.write_text("two")
    assert secret.reveal() == "one"
    assert secret.refresh() is True
    assert secret.reveal() == "two"


def test_a_source_that_became_unreadable_keeps_its_value_and_complains_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s"
    path.write_text("one")
    secret = Secret.from_file(path)
    path.unlink()
    with pytest.raises(SecretUnreadable, match="does not exist"):
        secret.refresh()
    assert secret.refresh() is False
    assert secret.reveal() == "one"
    assert secret.trouble is not None
    path.write_text("one")
    assert secret.refresh() is False
    assert secret.trouble is None


def test_the_swap_of_a_mounted_folder_is_seen(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "shop").write_text(version)
    data = tmp_path / "..data"
    data.symlink_to("v1")
    (tmp_path / "shop").symlink_to("..data/shop")
    secret = Secret.from_file(tmp_path / "shop")
    assert not secret.looks_changed()
    (tmp_path / "..tmp").symlink_to("v2")
    (tmp_path / "..tmp").rename(data)
    assert secret.looks_changed()
    assert secret.refresh() is True
    assert secret.reveal() == "v2"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=12, max_size=40))
def test_no_text_form_of_a_secret_shows_it(value: str) -> None:
    secret = Secret.fixed(value, name="x")
    assert value not in f"{secret} {secret!r} {secret.reference()}"


def test_secrets_are_equal_when_their_source_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")
    assert Secret.from_file(tmp_path / "a") == Secret.from_file(tmp_path / "a")
    assert Secret.from_file(tmp_path / "a") != Secret.from_file(tmp_path / "b")
    assert len({Secret.from_env("A", {"A": "x"}), Secret.from_env("A", {"A": "y"})}) == 1


def test_relative_paths_count_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("value\n")
    path = write(tmp_path, "accounts: [{name: shop, secret: {file: shop}}]")
    loaded = load(Sample, path, {}, prefix="S")
    assert loaded.settings.accounts[0].secret.reveal() == "value"
    assert loaded.watched_files == (path, tmp_path / "shop")
    assert "value" not in repr(loaded)


def test_one_source_named_twice_is_one_secret(tmp_path: Path) -> None:
    path = write(tmp_path, "keys: [{env: A}, {env: A}]")
    loaded = load(Sample, path, {"A": "x"}, prefix="S")
    assert loaded.settings.keys[0] is loaded.settings.keys[1]
    assert len(loaded.secrets) == 1


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("hunter2hunter2", "must not stand here in plain: write {file: path} or {env: NAME}"),
        ("12345678", "must not stand here in plain"),
        ("0123456", "ambiguous"),
        ("{value: hunter2}", "is named by its file or its variable"),
        ("{file: a, env: B}", "is named by its file or its variable"),
        ("[hunter2]", "is named by its file or its variable"),
        ("{file: }", "must be a name"),
        ("{env: hunter-2}", "is not the name of a variable"),
        ("{env: NOT_THERE}", "the variable NOT_THERE, which should hold the secret, is not set"),
        ("{env: EMPTY}", "is empty"),
        ("{file: not-there}", "not-there does not exist"),
    ],
)
@pytest.mark.parametrize(
    "place", ["accounts: [{{name: a, secret: {}}}]", "keys: [{}]", "maybe: {}"]
)
def test_a_secret_written_wrongly_is_refused_and_not_repeated(
    tmp_path: Path, place: str, written: str, hint: str
) -> None:
    path = write(tmp_path, place.format(written))
    with pytest.raises(ConfigError) as refusal:
        load(Sample, path, {"EMPTY": ""}, prefix="S")
    assert hint in str(refusal.value)
    assert "hunter" not in str(refusal.value)
    assert "12345" not in str(refusal.value)
    assert str(refusal.value).startswith(f"{path}:1: ")
