"""WeChat's API hosts, and what may stand as a base URL. PURE.

Which host is used when is decided in `failover`; names are resolved anew by the transport, since
WeChat retires addresses (code 48017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Host:
    """One access point. All of them serve the same accounts and the same tokens."""

    name: str
    role: str

    @property
    def base_url(self) -> str:
        return f"https://{self.name}"


HOSTS: Final = (
    Host("api.weixin.qq.com", "general: the nearest access point"),
    Host("api2.weixin.qq.com", "disaster recovery: another site"),
    Host("sh.api.weixin.qq.com", "Shanghai"),
    Host("sz.api.weixin.qq.com", "Shenzhen"),
    Host("hk.api.weixin.qq.com", "Hong Kong"),
)
"""In the order in which they are worth trying."""

DEFAULT_BASE_URLS: Final = (HOSTS[0].base_url,)


class BaseUrlError(ValueError):
    """A base URL that cannot be used. The message never repeats user names or passwords."""


def parse_base_urls(urls: Sequence[str]) -> tuple[str, ...]:
    """The origins of `urls`, in order. Raises BaseUrlError for an empty list or a repetition."""
    origins = tuple(parse_base_url(url) for url in urls)
    if not origins:
        raise BaseUrlError(f"no base URL is given; WeChat's own is {DEFAULT_BASE_URLS[0]}")
    if len(set(origins)) < len(origins):
        raise BaseUrlError("the same base URL is given twice; each host stands once in the list")
    return origins


def parse_base_url(url: str) -> str:
    """`url` as an origin, `scheme://host[:port]` in lower case and without a trailing slash.

    Raises BaseUrlError unless it is http or https with a host and nothing behind it but a slash.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise BaseUrlError(f"not a URL; write {DEFAULT_BASE_URLS[0]}, for instance") from None
    if parts.scheme not in {"http", "https"} or not _is_host(parts.hostname):
        raise BaseUrlError(f"no http:// or https:// URL; write {DEFAULT_BASE_URLS[0]}")
    if parts.username is not None or parts.password is not None:
        raise BaseUrlError("user name and password have no place in a base URL; remove them")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BaseUrlError(f"a base URL ends after host and port; write {origin}")
    return origin


def _is_host(name: str | None) -> bool:
    return bool(name) and all(c.isalnum() or c in "-._:" for c in str(name))
