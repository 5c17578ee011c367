"""Random documents of menus that are nearly right: most parts are sound, any may be off."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.menu_worker.files import MINI_PROGRAM

NAMES = st.sampled_from(
    ["a", "买入", "买入卖出", "买入卖出啊", "买入卖出啊啊", "", "买" * 20, "买" * 21]
)
KEYS = st.sampled_from(["A", "B", "买", "k" * 128, "k" * 129, ""])
URLS = st.sampled_from(
    [
        "http://a.example/",
        "https://b.example/?x=1&y=2",
        "HTTPS://C.example",
        "http://d.example:80/",
        "http://a.example/" + "x" * 1024,
        "www.example.com",
        "http://",
        "http://a\u2100b/",
        "",
    ]
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 7, -1, 1.5, "x", "", [], {}, ["x"], {"list": []}]
)
TYPES = st.sampled_from(
    ["click", "view", "miniprogram", "scancode_push", "article_id", "CLICK", "text", "clik", ""]
)


def mostly(
    sound: st.SearchStrategy[Any], odd: st.SearchStrategy[Any] = ODD
) -> st.SearchStrategy[Any]:
    """Now and then something else."""
    return st.integers(0, 11).flatmap(lambda die: odd if die == 0 else sound)


_EXTRAS = {
    "key": mostly(KEYS),
    "url": mostly(URLS),
    "appid": mostly(st.sampled_from([MINI_PROGRAM["appid"], "wx1"])),
    "pagepath": mostly(st.sampled_from(["pages/index", "/pages/index"])),
    "article_id": mostly(st.just("A1")),
    "colour": st.just("red"),
}


def _sound_leaf(name_bytes: int) -> st.SearchStrategy[dict[str, Any]]:
    names = NAMES.filter(lambda name: 0 < len(name.encode()) <= name_bytes)
    keys = KEYS.filter(lambda key: 0 < len(key.encode()) <= 128)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("click"), "name": names, "key": keys}),
        st.fixed_dictionaries(
            {"type": st.just("view"), "name": names, "url": st.just("http://a.example/")}
        ),
        names.map(lambda name: {**MINI_PROGRAM, "name": name}),
    )


def _off_leaf() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "name": mostly(NAMES),
            "type": mostly(TYPES),
            "sub_button": st.sampled_from([[], None, {"list": []}, {}, "x", [7]]),
            **_EXTRAS,
        },
    )


def _dented(button: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound button with one field changed or gone."""
    name = st.sampled_from(sorted(button))
    values = mostly(NAMES | KEYS | URLS)
    changed = st.tuples(name, values).map(lambda pair: {**button, pair[0]: pair[1]})
    return changed | name.map(
        lambda gone: {key: value for key, value in button.items() if key != gone}
    )


def leaves(name_bytes: int) -> st.SearchStrategy[Any]:
    sound = _sound_leaf(name_bytes)
    return mostly(sound, sound.flatmap(_dented) | _off_leaf() | ODD)


def _parent(parts: tuple[str, list[Any]]) -> dict[str, Any]:
    return {"name": parts[0], "sub_button": parts[1]}


SUBS = leaves(60)
THIRD = st.tuples(st.just("p"), st.lists(SUBS, min_size=1, max_size=2)).map(_parent)
PARENTS = st.tuples(
    NAMES.filter(lambda name: 0 < len(name.encode()) <= 16),
    mostly(st.lists(SUBS, min_size=1, max_size=5), st.lists(SUBS | THIRD, max_size=6)),
).map(_parent)
TOPS = leaves(16) | PARENTS
BUTTONS = mostly(
    st.lists(TOPS, min_size=1, max_size=3), st.lists(TOPS, min_size=4, max_size=4) | ODD
)
RULES = mostly(
    st.fixed_dictionaries(
        {"tag_id": st.sampled_from([1, "2", "3"])},
        optional={"client_platform_type": st.sampled_from(["1", 2])},
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "tag_id": ODD,
            "group_id": ODD,
            "client_platform_type": ODD,
            "sex": ODD,
            "language": st.just("zh_CN"),
            "tagid": st.just(1),
        },
    )
    | ODD,
)
CONDITIONALS = st.fixed_dictionaries({"matchrule": RULES, "button": BUTTONS})
DOCUMENTS = st.fixed_dictionaries(
    {"account": st.just("shop"), "button": BUTTONS},
    optional={"conditional": st.lists(mostly(CONDITIONALS), max_size=2)},
)
