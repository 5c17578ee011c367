"""WeChat's menu calls for one account, through the token service; the AppSecret is never here.

What the answers mean is in normal_form. Nothing is repeated here; every call counts against the
account's daily quota before it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from menu_worker.normal_form import live_of, matched_buttons
from menu_worker.steps import AddConditional, CreateDefault, DeleteAll, DeleteConditional
from token_service.client import ServiceUnreachable
from zhongkong.wechat.errors import NormalAbsence, OutcomeUnknown, Transient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from menu_worker.menu import Button, Live
    from menu_worker.steps import Step

GET: Final = "/cgi-bin/menu/get"
SHOWN: Final = "/cgi-bin/get_current_selfmenu_info"
CREATE: Final = "/cgi-bin/menu/create"
DELETE: Final = "/cgi-bin/menu/delete"
ADD_CONDITIONAL: Final = "/cgi-bin/menu/addconditional"
DELETE_CONDITIONAL: Final = "/cgi-bin/menu/delconditional"
TRY_MATCH: Final = "/cgi-bin/menu/trymatch"

UNKNOWN_MENUID: Final = 65301
"""The conditional menu is gone already."""

CALL_S: Final = 15.0


class Caller(Protocol):
    """The one method of TokenClient that is used."""

    async def call(
        self,
        account: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = CALL_S,
    ) -> dict[str, Any]: ...


class WeChatMenus:
    """Reads and writes one account's menus. Raises what TokenClient.call raises, and QuotaSpent."""

    def __init__(
        self, caller: Caller, account: str, spend: Callable[[str], Awaitable[None]]
    ) -> None:
        """`spend(path)` counts a call, or raises when the day's share is used up."""
        self._caller = caller
        self.account = account
        self._spend = spend

    async def read(self, *, thorough: bool = False) -> Live:
        """What is live: one call, a second where the first finds nothing or with `thorough`."""
        try:
            got: dict[str, Any] | None = await self._call("GET", GET)
        except NormalAbsence:
            got = None
        shown = await self._call("GET", SHOWN) if got is None or thorough else None
        return live_of(got, shown)

    async def carry_out(self, step: Step) -> None:
        """Make one write. After an error for which `may_have_happened`, read before repeating."""
        match step:
            case CreateDefault():
                buttons = [button.document() for button in step.buttons]
                await self._call("POST", CREATE, {"button": buttons})
            case AddConditional():
                await self._call("POST", ADD_CONDITIONAL, step.conditional.document())
            case DeleteConditional():
                await self._call("POST", DELETE_CONDITIONAL, {"menuid": step.menuid})
            case DeleteAll():
                await self._call("GET", DELETE)

    async def seen_by(self, user: str) -> tuple[Button, ...]:
        """The menu that one user gets: `user` is an openid or a WeChat id that follows."""
        return matched_buttons(await self._call("POST", TRY_MATCH, {"user_id": user}))

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        await self._spend(path)
        return await self._caller.call(self.account, method, path, json=body, timeout_s=CALL_S)


def may_have_happened(error: Exception) -> bool:
    """Whether a write that ended so may have taken effect all the same."""
    if isinstance(error, Transient):
        return error.effect_unknown
    if isinstance(error, ServiceUnreachable):
        return error.may_have_arrived
    return isinstance(error, OutcomeUnknown)
