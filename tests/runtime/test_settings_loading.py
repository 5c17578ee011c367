"""A configuration becomes settings, or a list of all that is wrong with it."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from hypothesis import given, strategies as st
from pydantic import Field, model_validator

from zhongkong.runtime.settings import (
    Bounds,
    ConfigError,
    Duration,
    Loaded,
    Problem,
    SettingProblems,
    Settings,
    Unbuilt,
    load,
    missing_from_sample,
    parse_document,
    resolve_path,
)


class Kind(Enum):
    REAL = "real"
    SANDBOX = "sandbox"


class Account(Settings):
    name: Annotated[str, Field(min_length=1)]
    mode: Literal["stable", "classic"] = "stable"
    kind: Kind = Kind.REAL
    tickets: Annotated[tuple[str, ...], Unbuilt("keep tickets too")] = ()


class Static(Settings):
    type: str
    content: str


class Forward(Settings):
    forward: str


class Limits(Settings):
    lead: Annotated[Duration, Bounds("1s", "299s")] = 240.0
    waiters: Annotated[int, Field(ge=1)] = 1000


class Service(Settings):
    listen: str = "127.0.0.1:8081"
    strict: bool = False
    limits: Limits = Limits()
    accounts: tuple[Account, ...] = ()
    targets: Annotated[dict[str, Static], Field(default_factory=dict)]
    reply: Forward | Static | str | None = None
    admin_key: str | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: dict[str, int] = {}
        problems = []
        for index, account in enumerate(self.accounts):
            first = seen.setdefault(account.name, index)
            if first != index:
                problems.append((("accounts", index, "name"), f"is that of accounts[{first}]"))
        if problems:
            raise SettingProblems(problems)
        return self


def loaded_from(folder: Path, text: str, **environ: str) -> Loaded[Service]:
    path = folder / "service.yaml"
    path.write_text(text)
    return load(Service, path, environ, prefix="SVC")


def complaints(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        loaded_from(folder, text, **environ)
    return str(refusal.value).replace(f"{folder}/", "").splitlines()


def test_values_arrive_with_their_types(tmp_path: Path) -> None:
    text = "limits: {lead: 4m}\naccounts:\n  - {name: shop, kind: sandbox}\n"
    settings = loaded_from(tmp_path, text).settings
    assert settings.limits.lead == 240.0
    assert settings.accounts == (Account(name="shop", kind=Kind.SANDBOX),)
    assert settings.listen == "127.0.0.1:8081"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "accounts:\n- name: a\n  mode: stabel",
            "3: accounts[0].mode: 'stabel' is not one of stable, classic",
        ),
        ("accounts:\n- name: a\n  kind: x", "3: accounts[0].kind: 'x' is not one of real, sandbox"),
        ("\naccounts:\n- mode: stable", "3: accounts[0].name: is missing; it is required"),
        ("accounts: [{name: ''}]", "1: accounts[0].name: must not be empty"),
        ("lisen: x", "1: lisen: is not a setting; did you mean listen?"),
        (
            "accounts: [{name: a, mod: x}]",
            "1: accounts[0].mod: is not a setting; did you mean mode?",
        ),
        ("limits: {zzz: 1}", "1: limits.zzz: is not a setting here; known are lead, waiters"),
        (
            "targets: {t: {tipe: x, type: a, content: b}}",
            "1: targets.t.tipe: is not a setting; did you mean type?",
        ),
        ("strict: yes", "1: strict: must be true or false, not 'yes'"),
        ("strict: 1", "1: strict: must be true or false, not 1"),
        ("limits: {waiters: '5'}", "1: limits.waiters: must be a whole number, not '5'"),
        ("limits: {waiters: true}", "1: limits.waiters: must be a whole number, not true"),
        ("limits: {waiters: 0}", "1: limits.waiters: 0 is too small: it must be at least 1"),
        (
            "limits: {lead: 240}",
            "1: limits.lead: 240 is not a duration: write a number with its unit",
        ),
        ("limits: {lead: 5m}", "1: limits.lead: '5m' is too large: write at most 299s"),
        ("limits: 5", "1: limits: must be a mapping: lines of 'key: value', not 5"),
        ("limits:", "1: limits: must be a mapping: lines of 'key: value', not nothing"),
        ("accounts: shop", "1: accounts: must be a list: [a, b], or one '- a' a line, not 'shop'"),
        ("listen: 8081", '1: listen: must be text, not 8081; in quotes it is: "8081"'),
        ("listen: 1.10", '1: listen: must be text, not 1.1; in quotes it is: "1.10"'),
        ("admin_key: 4711", "1: admin_key: must be text, not this value; put it in quotes"),
        ("listen: 00123", "1: listen: a number with leading zeros"),
        ("reply: {type: text}", "1: reply.content: is missing; it is required"),
        ("reply: {type: text, content: 1}", "1: reply.content: must be text, not 1"),
        ("reply: 1", "1: reply: must be a mapping: lines of 'key: value', not 1, or must be text"),
        ("- a", "1: the file must hold a mapping"),
        ("accounts:\n- name: a\n- name: a\n", "3: accounts[1].name: is that of accounts[0]"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str, expected: str
) -> None:
    [line] = complaints(tmp_path, text)
    assert line.startswith(f"service.yaml:{expected}")


def test_every_violation_is_reported_at_once_in_order_of_lines(tmp_path: Path) -> None:
    text = "strict: 1\naccounts:\n- mode: x\n- 5\nlisten: a\nlisten: b\n"
    assert [line.split(": ")[0] for line in complaints(tmp_path, text, SVC__NOPE="1")] == [
        "service.yaml:1",
        "service.yaml:3",
        "service.yaml:3",
        "service.yaml:4",
        "service.yaml:6",
        "SVC__NOPE",
    ]


def test_a_password_in_a_refused_url_is_cut(tmp_path: Path) -> None:
    [line] = complaints(tmp_path, "accounts: redis://user:hunter2@host")
    assert "hunter2" not in line


def test_columns_are_kept_for_those_who_print_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded_from(tmp_path, "limits: {waiters: 0}")
    assert refusal.value.problems[0].column == 10


def test_a_missing_file_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; write it, or name another"):
        load(Service, tmp_path / "none.yaml", {}, prefix="SVC")


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder, not a file"):
        load(Service, tmp_path, {}, prefix="SVC")


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is not a regular file"):
        load(Service, tmp_path / "pipe", {}, prefix="SVC")


def test_a_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "service.yaml"
    path.write_text("")
    monkeypatch.setattr(os, "open", refuse)  # root may read anything
    with pytest.raises(ConfigError, match="may not be read by this user"):
        load(Service, path, {}, prefix="SVC")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_bytes(b"#" * (8 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="is larger than 8388608 bytes"):
        load(Service, path, {}, prefix="SVC")


def test_variables_override_the_file(tmp_path: Path) -> None:
    settings = loaded_from(
        tmp_path,
        "listen: a\naccounts: [{name: a}, {name: b}]",
        SVC__LISTEN="127.0.0.1:1",
        SVC__ACCOUNTS__1__MODE="classic",
        SVC__accounts__2__Name="c",
        SVC__LIMITS__LEAD="30s",
        SVC__TARGETS="{t: {type: x, content: y}}",
        SVC__STRICT="true",
        SVC_CONFIG="not an override",
    ).settings
    assert settings.listen == "127.0.0.1:1"
    assert [(a.name, a.mode) for a in settings.accounts] == [
        ("a", "stable"),
        ("b", "classic"),
        ("c", "stable"),
    ]
    assert settings.limits.lead == 30.0
    assert settings.targets["t"].content == "y"
    assert settings.strict is True


def test_a_target_is_found_whatever_the_case_of_its_name(tmp_path: Path) -> None:
    text = "targets: {Trading: {type: a, content: b}}"
    settings = loaded_from(tmp_path, text, SVC__TARGETS__TRADING__CONTENT="c").settings
    assert settings.targets["Trading"].content == "c"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SVC__LISTN", "x", "SVC__LISTN: is not a setting; did you mean listen?"),
        ("SVC__STRICT", "maybe", "SVC__STRICT: must be true or false, not 'maybe'"),
        ("SVC__STRICT", "", "SVC__STRICT: must be true or false, not nothing"),
        (
            "SVC__ACCOUNTS__0__MODE",
            "x",
            "SVC__ACCOUNTS__0__MODE: 'x' is not one of stable, classic",
        ),
        ("SVC__ACCOUNTS__0", "{name: a, mode: x}", "SVC__ACCOUNTS__0: mode: 'x' is not one of"),
        (
            "SVC__ACCOUNTS__1__MODE",
            "stable",
            "SVC__ACCOUNTS__1__MODE: accounts[1].name: is missing",
        ),
        (
            "SVC__ACCOUNTS__7__MODE",
            "x",
            "SVC__ACCOUNTS__7__MODE: skips entries: accounts has 1 ent",
        ),
        ("SVC__ACCOUNTS__X", "x", "SVC__ACCOUNTS__X: needs a number for accounts, which is a list"),
        ("SVC__", "x", "SVC__: is not the name of a setting"),
        ("SVC__A____B", "x", "SVC__A____B: is not the name of a setting"),
        ("SVC__LIMITS", "{lead: [}", "SVC__LIMITS: is not YAML"),
        ("SVC__LIMITS", "{lead: 1s, lead: 2s}", "SVC__LIMITS: lead: is given twice"),
        ("SVC__LISTEN", "\udcff", "SVC__LISTEN: is not UTF-8 text"),
        ("SVC__LISTEN", "x" * 65537, "SVC__LISTEN: is longer than 65536 characters"),
    ],
)
def test_a_wrong_override_is_named_by_its_variable(
    tmp_path: Path, variable: str, value: str, expected: str
) -> None:
    [line] = complaints(tmp_path, "accounts: [{name: a}]", **{variable: value})
    assert line.startswith(expected)


def test_two_variables_for_one_setting_are_refused(tmp_path: Path) -> None:
    [line] = complaints(tmp_path, "", SVC__LISTEN="a", SVC__listen="b")
    assert line == "SVC__listen: sets listen, which SVC__LISTEN sets as well"


@given(
    value=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1),
    spelling=st.sampled_from(["LISTEN", "listen", "Listen"]),
)
def test_a_quoted_override_arrives_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, value: str, spelling: str
) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    folder = tmp_path_factory.mktemp("any")
    settings = loaded_from(folder, "listen: x", **{f"SVC__{spelling}": quoted}).settings
    assert settings.listen == value


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_override_is_taken_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    problems: tuple[Problem, ...] = ()
    try:
        loaded_from(folder, "accounts: [{name: a}]", **{f"SVC__{name}": value})
    except ConfigError as error:
        problems = error.problems
    assert all(problem.where.startswith("SVC__") for problem in problems)


def test_settings_without_effect_are_listed_only_when_given(tmp_path: Path) -> None:
    text = "accounts:\n- name: a\n- name: b\n  tickets: [jsapi]\n"
    [line] = loaded_from(tmp_path, text).unbuilt
    assert line.endswith(":4: accounts[1].tickets: has no effect yet: keep tickets too")
    assert loaded_from(tmp_path, "accounts: [{name: a}]").unbuilt == ()


def test_the_path_comes_from_the_flag_then_the_variable_then_the_default() -> None:
    default, environ = Path("service.yaml"), {"SVC_CONFIG": "/etc/v.yaml"}
    assert resolve_path(Path("f.yaml"), environ, "SVC_CONFIG", default) == Path("f.yaml")
    assert resolve_path(None, environ, "SVC_CONFIG", default) == Path("/etc/v.yaml")
    assert resolve_path(None, {"SVC_CONFIG": ""}, "SVC_CONFIG", default) == default


COMPLETE = """
listen: 127.0.0.1:8081
strict: false
limits:
  lead: 4m
  waiters: 1000
accounts:
  - name: shop
    mode: stable
    tickets: [jsapi]
  - name: other
    kind: real
targets:
  trading: {type: text, content: x}
reply: {forward: x}
# admin_key: …
"""


def test_a_sample_that_shows_everything_lacks_nothing() -> None:
    sample = parse_document(COMPLETE, "s")
    assert missing_from_sample(Service, sample) == [
        "reply.type is not shown",
        "reply.content is not shown",
    ]


@pytest.mark.parametrize(
    ("shown", "instead", "lack"),
    [
        ("strict: false\n", "", "strict is not shown"),
        ("strict: false", "strict: true", "strict is shown with another value than its default"),
        ("lead: 4m", "lead: 5s", "limits.lead is shown with another value than its default"),
        ("    kind: real\n", "", "accounts.kind is not shown"),
        ("# admin_key: …", "", "admin_key is not shown"),
    ],
)
def test_what_a_sample_lacks_is_named(shown: str, instead: str, lack: str) -> None:
    assert lack in missing_from_sample(
        Service, parse_document(COMPLETE.replace(shown, instead), "s")
    )
