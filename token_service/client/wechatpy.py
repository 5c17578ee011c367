"""wechatpy 1.8 through the token service, in one line.

    client = through(WeChatClient("wx0123456789abcdef", key), "http://token-service:8081")

`key` is this client's key there, in place of the AppSecret. wechatpy writes WeChat's address into
its token call and into many of its API groups, so what is moved here is not its constants but its
way out: a transport of requests that takes whatever is meant for WeChat's API to the service. For
this module install requests and wechatpy (`pip install "zhongkong[wechatpy]"`).

wechatpy's web login needs none of it: `oauth.API_BASE_URL = "http://token-service:8081/"`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from token_service.client.link import origin_of

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from wechatpy.client.base import BaseWeChatClient

    Client = TypeVar("Client", bound=BaseWeChatClient)

_WECHAT: Final = ("https://api.weixin.qq.com/", "http://api.weixin.qq.com/")
_DEAD_TOKEN: Final = frozenset({40001, 40014, 42001})
_REFUSAL_BYTES: Final = 4096
_TOKEN: Final = "access_token"
_SECRET: Final = "secret"
_USERS: Final = "/sns/"


def through(client: Client, base_url: str) -> Client:
    """Send this client's calls, and its token calls, through the token service; returns it.

    What wechatpy holds from then on is an opaque token, good at that service alone. One that the
    service refuses (its client was revoked, the service's keys were changed) is fetched anew and
    the call repeated, once; unlike wechatpy's own retry this one ends, and sends uploads again
    whole. `auto_retry=False` stays what it is. Raises ValueError for a URL that can't be one.
    """
    way = _Way(origin_of(base_url), client, renews=client.auto_retry)
    client.auto_retry = False
    for address in _WECHAT:
        client._http.mount(address, way)  # noqa: SLF001  # its only door to the session
    return client


class _Way(HTTPAdapter):
    """Takes requests for WeChat's API to the token service."""

    def __init__(self, base_url: str, client: BaseWeChatClient, *, renews: bool) -> None:
        super().__init__()
        self._base_url = base_url
        self._client = client
        self._renews = renews

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        moved = request.copy()
        moved.url = self._moved(request.url or "")
        # The proxies that were chosen for WeChat's address say nothing about the service's.
        kwargs["proxies"] = get_environ_proxies(moved.url)
        response = super().send(moved, *args, **kwargs)
        token = _token_in(moved.url)
        if not self._renews or token is None or not _may_go_again(moved) or not _refused(response):
            return response
        response.close()
        again = moved.copy()
        again.url = moved.url.replace(f"{_TOKEN}={token}", f"{_TOKEN}={self._fresh()}")
        return super().send(again, *args, **kwargs)

    def _moved(self, url: str) -> str:
        parts = urlsplit(url)
        fields = parse_qsl(parts.query, keep_blank_values=True)
        query = parts.query
        if _SECRET in dict(fields):
            # wechatpy adds its token to every call, to those that show the secret too.
            query = urlencode([(name, value) for name, value in fields if name != _TOKEN])
        return self._base_url + urlunsplit(("", "", parts.path, query, ""))

    def _fresh(self) -> str:
        """Raises wechatpy's own exception when the service gives no token."""
        self._client.fetch_access_token()
        return str(self._client.session.get(self._client.access_token_key))


def _token_in(url: str) -> str | None:
    """The account's token in this URL. Under /sns/ a token is a user's."""
    parts = urlsplit(url)
    return None if _USERS in parts.path else dict(parse_qsl(parts.query)).get(_TOKEN)


def _may_go_again(request: PreparedRequest) -> bool:
    """Whether the body is at hand and not being read from somewhere."""
    return request.body is None or isinstance(request.body, (bytes, str))


def _refused(response: Response) -> bool:
    """Whether the token was refused. Looks only into answers that are small enough to say so."""
    length = response.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > _REFUSAL_BYTES:
        return False
    try:
        answer = json.loads(response.content)
        return isinstance(answer, dict) and int(answer.get("errcode", 0)) in _DEAD_TOKEN
    except (TypeError, ValueError):
        return False
