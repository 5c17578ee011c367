"""What WeChat is content with, and what the user sees of it (P9, P10)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st
from wechatpy.crypto import WeChatCrypto

from tests.emulator.callbacks.receivers import (
    CRYPTO,
    KEY,
    ORIGINAL_ID,
    OTHER_KEY,
    TOKEN,
    sealed,
    text_reply,
)
from tests.emulator.platforms import APPID, NOW, OPENID
from zhongkong.emulator.callbacks.deliveries import Delivered, Undelivered
from zhongkong.emulator.callbacks.judging import Bench, judge
from zhongkong.emulator.callbacks.records import AnswerKind
from zhongkong.emulator.callbacks.replies import Answered
from zhongkong.emulator.contents import BytesContent
from zhongkong.emulator.media import MediaItem, MediaShelf
from zhongkong.emulator.parameters import Parameters
from zhongkong.wechat.envelope import AesKey
from zhongkong.wechat.push import BodyFormat, render

ANSWERED = Answered(
    openid=OPENID,
    original_id=ORIGINAL_ID,
    msg_type="event",
    rules=Parameters(),
    media=MediaShelf(),
    now=NOW,
)
SAFE = Bench(
    mode="safe",
    format="xml",
    token=TOKEN,
    keys=(AesKey.parse(KEY),),
    appid=APPID,
    answered=ANSWERED,
)
PLAIN = replace(SAFE, mode="plaintext", keys=())
REPLY = text_reply(OPENID)
IMAGE = {"MsgType": "image", "Image": {"MediaId": "m"}}
ARTICLE = {"Title": "t", "Description": "d", "PicUrl": "p", "Url": "u"}


def kind(body: bytes, bench: Bench = PLAIN, status: int = 200) -> AnswerKind:
    return judge(Delivered(status, body), bench).kind


def reply(**fields: Any) -> bytes:
    common = {"ToUserName": OPENID, "FromUserName": ORIGINAL_ID, "CreateTime": 1}
    merged = {**common, **fields}
    return render({k: v for k, v in merged.items() if v is not None}, BodyFormat.XML)


def news(count: int, stated: int | None = None, **changes: Any) -> bytes:
    articles = [{**ARTICLE, **changes}] * count
    return reply(MsgType="news", ArticleCount=stated or count, Articles=articles)


def seen(body: bytes, answered: Answered = ANSWERED) -> Any:
    return judge(Delivered(200, body), replace(PLAIN, answered=answered)).reply


@pytest.mark.parametrize("bench", [SAFE, PLAIN, replace(SAFE, mode="compatible")])
def test_success_and_nothing_are_taken_in_every_mode(bench: Bench) -> None:
    assert kind(b"success", bench) is AnswerKind.SUCCESS
    assert kind(b"", bench) is AnswerKind.EMPTY


@pytest.mark.parametrize("body", [b"success\n", b"SUCCESS", b'"success"', b"ok", b"\xff", b"<a>"])
def test_anything_else_is_not(body: bytes) -> None:
    assert kind(body) is AnswerKind.MALFORMED


def test_json_in_place_of_xml_is_not_taken() -> None:
    assert kind(b'{"MsgType":"text"}') is AnswerKind.MALFORMED


def test_an_error_status_counts_unless_the_platform_overlooks_it() -> None:
    assert kind(b"success", status=500) is AnswerKind.STATUS
    blind = replace(ANSWERED, rules=Parameters(push_status_checked=False))
    assert kind(b"success", replace(PLAIN, answered=blind), 500) is AnswerKind.SUCCESS


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (Undelivered("timeout", "x"), AnswerKind.TIMEOUT),
        (Undelivered("connection", "x"), AnswerKind.CONNECTION),
        (Undelivered("too_large", "x"), AnswerKind.TOO_LARGE),
        (Delivered(200, b"success", late=True), AnswerKind.LATE),
    ],
)
def test_no_answer_in_time_is_a_failure_of_its_own(delivery: Any, expected: AnswerKind) -> None:
    judgement = judge(delivery, SAFE)
    assert (judgement.kind, judgement.ok) == (expected, False)


def test_a_reply_in_clear_is_decoded() -> None:
    assert seen(REPLY.encode()) == {"type": "text", "content": "好"}


def test_a_reply_encrypted_by_wechatpy_is_decoded() -> None:
    judgement = judge(Delivered(200, sealed(REPLY)), SAFE)
    assert judgement.kind is AnswerKind.ENCRYPTED_REPLY
    assert judgement.reply == {"type": "text", "content": "好"}


def test_safe_mode_takes_no_clear_reply_and_plaintext_mode_no_encrypted_one() -> None:
    assert kind(REPLY.encode(), SAFE) is AnswerKind.NOT_ENCRYPTED
    assert kind(sealed(REPLY), PLAIN) is AnswerKind.MALFORMED


def test_compatible_mode_takes_both() -> None:
    both = replace(SAFE, mode="compatible")
    assert kind(REPLY.encode(), both) is AnswerKind.REPLY
    assert kind(sealed(REPLY), both) is AnswerKind.ENCRYPTED_REPLY


def test_a_reply_is_signed_with_the_accounts_token() -> None:
    forged = sealed(REPLY, WeChatCrypto("othertoken", KEY, APPID))
    assert kind(forged, SAFE) is AnswerKind.BAD_SIGNATURE


@pytest.mark.parametrize(
    "crypto",
    [
        pytest.param(WeChatCrypto(TOKEN, OTHER_KEY, APPID), id="with another key"),
        pytest.param(WeChatCrypto(TOKEN, KEY, "wx0000000000000000"), id="for another appid"),
    ],
)
def test_a_reply_is_sealed_for_the_account(crypto: WeChatCrypto) -> None:
    assert kind(sealed(REPLY, crypto), SAFE) is AnswerKind.BAD_ENVELOPE


def test_a_reply_to_a_push_with_the_previous_key_may_use_that_key() -> None:
    keys = (AesKey.parse(KEY), AesKey.parse(OTHER_KEY))
    old = sealed(REPLY, WeChatCrypto(TOKEN, OTHER_KEY, APPID))
    assert kind(old, replace(SAFE, keys=keys)) is AnswerKind.ENCRYPTED_REPLY


def test_a_json_account_replies_in_json() -> None:
    bench = replace(PLAIN, format="json")
    fields = {"ToUserName": OPENID, "FromUserName": ORIGINAL_ID, "CreateTime": 1, **IMAGE}
    assert kind(json.dumps(fields).encode(), bench) is AnswerKind.REPLY
    assert kind(REPLY.encode(), bench) is AnswerKind.MALFORMED


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"ToUserName": ORIGINAL_ID, "FromUserName": OPENID}, id="not swapped"),
        pytest.param({"ToUserName": "oSomebodyElse"}, id="somebody else"),
        pytest.param({"FromUserName": APPID}, id="the appid"),
        pytest.param({"ToUserName": None}, id="nobody"),
    ],
)
def test_a_reply_goes_from_the_account_to_the_user(names: dict[str, Any]) -> None:
    body = reply(MsgType="text", Content="x", **names)
    assert kind(body) is AnswerKind.BAD_NAMES


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"MsgType": None}, "MsgType"),
        ({"MsgType": "gif"}, "MsgType"),
        ({"MsgType": "text", "Content": ""}, "Content"),
        ({"MsgType": "text", "Content": "x" * 2049}, "2048"),
        ({"MsgType": "text", "Content": "中" * 683}, "2048"),
        ({"MsgType": "text", "Content": "x", "CreateTime": "now"}, "CreateTime"),
        ({"MsgType": "image"}, "Image"),
        ({"MsgType": "image", "Image": {"MediaId": ""}}, "Image.MediaId"),
        ({"MsgType": "voice", "Voice": "m"}, "Voice"),
        ({"MsgType": "video", "Video": {"Title": "t"}}, "Video.MediaId"),
        ({"MsgType": "music", "Music": {"Title": "t"}}, "Music.ThumbMediaId"),
        ({"MsgType": "news"}, "Articles"),
        ({"MsgType": "transfer_customer_service", "TransInfo": {"x": "y"}}, "KfAccount"),
    ],
)
def test_a_reply_without_what_its_type_needs_is_refused(fields: Any, word: str) -> None:
    judgement = judge(Delivered(200, reply(**fields)), PLAIN)
    assert judgement.kind is AnswerKind.BAD_REPLY
    assert word in str(judgement.problem)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param(news(9), "at most 8", id="nine articles"),
        pytest.param(news(2, stated=3), "ArticleCount", id="another number than stated"),
        pytest.param(news(1, Title=""), r"item\[0\].Title", id="no title"),
        pytest.param(news(1, Url=""), r"item\[0\].Url", id="no address"),
    ],
)
def test_news_have_their_own_limits(body: bytes, word: str) -> None:
    judgement = judge(Delivered(200, body), PLAIN)
    assert judgement.kind is AnswerKind.BAD_REPLY
    assert word.replace("\\", "") in str(judgement.problem)


def test_a_message_is_answered_with_one_article_an_event_with_eight() -> None:
    to_text = replace(PLAIN, answered=replace(ANSWERED, msg_type="text"))
    assert kind(news(8)) is AnswerKind.REPLY
    assert kind(news(1), to_text) is AnswerKind.REPLY
    assert kind(news(2), to_text) is AnswerKind.BAD_REPLY


def test_surplus_articles_may_be_cut_instead() -> None:
    lenient = Parameters(reply_surplus_articles="cut")
    shown = seen(news(3), replace(ANSWERED, msg_type="text", rules=lenient))
    assert len(shown["articles"]) == 1


def test_texts_of_2048_bytes_pass() -> None:
    assert kind(reply(MsgType="text", Content="中" * 682 + "ab")) is AnswerKind.REPLY


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (IMAGE, {"media_id": "m"}),
        ({"MsgType": "voice", "Voice": {"MediaId": "m"}}, {"media_id": "m"}),
        (
            {"MsgType": "video", "Video": {"MediaId": "m", "Title": "t"}},
            {"media_id": "m", "title": "t", "description": ""},
        ),
        (
            {"MsgType": "music", "Music": {"ThumbMediaId": "m", "HQMusicUrl": "h"}},
            {
                "thumb_media_id": "m",
                "title": "",
                "description": "",
                "music_url": "",
                "hq_music_url": "h",
            },
        ),
        ({"MsgType": "transfer_customer_service"}, {"kf_account": None}),
        (
            {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}},
            {"kf_account": "a@b"},
        ),
    ],
)
def test_replies_are_decoded_for_the_phone(fields: Any, expected: dict[str, Any]) -> None:
    assert seen(reply(**fields)) == {"type": fields["MsgType"], **expected}


def test_media_are_looked_up_where_the_platform_does() -> None:
    strict = replace(ANSWERED, rules=Parameters(reply_media_checked=True))
    assert seen(reply(**IMAGE), strict) is None
    shelf = MediaShelf()
    shelf.add(
        MediaItem(
            media_id="m", kind="image", filename="a.jpg", created_at=0, content=BytesContent(b"")
        )
    )
    assert seen(reply(**IMAGE), replace(strict, media=shelf)) is not None


@given(body=st.binary(max_size=200), status=st.sampled_from([200, 204, 500]))
def test_no_answer_whatever_upsets_the_judge(body: bytes, status: int) -> None:
    for bench in (SAFE, PLAIN, replace(PLAIN, format="json")):
        assert isinstance(kind(body, bench, status), AnswerKind)


def test_complaints_repeat_nothing_of_what_came() -> None:
    secret = "geheim12345"
    for body in (f"<xml>{secret}</xml>", f"<xml><{secret}/></xml>", text_reply(secret)):
        assert secret not in str(judge(Delivered(200, body.encode()), PLAIN).problem)
    assert CRYPTO.app_id not in str(judge(Delivered(200, b"x"), SAFE).problem)
