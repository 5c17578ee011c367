"""The code that is loaded once, for all processes that are forked to be a gateway or a handler.

A gateway loads some of it late or not at all when Python starts it; forking is in tests.fixtures.
"""

from __future__ import annotations

from typing import Final

LOADED: Final = (
    "aiohttp.web",
    "callback_gateway.app",
    "callback_gateway.cli",
    "callback_gateway.inbox.promise",
    "callback_gateway.inbox.redis",
    "callback_gateway.inbox.sqlite",
    "callback_gateway.settings",
    "standardwebhooks.webhooks",
    "uvloop",
    "zhongkong.runtime.lifecycle",
    "zhongkong.runtime.redis",
)
