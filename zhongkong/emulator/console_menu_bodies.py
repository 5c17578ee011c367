"""A menu as the web console publishes it, in the shape of get_current_selfmenu_info."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from zhongkong.emulator.control_bodies import Body
from zhongkong.emulator.menu_state import Button, Buttons

_PARENT: Final = "parent"
_TOP_NAME_BYTES: Final = 16


def _in_bytes(at_most: int) -> AfterValidator:
    def check(text: str) -> str:
        if not 0 < len(text.encode()) <= at_most:
            raise ValueError(f"between 1 and {at_most} bytes of UTF-8")
        return text

    return AfterValidator(check)


Name = Annotated[str, _in_bytes(60)]
Text = Annotated[str, _in_bytes(2048)]
Address = Annotated[str, _in_bytes(1024)]


class TextLeaf(Body):
    """Answers with a text."""

    type: Literal["text"]
    name: Name
    value: Text


class MediaLeaf(Body):
    """Answers with a file; its id or address is another one at each reading, whatever is said."""

    type: Literal["img", "voice", "video"]
    name: Name
    value: str = Field(default="", max_length=1024)


class Article(Body):
    """One of the articles of a news leaf."""

    title: Text
    author: str = Field(default="", max_length=1024)
    digest: str = Field(default="", max_length=1024)
    show_cover: Literal[0, 1] = 0
    cover_url: str = Field(default="", max_length=1024)
    content_url: str = Field(default="", max_length=1024)
    source_url: str = Field(default="", max_length=1024)


class Articles(Body):
    """WeChat's wrapper."""

    items: tuple[Article, ...] = Field(alias="list", min_length=1, max_length=8)


class NewsLeaf(Body):
    """Answers with articles."""

    type: Literal["news"]
    name: Name
    value: str = Field(default="", max_length=1024)
    news_info: Articles


class ViewLeaf(Body):
    """Opens a page."""

    type: Literal["view"]
    name: Name
    url: Address


class MiniProgramLeaf(Body):
    """Opens a mini-program."""

    type: Literal["miniprogram"]
    name: Name
    url: Address
    appid: Address
    pagepath: Address


Leaf = Annotated[
    TextLeaf | MediaLeaf | NewsLeaf | ViewLeaf | MiniProgramLeaf, Field(discriminator="type")
]


class Children(Body):
    """WeChat's wrapper: an object with a list, not a list."""

    items: tuple[Leaf, ...] = Field(alias="list", min_length=1, max_length=5)


class Parent(Body):
    """Opens its children."""

    name: Name
    sub_button: Children


def _sort(button: Any) -> str:
    return _PARENT if isinstance(button, dict) and "sub_button" in button else "leaf"


def _shortly_named(button: Parent | Leaf) -> Parent | Leaf:
    if len(button.name.encode()) > _TOP_NAME_BYTES:
        raise ValueError(f"a name on top has at most {_TOP_NAME_BYTES} bytes of UTF-8")
    return button


Top = Annotated[
    Annotated[Parent, Tag(_PARENT)] | Annotated[Leaf, Tag("leaf")],
    Discriminator(_sort),
    AfterValidator(_shortly_named),
]


class ConsoleMenu(Body):
    """The whole menu. Names on top have at most 16 bytes, those below 60."""

    button: tuple[Top, ...] = Field(min_length=1, max_length=3)

    def buttons(self) -> Buttons:
        """As the model keeps it."""
        return tuple(_kept(each) for each in self.button)


def _kept(button: Parent | Leaf) -> Button:
    if isinstance(button, Parent):
        return Button(button.name, children=tuple(_kept(each) for each in button.sub_button.items))
    fields = button.model_dump(exclude={"type", "name", "news_info"})
    articles = button.news_info.items if isinstance(button, NewsLeaf) else ()
    return Button(
        button.name,
        button.type,
        tuple((name, value) for name, value in fields.items() if value),
        articles=tuple(each.model_dump() for each in articles),
    )
