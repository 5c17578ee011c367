"""From a wish to WeChat's own message, and what the user did by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.callbacks.receivers import KEY, ORIGINAL_ID, TOKEN
from tests.emulator.platforms import APPID, NOW, OPENID, account, platform, user
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.callbacks.course import PushCourse
from zhongkong.emulator.callbacks.desk import PushDesk
from zhongkong.emulator.callbacks.messages import PushWish, compose
from zhongkong.emulator.callbacks.reception import PushRefused
from zhongkong.emulator.callbacks.samples import EVENTS, MESSAGES
from zhongkong.emulator.model import WeChatModel
from zhongkong.wechat.catalogue import KNOWN_EVENTS, KNOWN_MESSAGES, normalise
from zhongkong.wechat.push import BodyFormat, parse, render

SETTINGS = CallbackSettings(url="http://127.0.0.1:1/", token=TOKEN, aes_key=KEY)


def composed(**wish: Any) -> dict[str, Any]:
    return compose(
        PushWish(**wish), to_user=ORIGINAL_ID, openid=OPENID, create_time=int(NOW), msg_id=7
    )


@pytest.fixture
def model() -> WeChatModel:
    return platform(account(callback=SETTINGS, users=(user(),)))


def pushed(model: WeChatModel, **wish: Any) -> Any:
    return PushDesk(model.platform).accept(APPID, PushWish(**wish), NOW, 0.0)


def test_a_text_has_the_common_fields_in_wechats_order() -> None:
    assert list(composed(text="买入").items()) == [
        ("ToUserName", ORIGINAL_ID),
        ("FromUserName", OPENID),
        ("CreateTime", int(NOW)),
        ("MsgType", "text"),
        ("Content", "买入"),
        ("MsgId", 7),
    ]


@pytest.mark.parametrize(
    ("wish", "event", "key"),
    [
        ({"click": "BUY_IN"}, "CLICK", "BUY_IN"),
        ({"view": "https://shop.example/"}, "VIEW", "https://shop.example/"),
        ({"scan": "scene1"}, "SCAN", "scene1"),
        ({"event": "subscribe"}, "subscribe", ""),
        ({"event": "subscribe", "key": "qrscene_5"}, "subscribe", "qrscene_5"),
        ({"event": "scancode_push", "key": "K"}, "scancode_push", "K"),
    ],
)
def test_events_have_a_short_form_and_no_msgid(wish: Any, event: str, key: str) -> None:
    fields = composed(**wish)
    assert (fields["MsgType"], fields["Event"], fields["EventKey"]) == ("event", event, key)
    assert "MsgId" not in fields


def test_fields_replace_what_the_short_form_made_and_null_takes_away() -> None:
    fields = composed(text="x", fields={"MsgId": 9, "Content": None, "bizmsgmenuid": "101"})
    assert fields["MsgId"] == 9
    assert "Content" not in fields
    assert fields["bizmsgmenuid"] == "101"


@pytest.mark.parametrize("form", list(BodyFormat))
@pytest.mark.parametrize("name", [*MESSAGES, *EVENTS])
def test_every_sample_can_be_written_and_is_understood(form: BodyFormat, name: str) -> None:
    wish = {"event": name} if name in EVENTS else {"type": name}
    push = normalise(parse(render(composed(**wish), form), form))
    assert name in {push.event, push.name}


def test_the_samples_cover_the_catalogue() -> None:
    assert set(MESSAGES) >= KNOWN_MESSAGES
    assert {name.lower() for name in EVENTS} >= KNOWN_EVENTS


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        pytest.param({}, "nothing to push", id="nothing"),
        pytest.param({"text": "a", "click": "b"}, "text and click", id="two things"),
        pytest.param({"text": "a", "key": "b"}, "key goes with event", id="a key without event"),
        pytest.param({"text": "a", "user": ""}, "openid", id="no user"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wish: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        PushWish(**wish)


@pytest.mark.parametrize(
    ("course", "word"),
    [
        ({"tries": 0}, "tries"),
        ({"tries": 21}, "tries"),
        ({"duplicates": -1}, "duplicates"),
        ({"deadline_s": 0}, "deadline_s"),
        ({"cadence_s": float("nan")}, "durations"),
        ({"delay_s": 1e9}, "durations"),
        ({"timestamp_shift_s": float("inf")}, "timestamp_shift_s"),
        ({"attack": "charm"}, "wrong_token"),
        ({"attack": "altered_replay"}, "replay_of"),
        ({"replay_of": "p1"}, "altered_replay"),
        ({"huge_bytes": 0}, "huge_bytes"),
    ],
)
def test_a_course_that_makes_no_sense_is_refused(course: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        PushCourse(**course)


@pytest.mark.parametrize(
    ("course", "word"),
    [
        ({"clear_fields": {"Content": "x"}}, "compatible"),
        ({"key": "previous"}, "previous"),
        ({"attack": "altered_replay", "replay_of": "p9"}, "p9"),
    ],
)
def test_a_course_that_does_not_fit_the_callback_is_refused(
    model: WeChatModel, course: Any, word: str
) -> None:
    with pytest.raises(PushRefused, match=word):
        pushed(model, text="x", course=PushCourse(**course))


def test_a_push_without_a_callback_says_how_to_configure_one() -> None:
    with pytest.raises(PushRefused, match="PUT /_emulator"):
        pushed(platform(), text="x")


def test_fields_that_xml_cannot_carry_are_refused(model: WeChatModel) -> None:
    with pytest.raises(PushRefused, match="fields"):
        pushed(model, text="x", fields={"a b": "1"})


def test_a_push_without_a_user_comes_from_the_first_one(model: WeChatModel) -> None:
    assert pushed(model, text="x").openid == OPENID


def test_a_push_of_somebody_unknown_makes_a_user(model: WeChatModel) -> None:
    pushed(model, text="x", user="oNew")
    users = model.accounts[APPID].users
    assert [each.profile.following for each in users.by_openid.values()] == [True, True]


def test_msgids_grow_and_have_64_bits(model: WeChatModel) -> None:
    first, second = (pushed(model, text="x").fields["MsgId"] for _ in range(2))
    assert 2**53 < first < second < 2**63


def test_createtime_follows_the_emulators_clock(model: WeChatModel) -> None:
    assert pushed(model, text="x").fields["CreateTime"] == int(NOW)


@pytest.mark.parametrize(
    ("wish", "credit"),
    [
        pytest.param({"text": "x"}, (5, NOW + 48 * 3600), id="a message: 5 in two days"),
        pytest.param({"click": "K"}, (3, NOW + 60), id="a tap: 3 in a minute"),
        pytest.param({"event": "scancode_waitmsg"}, (3, NOW + 60), id="a scan button too"),
        pytest.param({"event": "subscribe"}, (3, NOW + 60), id="following too"),
        pytest.param({"scan": "1"}, (3, NOW + 60), id="a QR code too"),
        pytest.param({"view": "https://a.example/"}, None, id="a link gives nothing"),
        pytest.param({"event": "pic_weixin"}, None, id="a picture button gives nothing"),
        pytest.param({"event": "LOCATION"}, None, id="a position gives nothing"),
    ],
)
def test_what_the_user_does_gives_the_account_its_message_credit(
    model: WeChatModel, wish: Any, credit: tuple[int, float] | None
) -> None:
    pushed(model, user=OPENID, **wish)
    held = model.accounts[APPID].users.by_openid[OPENID].credit
    assert ((held.left, held.until) if held.left else None) == credit


def test_an_attack_gives_no_credit_and_stands_in_nobodys_feed(model: WeChatModel) -> None:
    pushed(model, text="x", course=PushCourse(attack="wrong_token"))
    shop = model.accounts[APPID]
    assert shop.users.by_openid[OPENID].credit.left == 0
    assert shop.feeds.after(OPENID, 0) == []


def test_unsubscribing_and_subscribing_change_who_follows(model: WeChatModel) -> None:
    users = model.accounts[APPID].users
    pushed(model, event="unsubscribe")
    assert not users.by_openid[OPENID].profile.following
    pushed(model, event="subscribe")
    assert users.by_openid[OPENID].profile.following


def test_distinct_events_of_one_second_share_name_and_time(model: WeChatModel) -> None:
    first, second = pushed(model, click="A").identity, pushed(model, click="B").identity
    assert (first.from_user, first.create_time) == (second.from_user, second.create_time)
    assert first != second
