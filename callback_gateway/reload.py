"""What a changed configuration file or secret does to the running gateway.

Accounts, targets and routes are taken over at once and together; a version that can't be used is
refused and reported, and the one before it stays. Other settings take a restart, and the status
says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway import configured
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.settings import ConfigError, ConfigWatcher, at_next_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.rules import Rules
    from callback_gateway.settings import GatewaySettings
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.settings import Loaded, Secret

RELOADED: Final = frozenset({"accounts", "targets", "routes"})

log = get_logger()


class Reload:
    """Owns the watcher; `watcher.run` has to be run by somebody.

    `rules` is changed in place; `on_change` is called after each change.
    """

    def __init__(
        self,
        loaded: Loaded[GatewaySettings],
        rules: Rules,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._started_with = loaded.settings
        self._rules = rules
        self._on_change = on_change
        self._bad_secrets: tuple[str, ...] = ()
        self.notices: tuple[str, ...] = ()
        self.watcher = ConfigWatcher(
            loaded,
            clock,
            on_settings=self._take_over,
            on_secret=self._use_again,
            on_refused=self._refuse,
        )
        self._notice(loaded)

    @property
    def bad_secrets(self) -> tuple[str, ...]:
        """Secrets that can't be read, or not be used; those before them are in force."""
        return (*self.watcher.unreadable_secrets, *self._bad_secrets)

    def _take_over(self, fresh: Loaded[GatewaySettings]) -> None:
        """Raises ConfigError, which refuses this version."""
        self._put_in_force(configured.rules(fresh))
        self._bad_secrets = ()
        self._notice(fresh)
        log.info(
            "config_reloaded",
            accounts=len(fresh.settings.accounts),
            targets=len(fresh.settings.targets),
            routes=len(fresh.settings.routes),
        )

    def _use_again(self, changed: list[Secret]) -> None:
        """Secrets have other values: make anew what they are for."""
        fresh, problems = configured.renewed(self.watcher.loaded, self._rules)
        self._put_in_force(fresh)
        self._bad_secrets = tuple(str(problem) for problem in problems)
        log.info("secrets_changed", sources=[" ".join(secret.source) for secret in changed])
        for problem in self._bad_secrets:
            log.error("secret_refused", problem=problem, effect="the value before stays in force")

    def _put_in_force(self, fresh: Rules) -> None:
        self._rules.replace(fresh)
        self._on_change()

    def _refuse(self, refusal: ConfigError) -> None:
        log.error(
            "config_refused",
            problems=[str(problem) for problem in refusal.problems],
            effect="the version before it stays in force",
        )

    def _notice(self, loaded: Loaded[GatewaySettings]) -> None:
        self.notices = (
            *loaded.unbuilt,
            *loaded.notices,
            *at_next_start(self._started_with, loaded.settings, RELOADED),
        )
        for notice in self.notices:
            log.warning("config_notice", detail=notice)
