"""Random menus, small enough to collide with one another."""

from __future__ import annotations

from hypothesis import strategies as st

from menu_worker.menu import Button, Conditional, Menu, Rule

_NAMES = st.sampled_from(["买入", "卖出", "查收益", "帮助", "a"])
_KEYS = st.sampled_from(["BUY_IN", "SELL", "HELP", "TODAY"])
_URLS = st.sampled_from(["http://a.example/1", "https://b.example/2"])

leaves = st.one_of(
    st.builds(lambda name, key: Button(name, "click", (("key", key),)), _NAMES, _KEYS),
    st.builds(lambda name, url: Button(name, "view", (("url", url),)), _NAMES, _URLS),
)
parents = st.builds(
    lambda name, children: Button(name, children=tuple(children)),
    _NAMES,
    st.lists(leaves, min_size=1, max_size=5),
)
button_rows = st.lists(st.one_of(leaves, parents), min_size=1, max_size=3).map(tuple)
rules = st.sampled_from(
    [
        Rule((("tag_id", "1"),)),
        Rule((("tag_id", "2"),)),
        Rule((("client_platform_type", "1"),)),
    ]
)
conditionals = st.builds(Conditional, rules, button_rows)
menus = st.builds(Menu, button_rows, st.lists(conditionals, max_size=4).map(tuple))
