"""The settings of the proxy, and of how much each client may call through it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from token_service.proxy.rates import Rate
from zhongkong.runtime.settings import Bounds, ByteSize, Duration, PathGlob, Settings

SECRET_PATHS = (
    PathGlob("/sns/oauth2/access_token"),
    PathGlob("/sns/jscode2session"),
    PathGlob("/cgi-bin/clear_quota/v2"),
)
USER_TOKEN_PATHS = (
    PathGlob("/sns/userinfo"),
    PathGlob("/sns/auth"),
    PathGlob("/sns/oauth2/refresh_token"),
)


class ProxySettings(Settings):
    """How calls are passed on to WeChat. `timeout` is the longest silence, not the longest call."""

    timeout: Annotated[Duration, Bounds("1s", "10m")] = 30.0
    connect_timeout: Annotated[Duration, Bounds("100ms", "1m")] = 3.0
    connections: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Connections to WeChat that calls may hold at the same time."""
    calls_at_once: Annotated[int, Field(ge=1, le=10_000)] = 128
    """Calls that one client may have under way."""
    replay_limit: ByteSize = 64 * 1024**2
    """A larger body isn't kept for a repetition."""
    replay_memory: ByteSize = 64 * 1024**2
    """What all calls together keep of bodies up to 1 MiB."""
    replay_disk: ByteSize = 1024**3
    """What all calls together keep of larger ones, in temporary files."""
    secret_paths: tuple[PathGlob, ...] = SECRET_PATHS
    user_token_paths: tuple[PathGlob, ...] = USER_TOKEN_PATHS


class RateSettings(Settings):
    """How many calls a client may make through the proxy."""

    calls: Annotated[int, Field(ge=1, le=10_000_000)]
    per: Annotated[Duration, Bounds("1s", "24h")] = 60.0
    burst: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """How many may come at once; all of `calls` by default."""

    def rate(self) -> Rate:
        return Rate(self.calls, self.per, self.burst or self.calls)
