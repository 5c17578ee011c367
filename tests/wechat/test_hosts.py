from __future__ import annotations

import pytest

from zhongkong.wechat.hosts import (
    DEFAULT_BASE_URLS,
    HOSTS,
    BaseUrlError,
    parse_base_url,
    parse_base_urls,
)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.weixin.qq.com", "https://api.weixin.qq.com"),
        ("https://api.weixin.qq.com/", "https://api.weixin.qq.com"),
        ("HTTP://LocalHost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_base_url_is_reduced_to_its_origin(url: str, origin: str) -> None:
    assert parse_base_url(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.weixin.qq.com",
        "ftp://api.weixin.qq.com",
        "https://",
        "https://a b",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "https://api.weixin.qq.com/prefix",
        "https://api.weixin.qq.com?x=1",
        "https://api.weixin.qq.com#x",
        "https://user:hunter2@api.weixin.qq.com",
    ],
)
def test_what_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(BaseUrlError) as raised:
        parse_base_url(url)

    assert "hunter2" not in str(raised.value)


def test_the_refusal_of_a_path_shows_what_to_write() -> None:
    with pytest.raises(BaseUrlError, match=r"write https://proxy\.internal:8443$"):
        parse_base_url("https://proxy.internal:8443/wechat")


@pytest.mark.parametrize("urls", [[], ["https://a", "https://A/"]])
def test_a_list_of_hosts_is_neither_empty_nor_repetitive(urls: list[str]) -> None:
    with pytest.raises(BaseUrlError):
        parse_base_urls(urls)


def test_the_default_is_the_general_host_by_name() -> None:
    assert parse_base_urls(DEFAULT_BASE_URLS) == (HOSTS[0].base_url,)
