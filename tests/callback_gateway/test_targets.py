from __future__ import annotations

import pytest

from callback_gateway.targets import flaw_of_url


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/wechat",
        "http://trading.shop.svc.cluster.local:8000/x?v=1",
        "http://10.0.0.7/",
        "http://[fd00::7]:8000/x",
        "https://a.example",
    ],
)
def test_an_address_is_where_events_can_be_posted(url: str) -> None:
    assert flaw_of_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "ftp://a.example/",
        "https:///x",
        "https://me@a.example/",
        "https://me:secret@a.example/",
        "https://@a.example/",
        "https://a.example/#part",
        "https://a.example/#",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://[::1/",
        "https://a.example/a b",
        "https://a.example/\nHost: b",
        "https://例子.example/",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_what_is_no_such_address_is_refused_without_showing_it(url: str) -> None:
    flaw = flaw_of_url(url)

    assert flaw is not None
    assert "secret" not in flaw
    assert "example" not in flaw.replace("https://trading", "")
