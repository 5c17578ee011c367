"""Everything that the proxy and the SDK's own endpoints share, made once for a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from token_service.proxy.admission import Admission
from token_service.proxy.forward import Forwarder
from token_service.proxy.handouts import RealHandouts
from token_service.proxy.healing import Healer
from token_service.proxy.limits import Turnstile
from token_service.proxy.opener import Opener
from token_service.proxy.paths import PathRules
from token_service.proxy.pool import Pool
from token_service.proxy.spool import Allowance
from token_service.proxy.tally import ProxyTallies

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from token_service.directory import Directory
    from token_service.opaque import OpaqueTokens
    from token_service.ports import TokenSource
    from token_service.proxy.settings import ProxySettings
    from token_service.waiting import WaitingRoom
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.tasks import TaskOwner


METRICS_PREFIX: Final = "token_service"


@dataclass(frozen=True, slots=True)
class Around:
    """What of the process the proxy uses. `revoked_before` always holds the present revocations."""

    tasks: TaskOwner
    room: WaitingRoom
    clock: Clock
    randomness: Randomness
    revoked_before: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ProxyParts:
    """`close` it in the end; until then it may be shared by all requests."""

    source: TokenSource
    settings: ProxySettings
    admission: Admission
    handouts: RealHandouts
    rules: PathRules
    pool: Pool
    forwarder: Forwarder
    healer: Healer
    turnstile: Turnstile
    memory: Allowance
    disk: Allowance
    tallies: ProxyTallies
    around: Around

    @property
    def clock(self) -> Clock:
        return self.around.clock

    def replace(self, directory: Directory) -> None:
        """Know these accounts and clients from the next request on."""
        self.admission.directory = directory

    def close(self) -> None:
        """Cut off what is under way to WeChat."""
        self.pool.close()


def make_parts(
    source: TokenSource,
    directory: Directory,
    opaque: OpaqueTokens,
    around: Around,
    *,
    settings: ProxySettings,
    base_urls: Sequence[str],
    tls: ssl.SSLContext | None = None,
) -> ProxyParts:
    """Make all of it. `tls` replaces trust in public authorities."""
    clock, handouts = around.clock, RealHandouts()
    patience_s = settings.connect_timeout
    opener = Opener(clock=clock, connect_s=patience_s, tls=tls)
    pool = Pool(opener, clock=clock, limit=settings.connections, patience_s=patience_s)
    forwarder = Forwarder(base_urls, pool, clock=clock, silence_s=settings.timeout)
    return ProxyParts(
        source=source,
        settings=settings,
        admission=Admission(directory, opaque, handouts, around.revoked_before),
        handouts=handouts,
        rules=PathRules(settings.secret_paths, settings.user_token_paths),
        pool=pool,
        forwarder=forwarder,
        healer=Healer(source, around.tasks),
        turnstile=Turnstile(clock=clock, at_once=settings.calls_at_once),
        memory=Allowance(settings.replay_memory),
        disk=Allowance(settings.replay_disk),
        tallies=ProxyTallies(
            METRICS_PREFIX,
            moves=lambda: forwarder.moves,
            connections=lambda: {"in_use": pool.in_use, "idle": pool.idle},
        ),
        around=around,
    )
