from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from zhongkong.wechat.passive_reply import (
    MAX_ARTICLES,
    MAX_TEXT_BYTES,
    SINGLE_ARTICLE_FOR,
    Article,
    ImageReply,
    MusicReply,
    NewsReply,
    PassiveReply,
    ReplyRefused,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
    check_fit,
    read_reply,
    render_reply,
)
from zhongkong.wechat.push import BodyFormat, parse

ARTICLE = {"title": "t", "description": "d", "pic_url": "http://p.example/1", "url": "http://l/1"}
READ_ARTICLE = Article("t", "d", "http://p.example/1", "http://l/1")


def news(count: int) -> NewsReply:
    return NewsReply((READ_ARTICLE,) * count)


def refusal(value: Any) -> ReplyRefused:
    with pytest.raises(ReplyRefused) as refused:
        read_reply(value)
    return refused.value


# ---------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("value", "reply"),
    [
        pytest.param({"type": "text", "content": "您好\n"}, TextReply("您好\n"), id="text"),
        pytest.param({"type": "image", "media_id": "m"}, ImageReply("m"), id="image"),
        pytest.param({"type": "voice", "media_id": "m"}, VoiceReply("m"), id="voice"),
        pytest.param({"type": "video", "media_id": "m"}, VideoReply("m"), id="video"),
        pytest.param(
            {"type": "video", "media_id": "m", "title": "t", "description": "d"},
            VideoReply("m", "t", "d"),
            id="video with title and description",
        ),
        pytest.param({"type": "music", "thumb_media_id": "m"}, MusicReply("m"), id="music"),
        pytest.param(
            {
                "type": "music",
                "thumb_media_id": "m",
                "title": "t",
                "description": "d",
                "music_url": "u",
                "hq_music_url": "h",
            },
            MusicReply("m", "t", "d", "u", "h"),
            id="music with everything",
        ),
        pytest.param({"type": "news", "articles": [ARTICLE]}, news(1), id="news"),
        pytest.param(
            {"type": "news", "articles": [{"title": "t", "url": "u"}]},
            NewsReply((Article("t", "", "", "u"),)),
            id="news without what may be left out",
        ),
        pytest.param({"type": "transfer_customer_service"}, TransferReply(), id="transfer"),
        pytest.param(
            {"type": "transfer_customer_service", "kf_account": "a@b"},
            TransferReply("a@b"),
            id="transfer to one account",
        ),
        pytest.param(
            {"type": "transfer_customer_service", "kf_account": None},
            TransferReply(),
            id="null is as good as absent",
        ),
    ],
)
def test_a_reply_is_read(value: dict[str, Any], reply: PassiveReply) -> None:
    assert read_reply(value) == reply


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param(None, "", id="nothing"),
        pytest.param("hi", "", id="bare text"),
        pytest.param([], "", id="a list"),
        pytest.param({}, "type", id="no type"),
        pytest.param({"type": None}, "type", id="null for a type"),
        pytest.param({"type": ["text"]}, "type", id="a list for a type"),
        pytest.param({"type": "hologram"}, "type", id="a type nobody knows"),
        pytest.param({"type": "text"}, "content", id="no content"),
        pytest.param({"type": "text", "content": ""}, "content", id="empty content"),
        pytest.param({"type": "text", "content": 1}, "content", id="a number for content"),
        pytest.param({"type": "text", "content": "\x00"}, "content", id="a control character"),
        pytest.param({"type": "text", "content": "\ud800"}, "content", id="half a character"),
        pytest.param({"type": "text", "content": "x", "to": "y"}, "to", id="a field too many"),
        pytest.param({"type": "image", "content": "x"}, "media_id", id="another type's field"),
        pytest.param({"type": "image", "media_id": ["m"]}, "media_id", id="a list for an id"),
        pytest.param({"type": "video", "media_id": "m", "title": 1}, "title", id="a title"),
        pytest.param({"type": "music", "title": "t"}, "thumb_media_id", id="music, no thumb"),
        pytest.param({"type": "news"}, "articles", id="news without articles"),
        pytest.param({"type": "news", "articles": []}, "articles", id="no article"),
        pytest.param({"type": "news", "articles": "x"}, "articles", id="text for articles"),
        pytest.param({"type": "news", "articles": ARTICLE}, "articles", id="an article bare"),
        pytest.param(
            {"type": "news", "articles": [ARTICLE] * (MAX_ARTICLES + 1)},
            "articles",
            id="too many articles",
        ),
        pytest.param({"type": "news", "articles": ["x"]}, "articles[0]", id="no article in it"),
        pytest.param(
            {"type": "news", "articles": [ARTICLE, ARTICLE, {"title": "t"}]},
            "articles[2].url",
            id="an article without address",
        ),
        pytest.param(
            {"type": "news", "articles": [ARTICLE, {**ARTICLE, "picurl": "u"}]},
            "articles[1].picurl",
            id="an article with a field too many",
        ),
        pytest.param(
            {"type": "transfer_customer_service", "kf_account": 7}, "kf_account", id="a number"
        ),
    ],
)
def test_what_is_no_reply_is_refused_by_its_place(value: Any, path: str) -> None:
    assert refusal(value).path == path


def test_a_refusal_says_what_would_be_right() -> None:
    assert str(refusal({"type": "sms"})).startswith("type has to be one of text, image, voice")
    assert str(refusal(None)) == "the reply has to be an object with `type`"
    assert str(refusal({"type": "news", "articles": [{}]})) == (
        "articles[0].title is missing: it has to be text"
    )
    assert str(refusal({"type": "image", "media_id": "m", "url": ""})) == (
        "url is unknown; allowed are media_id, type"
    )


def test_a_refusal_shows_no_text_of_the_reply() -> None:
    assert "secret" not in str(refusal({"type": "text", "content": "secret\x00"}))


def test_an_unknown_name_is_shown_short_and_printable() -> None:
    refused = refusal({"type": "text", "content": "x", "\n" + "a" * 1000: 1})

    assert refused.path == "?" + "a" * 63


def test_text_may_be_as_long_as_the_limit_in_bytes_and_no_longer() -> None:
    longest = "中" * (MAX_TEXT_BYTES // 3)

    assert read_reply({"type": "text", "content": longest}) == TextReply(longest)
    assert "2048 bytes" in str(refusal({"type": "text", "content": longest + "中"}))


@pytest.mark.parametrize(
    "reply",
    [TextReply("secret"), NewsReply((Article("secret", "", "", ""),)), ImageReply("secret")],
)
def test_what_a_reply_says_is_in_no_repr(reply: PassiveReply) -> None:
    assert "secret" not in repr(reply)


# --------------------------------------------------------------------------------- what it answers


@pytest.mark.parametrize("answering", sorted(SINGLE_ARTICLE_FOR))
def test_an_ordinary_message_may_be_answered_with_one_article(answering: str) -> None:
    check_fit(news(1), answering)
    with pytest.raises(ReplyRefused, match=f"in answer to {answering}") as refused:
        check_fit(news(2), answering)

    assert refused.value.path == "articles"


def test_an_event_may_be_answered_with_several_articles() -> None:
    check_fit(news(MAX_ARTICLES), "event")


@pytest.mark.parametrize("answering", ["text", "event"])
def test_everything_else_fits_everything(answering: str) -> None:
    for reply in (TextReply("x"), ImageReply("m"), TransferReply()):
        check_fit(reply, answering)


# -------------------------------------------------------------------------------------- rendering


def rendered(reply: PassiveReply, form: BodyFormat) -> dict[str, Any]:
    body = render_reply(reply, to_user="o1", from_user="gh_1", create_time=1700000000, form=form)
    fields = parse(body, form)
    assert (fields.pop("ToUserName"), fields.pop("FromUserName")) == ("o1", "gh_1")
    assert int(fields.pop("CreateTime")) == 1700000000
    return fields


@pytest.mark.parametrize("form", list(BodyFormat))
@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (TextReply("你\n好"), {"MsgType": "text", "Content": "你\n好"}),
        (TextReply("a\r\nb\rc"), {"MsgType": "text", "Content": "a\nb\nc"}),
        (TextReply("]]>&<x>"), {"MsgType": "text", "Content": "]]>&<x>"}),
        (ImageReply("m"), {"MsgType": "image", "Image": {"MediaId": "m"}}),
        (VoiceReply("m"), {"MsgType": "voice", "Voice": {"MediaId": "m"}}),
        (VideoReply("m"), {"MsgType": "video", "Video": {"MediaId": "m"}}),
        (
            VideoReply("m", "t", "d"),
            {"MsgType": "video", "Video": {"MediaId": "m", "Title": "t", "Description": "d"}},
        ),
        (MusicReply("m"), {"MsgType": "music", "Music": {"ThumbMediaId": "m"}}),
        (
            MusicReply("m", "t", "d", "u", "h"),
            {
                "MsgType": "music",
                "Music": {
                    "Title": "t",
                    "Description": "d",
                    "MusicUrl": "u",
                    "HQMusicUrl": "h",
                    "ThumbMediaId": "m",
                },
            },
        ),
        (TransferReply(), {"MsgType": "transfer_customer_service"}),
        (
            TransferReply("a@b"),
            {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}},
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else None,
)
def test_a_reply_is_rendered(reply: PassiveReply, fields: dict[str, Any], form: BodyFormat) -> None:
    assert rendered(reply, form) == fields


@pytest.mark.parametrize("count", [1, 2, MAX_ARTICLES])
def test_news_are_rendered_with_their_count(count: int) -> None:
    fields = rendered(news(count), BodyFormat.XML)

    assert (fields["MsgType"], fields["ArticleCount"]) == ("news", str(count))
    assert fields["Articles"] == count * [
        {"Title": "t", "Description": "d", "PicUrl": "http://p.example/1", "Url": "http://l/1"}
    ]


def test_the_xml_is_what_wechat_documents() -> None:
    body = render_reply(
        TextReply("hi"),
        to_user="o1",
        from_user="gh_1",
        create_time=1700000000,
        form=BodyFormat.XML,
    )

    assert body == (
        b"<xml><ToUserName><![CDATA[o1]]></ToUserName>"
        b"<FromUserName><![CDATA[gh_1]]></FromUserName><CreateTime>1700000000</CreateTime>"
        b"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hi]]></Content></xml>"
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "content", "articles", "title", "url", "media_id", "x"]),
                inner | st.sampled_from(["text", "news", "image"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(BodyFormat),
)
def test_any_json_is_a_reply_that_can_be_rendered_or_is_refused(
    value: Any, form: BodyFormat
) -> None:
    try:
        reply = read_reply(value)
    except ReplyRefused:
        return
    assert rendered(reply, form)["MsgType"] == value["type"]
