"""The emulator's configuration file: what the world is like when it begins.

Every key may be left out. Accounts, parameters and faults are written as in the control calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.world import DEFAULT_ACCOUNT, Setup
from zhongkong.runtime.settings import SettingProblems, Settings, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRONMENT_PREFIX = "ZHONGKONG_EMULATOR"


class EmulatorSettings(Settings):
    """`seed` makes tokens and chance the same at each start; without it they differ."""

    accounts: tuple[EmulatedAccount, ...] = (DEFAULT_ACCOUNT,)
    parameters: Parameters = Parameters()
    faults: tuple[Fault, ...] = ()
    seed: int | None = None

    @model_validator(mode="after")
    def _appids_differ(self) -> Self:
        first: dict[str, int] = {}
        problems = []
        for number, account in enumerate(self.accounts):
            if account.appid in first:
                taken = f"is the appid of accounts[{first[account.appid]}] already"
                problems.append((("accounts", number, "appid"), taken))
            first.setdefault(account.appid, number)
        if problems:
            raise SettingProblems(problems)
        return self


def read_setup(path: Path | None, environ: Mapping[str, str]) -> Setup:
    """The world that a file describes, the default one without a file. Raises ConfigError."""
    if path is None:
        return Setup()
    settings = load(EmulatorSettings, path, environ, prefix=ENVIRONMENT_PREFIX).settings
    return Setup(
        accounts=settings.accounts,
        parameters=settings.parameters,
        faults=settings.faults,
        seed=settings.seed,
    )
