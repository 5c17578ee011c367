"""Which menus WeChat refuses, with which code, and which of several comes first."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.emulator.menu_samples import CLICK, MINI_PROGRAM, PARENT, VIEW, Shop
from tests.emulator.platforms import NOW, account, code_of, form, send_form
from zhongkong.emulator.account import AccountKind

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji of 18 bytes


def below(*subs: object) -> dict[str, object]:
    return {"name": "p", "sub_button": list(subs)}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", 44002, id="empty"),
        pytest.param(b" \n", 44002, id="blank"),
        pytest.param('{"button":[{"name":"买"}]}'.encode("gbk"), 65318, id="GBK"),
        pytest.param(b'{"button":"\\u4e70" \xff', 65318, id="not UTF-8 comes before escapes"),
        pytest.param(b'{"button":[{"name":"\\u4e70"', 40033, id="escapes come before bad JSON"),
        pytest.param(b'{"url":"a\\u0026b"}', 40033, id="an escaped ampersand"),
        pytest.param(b'{"x":"a\\\\u0026b"}', 40016, id="an escaped backslash is no escape"),
        pytest.param(b'{"button":[', 47001, id="truncated"),
        pytest.param(b"\xef\xbb\xbf{}", 47001, id="byte order mark"),
        pytest.param(b"button=1", 47001, id="form-encoded"),
        pytest.param(b'{"button":"a\x07"}', 47001, id="raw control character"),
        pytest.param(b"[]", 47001, id="an array"),
        pytest.param(b"{}", 40016, id="no button"),
        pytest.param(b'{"button":{}}', 40016, id="button is an object"),
        pytest.param(b'{"button":[]}', 40016, id="no entry"),
        pytest.param(b'{"button":[1]}', 47001, id="an entry that is no object"),
    ],
)
def test_bodies_are_refused_before_buttons_are_looked_at(body: bytes, code: int) -> None:
    assert code_of(Shop().post("create", body)) == code


def test_an_escaped_slash_is_fine() -> None:
    raw = b'{"button":[{"type":"view","name":"a","url":"http:\\/\\/a.example\\/"}]}'
    assert code_of(Shop().post("create", raw)) == 0


def test_the_lenient_profile_refuses_what_is_no_json_with_40016() -> None:
    shop = Shop(malformed_menu_code=40016)
    assert [code_of(shop.post("create", body)) for body in (b"{", b"a=1", b"[]")] == [40016] * 3


def test_a_body_that_is_not_utf8_may_be_a_busy_platform() -> None:
    assert code_of(Shop(menu_not_utf8_code=-1).post("create", b"\xff")) == -1


TOP = [
    pytest.param({**CLICK, "name": ""}, 40018, id="empty name"),
    pytest.param({"type": "click", "key": "K"}, 40018, id="no name"),
    pytest.param({**CLICK, "name": 5}, 40018, id="name is a number"),
    pytest.param({**CLICK, "name": "买卖买卖买卖"}, 40018, id="six Chinese characters"),
    pytest.param({**CLICK, "name": "买卖买卖买"}, 0, id="five Chinese characters"),
    pytest.param({**CLICK, "name": "😀😀😀😀"}, 0, id="four emoji"),
    pytest.param({**CLICK, "name": FAMILY}, 40018, id="a family"),
    pytest.param({"name": "a"}, 40017, id="no type"),
    pytest.param({**CLICK, "type": "CLICK"}, 40017, id="type in capitals"),
    pytest.param({**CLICK, "type": "text"}, 40017, id="a type of the console"),
    pytest.param({**CLICK, "type": ["click"]}, 40017, id="type is an array"),
    pytest.param({"type": "click", "name": "a", "url": "http://a"}, 40019, id="url for key"),
    pytest.param({**CLICK, "key": "k" * 128}, 0, id="a long key"),
    pytest.param({**CLICK, "key": "k" * 129}, 40019, id="a key too long"),
    pytest.param({"type": "view", "name": "a", "key": "K"}, 40020, id="key for url"),
    pytest.param({**VIEW, "url": "http://a/" + "x" * 1015}, 0, id="a long url"),
    pytest.param({**VIEW, "url": "http://a/" + "x" * 1016}, 40020, id="a url too long"),
    pytest.param({**VIEW, "url": "www.example.com"}, 40055, id="a url without scheme"),
    pytest.param({**VIEW, "url": "http://[/"}, 40055, id="a url that is none"),
]
SUB_OF_TOP = {40018: 40025, 40017: 40024, 40019: 40026, 40020: 40027, 40055: 40054, 0: 0}


@pytest.mark.parametrize(("button", "code"), TOP)
def test_a_top_button_is_refused_with_the_codes_of_its_level(button: Any, code: int) -> None:
    assert Shop().create(button) == code


@pytest.mark.parametrize(("button", "code"), TOP)
def test_a_sub_button_is_refused_with_the_codes_of_its_level(button: Any, code: int) -> None:
    longer_names = {"six Chinese characters", "a family"}
    named = next(str(case.id) for case in TOP if case.values == (button, code))
    expected = 0 if named in longer_names else SUB_OF_TOP[code]
    assert Shop().create(below(button)) == expected


@pytest.mark.parametrize(
    ("button", "code"),
    [
        pytest.param(below(*[CLICK] * 5), 0, id="five"),
        pytest.param(below(*[CLICK] * 6), 40023, id="six"),
        pytest.param(below(), 40023, id="none"),
        pytest.param({"name": "p", "sub_button": "x"}, 40023, id="no array"),
        pytest.param(below(PARENT), 40022, id="three levels"),
        pytest.param(below({**CLICK, "name": "买" * 20}), 0, id="a name of 60 bytes"),
        pytest.param(below({**CLICK, "name": "买" * 20 + "a"}), 40025, id="a name of 61 bytes"),
        pytest.param(below("x"), 47001, id="a sub-button that is no object"),
    ],
)
def test_the_shape_of_a_parent_has_its_codes(button: Any, code: int) -> None:
    assert Shop().create(button) == code


def test_more_than_three_top_buttons_are_refused() -> None:
    assert Shop().create(*[CLICK] * 3) == 0
    assert Shop().create(*[CLICK] * 4) == 40016


def test_the_first_code_is_that_of_the_earlier_check() -> None:
    bad_sub, bad_url = below({**CLICK, "name": ""}), {**VIEW, "url": ""}
    assert Shop().create(bad_sub, bad_url) == 40020
    assert Shop().create(bad_sub, below(*[CLICK] * 6)) == 40023
    assert Shop().create(bad_sub, below(PARENT)) == 40022
    assert Shop().create({**MINI_PROGRAM, "appid": "x"}, bad_sub) == 40025


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"appid": "wx1"}, 40166),
        ({"pagepath": ""}, 40165),
        ({"pagepath": "", "appid": ""}, 40165),
        ({"url": ""}, 40020),
        ({"appid": "wx" + "e" * 16, "pagepath": ""}, 45064),
    ],
)
def test_mini_program_buttons_are_checked(changes: dict[str, str], code: int) -> None:
    shop = Shop(account(mini_programs=(MINI_PROGRAM["appid"],)))
    assert shop.create({**MINI_PROGRAM, **changes}) == code


def test_an_unverified_account_has_no_mini_program_buttons() -> None:
    shop = Shop(account(kind=AccountKind.SERVICE))
    assert shop.create(MINI_PROGRAM) == 40119
    assert shop.create(below(MINI_PROGRAM)) == 40120


def test_a_type_can_be_retired() -> None:
    shop = Shop(retired_menu_types=("click",))
    assert [shop.create(CLICK), shop.create(below(CLICK)), shop.create(VIEW)] == [40119, 40120, 0]


def material(shop: Shop, kind: str, filename: str) -> str:
    target = f"/cgi-bin/material/add_material?access_token={shop.token}&type={kind}"
    return str(send_form(shop.model, target, form(b"x", filename))["media_id"])


def test_media_buttons_need_permanent_material_of_the_right_kind() -> None:
    shop = Shop()
    image, thumb = material(shop, "image", "a.png"), material(shop, "thumb", "a.jpg")
    news = shop.model.call(
        "/cgi-bin/material/add_news",
        shop.token,
        NOW,
        body={"articles": [{"title": "t", "thumb_media_id": thumb}]},
    )["media_id"]
    button = {"type": "media_id", "name": "m"}
    limited = {"type": "view_limited", "name": "m"}
    assert shop.create({**button, "media_id": image}) == 0
    assert shop.create({**limited, "media_id": news}) == 0
    assert shop.create({**limited, "media_id": image}) == 40121
    assert shop.create({**button, "media_id": thumb}) == 40121
    assert shop.create({**button, "media_id": "unknown"}) == 40007
    assert shop.create(button) == 40118
    assert shop.create({"type": "article_id", "name": "a", "article_id": "A"}) == 0
    assert shop.create({"type": "article_view_limited", "name": "a"}) == 40118


def test_temporary_media_are_no_material() -> None:
    shop = Shop()
    target = f"/cgi-bin/media/upload?access_token={shop.token}&type=image"
    media_id = send_form(shop.model, target, form(b"x"))["media_id"]
    assert shop.create({"type": "media_id", "name": "m", "media_id": media_id}) == 40007


def test_every_menu_refusal_has_a_text() -> None:
    shop = Shop()
    for button in ({**MINI_PROGRAM, "appid": ""}, below(PARENT), {"name": "a"}):
        answer = shop.post("create", orjson.dumps({"button": [button]}))
        assert "unknown error" not in answer["errmsg"]
