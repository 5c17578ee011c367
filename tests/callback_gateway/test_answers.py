"""How long a try may wait, and what WeChat is told in the end."""

from __future__ import annotations

import pytest

from callback_gateway.accounts import Account, Mode
from callback_gateway.answers import NOTHING_TO_SAY, Pace, answer, patience, stored_reply
from callback_gateway.authenticity import Genuine
from callback_gateway.event import Event
from zhongkong.wechat.envelope import AesKey, open_envelope
from zhongkong.wechat.passive_reply import ReplyRefused, TextReply
from zhongkong.wechat.push import BodyFormat, encrypted_part, parse
from zhongkong.wechat.signature import is_genuine

PACE = Pace()
KEY = AesKey.parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
SHOP = Account(
    name="shop", appid="wx1", original_id=None, tokens=("tokenA",), aes_keys=(KEY,), mode=Mode.SAFE
)
EVENT = Event("msg_1", "shop", "message", "text", "oUser", "gh_1", 1700000000, {})


@pytest.mark.parametrize(
    ("tries", "long_window", "joinable", "withheld"),
    [
        pytest.param(1, True, True, True, id="the first try of a long window is withheld"),
        pytest.param(2, True, True, True, id="the second try of a long window is withheld"),
        pytest.param(3, True, True, False, id="the last try is answered"),
        pytest.param(4, True, True, False, id="a try beyond the last is answered"),
        pytest.param(1, False, True, False, id="each try of a short window is answered"),
        pytest.param(1, True, False, False, id="what no other try could join is answered"),
    ],
)
def test_a_try_is_withheld_only_when_another_one_can_bring_the_answer(
    tries: int, long_window: bool, joinable: bool, withheld: bool
) -> None:
    told = patience(PACE, long_window=long_window, tries=tries, spent_s=0.5, joinable=joinable)
    assert told.withheld is withheld


def test_an_answered_try_has_its_answer_out_within_the_deadline() -> None:
    told = patience(PACE, long_window=False, tries=1, spent_s=1.0, joinable=True)
    assert not told.withheld
    assert told.seconds == pytest.approx(3.45)


def test_a_withheld_try_outlasts_wechat_s_own_patience() -> None:
    told = patience(PACE, long_window=True, tries=1, spent_s=0.0, joinable=True)
    assert told.seconds > PACE.retry_every_s


def test_nobody_waits_for_less_than_nothing() -> None:
    assert patience(PACE, long_window=False, tries=1, spent_s=9.0, joinable=True).seconds == 0


@pytest.mark.parametrize(("asked", "window"), [(4.5, 4.5), (15.0, 14.5)])
def test_the_long_window_ends_when_the_last_try_must_be_answered(
    asked: float, window: float
) -> None:
    assert PACE.window_s(asked) == window


def test_a_short_window_stays_short_however_short_the_deadline_is() -> None:
    assert Pace(answer_within_s=1.0).window_s(4.5) == 1.0


def request(form: BodyFormat, *, encrypted: bool) -> Genuine:
    return Genuine(content=b"", form=form, token=0, key=0 if encrypted else None, stamp=None)


def said(form: BodyFormat, *, encrypted: bool) -> bytes:
    return answer(
        TextReply("您好"),
        event=EVENT,
        request=request(form, encrypted=encrypted),
        account=SHOP,
        now=1700000001,
        nonce="n1",
        noise="0123456789abcdef",
    ).body


@pytest.mark.parametrize("form", BodyFormat)
def test_a_reply_goes_to_the_user_in_the_form_of_the_request(form: BodyFormat) -> None:
    told = parse(said(form, encrypted=False), form)
    assert told["ToUserName"] == "oUser"
    assert told["FromUserName"] == "gh_1"
    assert told["Content"] == "您好"


@pytest.mark.parametrize("form", BodyFormat)
def test_a_reply_to_an_encrypted_request_is_encrypted_and_signed(form: BodyFormat) -> None:
    body = said(form, encrypted=True)
    envelope = parse(body, form)
    encrypted = encrypted_part(body, form)
    assert is_genuine(
        envelope["MsgSignature"],
        "tokenA",
        str(envelope["TimeStamp"]),
        envelope["Nonce"],
        encrypted,
    )
    assert parse(open_envelope(encrypted, KEY, "wx1"), form)["Content"] == "您好"


def test_nothing_to_say_is_success_in_clear() -> None:
    told = answer(
        None,
        event=EVENT,
        request=request(BodyFormat.XML, encrypted=True),
        account=SHOP,
        now=1,
        nonce="n",
        noise="0123456789abcdef",
    )
    assert told is NOTHING_TO_SAY
    assert told.body == b"success"


def test_an_empty_stored_reply_means_nothing_to_say() -> None:
    assert stored_reply(b"") is None


def test_a_stored_reply_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ReplyRefused):
        stored_reply(b"{")
