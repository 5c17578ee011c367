"""Two validations, written apart, agree: ours, which says everything, and the emulated WeChat's,
which stops at the first code. The shipped schema agrees with ours as far as a schema can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import menu_worker
from menu_worker.desired import DesiredRefused, load_file
from menu_worker.findings import Level
from menu_worker.menu import Menu
from menu_worker.schema import FILE_NAME, schema, schema_text
from menu_worker.validation import validate
from tests.emulator.menu_samples import Shop
from tests.emulator.platforms import account
from tests.menu_worker.files import CLICK, MINI_PROGRAM, VIEW, parent
from tests.menu_worker.menus import menus
from tests.menu_worker.near_menus import BUTTONS, CONDITIONALS, DOCUMENTS
from tests.menu_worker.sendings import add_code, codes_of_sending, create_code

SCHEMA = jsonschema_rs.validator_for(schema())
BEYOND_A_SCHEMA = {
    40018: "bytes of a name",
    40019: "bytes of a key",
    40020: "bytes of an address",
    40025: "bytes of a name",
    40026: "bytes of a key",
    40027: "bytes of an address",
    40054: "what is an address",
    40055: "what is an address",
    65303: "an empty default menu beside conditional ones",
    65304: "a rule of empties",
    65316: "domains over all menus",
    None: "a rule under both names of a tag",
}


ONE = {"account": "shop", "button": [CLICK]}
REMARKS_ON_WHAT_IS_SOUND_IN_FORM = (
    "phones show",
    "only verified",
    "was published",
    "has the key",
    "only the last",
    "is empty: the live",
    "a space in it",
)


def linked_shop() -> Shop:
    return Shop(account(mini_programs=(MINI_PROGRAM["appid"],)))


def codes(document: object) -> set[int | None]:
    return {each.code for each in validate(document).findings}


@given(BUTTONS)
def test_whatever_menu_create_refuses_we_name_its_code(buttons: Any) -> None:
    code = create_code({"button": buttons}, linked_shop())
    assert code == 0 or code in codes({"button": buttons})


@given(CONDITIONALS)
def test_whatever_addconditional_refuses_we_name_its_code(conditional: Any) -> None:
    code = add_code(conditional)
    assert code == 0 or code in codes({"button": [CLICK], "conditional": [conditional]})


@given(DOCUMENTS)
def test_what_we_pass_wechat_takes(document: Any) -> None:
    judged = validate(document)
    if judged.is_usable and not judged.menu.is_empty:
        assert set(codes_of_sending(judged.menu, linked_shop())) == {0}


@given(menus)
def test_every_sound_menu_passes(menu: Menu) -> None:
    judged = validate(menu.document())
    assert judged.is_usable
    assert judged.menu == menu


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_loader(tmp_path: Path, data: bytes) -> None:
    for name in ("fuzz.yaml", "fuzz.json"):
        path = tmp_path / name
        path.write_bytes(data)
        places: list[tuple[int, int]] = []
        try:
            load_file(path, "shop")
        except DesiredRefused as refused:
            places = [(each.line, each.column) for each in refused.violations]
        assert all(line > 0 and column > 0 for line, column in places)


NAMES_IN_FILES = [
    "account", "button", "conditional", "conditionalmenu", "assert", "menu", "selfmenu_info",
    "matchrule", "name", "type", "key", "url", "sub_button", "list", "tag_id", "user", "sees", "x",
]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES_IN_FILES), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(ANYTHING)
def test_any_document_is_judged(document: Any) -> None:
    judged = validate(document)
    assert judged.findings or judged.is_usable
    assert all(each.message.isprintable() for each in judged.findings)


@given(menus)
def test_a_menu_s_own_document_loads_as_that_menu(tmp_path_factory: Any, menu: Menu) -> None:
    path = tmp_path_factory.mktemp("menus") / "shop.json"
    path.write_bytes(orjson.dumps({"account": "shop", **menu.document()}))
    assert load_file(path).menu == menu


# -- the schema ------------------------------------------------------------------------------------


def test_the_shipped_schema_is_that_of_the_model() -> None:
    shipped = Path(menu_worker.__file__).with_name(FILE_NAME).read_text("utf-8")
    assert shipped == schema_text(), "print it anew: menu-worker schema > menu_worker/" + FILE_NAME


@given(DOCUMENTS)
def test_what_the_schema_passes_has_only_faults_that_no_schema_can_say(document: Any) -> None:
    if not SCHEMA.is_valid(document):
        return
    for finding in validate(document).findings:
        if finding.level is Level.ERROR:
            assert finding.code in BEYOND_A_SCHEMA, finding


@given(DOCUMENTS)
def test_what_we_pass_without_a_remark_the_schema_passes(document: Any) -> None:
    judged = validate(document)
    remarks = [each for each in judged.findings if _is_about_the_form(each.message)]
    if not remarks and not _holds_empties(document):
        SCHEMA.validate(document)


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"account": "shop", "button": [CLICK, parent(VIEW, MINI_PROGRAM)]}, True),
        ({"account": "shop", "button": []}, True),
        ({"account": "shop", "button": [CLICK] * 4}, False),
        ({"button": [CLICK]}, False),
        ({"account": "shop", "button": [{**CLICK, "kay": "K"}]}, False),
        ({"account": "shop", "button": [{"type": "view", "name": "a", "key": "K"}]}, False),
        ({"account": "shop", "button": [parent(parent(CLICK))]}, False),
        ({"account": "shop", "button": [parent(*[CLICK] * 6)]}, False),
        ({"account": "shop", "button": [{**MINI_PROGRAM, "appid": "wx1"}]}, False),
        ({**ONE, "assert": [{"user": "oABC123", "sees": "default"}]}, True),
        ({**ONE, "assert": [{"user": "oABC123", "sees": "all"}]}, False),
        ({**ONE, "conditional": [{"matchrule": {"tag_id": 2}, "button": [CLICK]}]}, True),
        ({**ONE, "conditional": [{"matchrule": {"sex": 1}, "button": [CLICK]}]}, False),
    ],
)
def test_the_schema_judges_as_an_editor_should(document: Any, valid: bool) -> None:
    assert SCHEMA.is_valid(document) is valid


def _is_about_the_form(message: str) -> bool:
    return not any(part in message for part in REMARKS_ON_WHAT_IS_SOUND_IN_FORM)


def _holds_empties(value: Any) -> bool:
    """Nulls and empty texts: SDKs write them, people don't."""
    if isinstance(value, dict):
        return any(_holds_empties(each) for each in value.values())
    if isinstance(value, list):
        return any(_holds_empties(each) for each in value)
    return value is None or value == ""
