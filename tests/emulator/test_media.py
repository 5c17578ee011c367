"""Media and material: ids, kinds, limits, lives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.media_shelf import Shelf
from tests.emulator.platforms import NOW, account, code_of, form, platform
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.contents import FileAnswer
from zhongkong.emulator.request import ApiRequest

DAY = 86_400.0


def content(answer: Any) -> bytes:
    assert isinstance(answer, FileAnswer), answer
    return answer.content.read(0, answer.content.size)


@pytest.mark.parametrize(
    ("kind", "filename", "content_type"),
    [
        ("image", "a.PNG", "image/png"),
        ("image", "nameless", "image/jpeg"),
        ("voice", "a.amr", "audio/amr"),
        ("voice", "a.mp3", "audio/mpeg"),
        ("thumb", "a.jpg", "image/jpeg"),
    ],
)
def test_what_was_uploaded_comes_back_byte_for_byte(
    kind: str, filename: str, content_type: str
) -> None:
    shelf, data = Shelf(), bytes(range(256)) * 8 + b"\r\n--boun"
    made = shelf.upload(kind, form(data, filename))
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    assert made == {"type": kind, name: made[name], "created_at": int(NOW)}
    answer = shelf.file(made[name])
    assert content(answer) == data
    assert answer.content_type == content_type


def test_media_live_three_days() -> None:
    shelf = Shelf(lifetimes_s=(int(4 * DAY),))
    media_id = shelf.upload("image", form(b"x"))["media_id"]
    assert content(shelf.file(media_id, NOW + 3 * DAY - 1)) == b"x"
    assert code_of(shelf.file(media_id, NOW + 3 * DAY)) == 40007


def test_a_video_is_answered_with_a_link_that_gives_it() -> None:
    shelf = Shelf()
    media_id = shelf.upload("video", form(b"film", "a.mp4"))["media_id"]
    link = shelf.file(media_id)["video_url"]
    request = ApiRequest.from_wire("GET", link.removeprefix("http://localhost"), peer="127.0.0.1")
    assert content(shelf.model.attend(request, NOW)) == b"film"
    bare = Shelf(video_as_link=False)
    assert content(bare.file(bare.upload("video", form(b"film", "a.mp4"))["media_id"])) == b"film"


@pytest.mark.parametrize(
    ("kind", "sent", "code"),
    [
        pytest.param("", form(b"x"), 40004, id="no type"),
        pytest.param("news", form(b"x"), 40004, id="a type that is no file"),
        pytest.param("image", form(b"x", "a.exe"), 40005, id="a suffix of another type"),
        pytest.param("image", form(b""), 44001, id="an empty file"),
        pytest.param("image", ("application/json", b"{}"), 41005, id="no form"),
        pytest.param("image", ("multipart/form-data", b"--x--"), 41005, id="no boundary"),
        pytest.param("image", (form(b"")[0], b""), 41005, id="no body"),
        pytest.param("thumb", form(b"x" * 65_537), 45001, id="a thumb too large"),
        pytest.param("thumb", form(b"x" * 65_536), 0, id="a thumb just small enough"),
    ],
)
def test_an_upload_is_refused_with_its_code(kind: str, sent: tuple[str, bytes], code: int) -> None:
    assert code_of(Shelf().upload(kind, sent)) == code


def test_the_file_must_be_in_the_field_media() -> None:
    content_type, body = form(b"x")
    renamed = body.replace(b'name="media"', b'name="file"')
    assert code_of(Shelf().upload("image", (content_type, renamed))) == 41005


def test_the_type_may_be_a_field_of_the_form() -> None:
    assert "media_id" in Shelf().send("media/upload", form(b"x", type="image"))


def test_limits_are_a_parameter() -> None:
    shelf = Shelf(media_limits={"image": 3})
    assert "media_id" in shelf.upload("image", form(b"abc"))
    assert code_of(shelf.upload("image", form(b"abcd"))) == 45001


def test_a_picture_for_articles_gets_an_address() -> None:
    shelf = Shelf(media_limits={"uploadimg": 3})
    assert shelf.send("media/uploadimg", form(b"abc"))["url"].startswith("http://mmbiz.qpic.cn/")
    assert code_of(shelf.send("media/uploadimg", form(b"abcd"))) == 40009
    assert code_of(shelf.send("media/uploadimg", form(b"abc", "a.gif"))) == 40005
    assert shelf.model.ledger.effects("image_uploaded") == 1


def test_another_accounts_media_are_unknown() -> None:
    shelf, other = Shelf(), Shelf(seed=2)
    assert code_of(other.file(shelf.upload("image", form(b"x"))["media_id"])) == 40007
    assert code_of(shelf.file("")) == 41006


def test_material_is_kept_for_ever_and_apart_from_media() -> None:
    shelf = Shelf(lifetimes_s=(int(400 * DAY),))
    made = shelf.keep("image", form(b"x"))
    assert set(made) == {"media_id", "url"}
    assert content(shelf.file(made["media_id"], NOW + 300 * DAY, permanent=True)) == b"x"
    assert code_of(shelf.file(made["media_id"])) == 40007
    temporary = shelf.upload("image", form(b"x"))["media_id"]
    assert code_of(shelf.file(temporary, permanent=True)) == 40007


def test_a_video_has_a_description() -> None:
    shelf = Shelf()
    told = '{"title":"片","introduction":"长"}'
    media_id = shelf.keep("video", form(b"film", "a.mp4", description=told))["media_id"]
    shown = shelf.ask("get_material", {"media_id": media_id})
    assert (shown["title"], shown["description"]) == ("片", "长")
    assert shown["down_url"].startswith("http://")
    bad = shelf.keep("video", form(b"film", "a.mp4", description="{"))
    assert code_of(bad) == 47001


def test_material_is_counted_listed_newest_first_and_deleted() -> None:
    shelf = Shelf()
    first, second = (shelf.keep("image", form(b"x"))["media_id"] for _ in range(2))
    news = {"articles": [{"title": "t", "thumb_media_id": first}]}
    shelf.ask("add_news", news)
    counts = shelf.model.call("/cgi-bin/material/get_materialcount", shelf.token, NOW)
    assert counts == {"voice_count": 0, "video_count": 0, "image_count": 2, "news_count": 1}
    page = shelf.ask("batchget_material", {"type": "image", "offset": 0, "count": 20})
    assert [each["media_id"] for each in page["item"]] == [second, first]
    assert (page["total_count"], page["item_count"]) == (2, 2)
    (listed,) = shelf.ask("batchget_material", {"type": "news", "count": 1})["item"]
    assert listed["content"] == {"news_item": news["articles"]}
    assert code_of(shelf.ask("del_material", {"media_id": second})) == 0
    assert code_of(shelf.ask("del_material", {"media_id": second})) == 40007


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 40004),
        ({"type": "image", "count": 21}, 40035),
        ({"type": "image", "offset": -1}, 40035),
        ({"type": "image", "offset": "0"}, 47001),
    ],
)
def test_a_listing_is_asked_for_within_bounds(body: dict[str, Any], code: int) -> None:
    assert code_of(Shelf().ask("batchget_material", body)) == code


@pytest.mark.parametrize(
    ("articles", "code"),
    [
        ([], 44003),
        ("x", 44003),
        ([{}], 47001),
        ([{"title": "t"}], 40007),
        ([{"title": "t"}] * 9, 45008),
    ],
)
def test_news_are_refused_with_their_code(articles: Any, code: int) -> None:
    assert code_of(Shelf().ask("add_news", {"articles": articles})) == code


def test_material_in_a_menu_cannot_be_deleted() -> None:
    shelf = Shelf()
    media_id = shelf.keep("image", form(b"x"))["media_id"]
    shelf.create({"type": "media_id", "name": "m", "media_id": media_id})
    assert code_of(shelf.ask("del_material", {"media_id": media_id})) == 48005
    assert shelf.model.ledger.effects("material_deleted") == 0


def test_mini_programs_have_media_but_no_material() -> None:
    shelf = Shelf(account(kind=AccountKind.MINI_PROGRAM))
    assert "media_id" in shelf.upload("image", form(b"x"))
    assert code_of(shelf.keep("image", form(b"x"))) == 48001


def test_an_answer_that_is_a_file_is_not_given_out_as_json() -> None:
    shelf = Shelf()
    media_id = shelf.upload("image", form(b"x"))["media_id"]
    with pytest.raises(TypeError, match="attend"):
        shelf.model.call("/cgi-bin/media/get", shelf.token, NOW, query={"media_id": media_id})


def test_each_upload_is_counted_once() -> None:
    shelf = Shelf()
    shelf.upload("image", form(b"x"))
    shelf.upload("image", form(b""))
    assert shelf.model.ledger.effects("media_uploaded") == 1


def test_an_unknown_video_link_is_refused() -> None:
    model = platform()
    request = ApiRequest.from_wire("GET", "/mmbiz/video?appid=x&media_id=y", peer="127.0.0.1")
    answer = model.perform(request, NOW)
    assert code_of(answer) == 40007
