"""What a changed configuration file or secret does to the running service.

Accounts and clients are taken over at once. Other settings take a restart, and the status says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service import configured
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.settings import ConfigWatcher, at_next_start

if TYPE_CHECKING:
    from token_service.api import Api
    from token_service.revocations import Revocations
    from token_service.rotator import Rotator
    from token_service.settings import TokenServiceSettings
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.settings import ConfigError, Loaded, Secret

RELOADED: Final = frozenset({"accounts", "clients", "rotation", "budgets"})

log = get_logger()


class Reload:
    """Owns the watcher; `watcher.run` has to be run by somebody."""

    def __init__(
        self,
        loaded: Loaded[TokenServiceSettings],
        rotator: Rotator,
        api: Api,
        revocations: Revocations,
        clock: Clock,
    ) -> None:
        self._started_with = loaded.settings
        self._rotator = rotator
        self._api = api
        self._revocations = revocations
        self.notices: tuple[str, ...] = ()
        self.watcher = ConfigWatcher(
            loaded,
            clock,
            on_settings=self._take_over,
            on_secret=self._use_again,
            on_refused=self._refuse,
        )
        self._notice(loaded)

    def _take_over(self, fresh: Loaded[TokenServiceSettings]) -> None:
        self._rotator.reconfigure(configured.plans(fresh.settings))
        self._serve_clients_of(fresh)
        self._notice(fresh)
        log.info(
            "config_reloaded",
            accounts=len(fresh.settings.accounts),
            clients=len(fresh.settings.clients),
        )

    def refuse_revoked(self) -> None:
        """A client was revoked: its key is none of ours any more."""
        self._serve_clients_of(self.watcher.loaded)

    def _serve_clients_of(self, loaded: Loaded[TokenServiceSettings]) -> None:
        self._api.replace(configured.directory(loaded.settings, self._revocations.is_key_revoked))

    def _use_again(self, changed: list[Secret]) -> None:
        for account in self.watcher.loaded.settings.accounts:
            if account.secret in changed:
                log.info("secret_replaced", account=account.name)
                self._rotator.credential_changed(account.name)

    def _refuse(self, refusal: ConfigError) -> None:
        log.error(
            "config_refused",
            problems=[str(problem) for problem in refusal.problems],
            effect="the version before it stays in force",
        )

    def _notice(self, loaded: Loaded[TokenServiceSettings]) -> None:
        self.notices = (
            *loaded.unbuilt,
            *configured.warnings(loaded.settings),
            *at_next_start(self._started_with, loaded.settings, RELOADED),
        )
        for notice in self.notices:
            log.warning("config_notice", detail=notice)
