"""Rows of the open platform, where a component calls on behalf of merchants.

Each row: code, short errmsg, meaning, class letter, remedy. The door to them is `codes`.
"""

from __future__ import annotations

from typing import Final

_COMPONENT: Final = "Correct the component's settings in the open platform's console."
_AUTHORISE: Final = "Have the merchant authorise the component again, with this permission ticked."
_PARAMETER: Final = "Correct the parameter after the page of this endpoint in the documentation."
_NEXT_PUSH: Final = (
    "Wait for the next push of the verify ticket, due every 10 minutes. If the last one is older"
    " than 30 minutes, check the authorisation-event URL, or call api_start_push_ticket."
)

ROWS: Final[tuple[tuple[int, str, str, str, str], ...]] = (
    (61000, "", "The type of the component is wrong.", "O", _COMPONENT),
    (61001, "", "The type does not match the appid.", "O", _COMPONENT),
    (61002, "", "The account has no customer service.", "O", _COMPONENT),
    (
        61003,
        "",
        "The merchant has not authorised this component, or has withdrawn the authorisation.",
        "O",
        "Mark the merchant as not authorised, and have the authorisation given again.",
    ),
    (
        61004,
        "",
        "The address that the call came from is not registered for the component.",
        "O",
        "Add the egress address to the component's IP list in the open platform's console.",
    ),
    (61005, "", "The verify ticket has expired.", "R", _NEXT_PUSH),
    (61006, "", "The verify ticket is invalid.", "R", _NEXT_PUSH),
    (
        61007,
        "",
        "The merchant has not granted this interface to the component.",
        "O",
        "Compare func_info of the merchant with what the call needs. " + _AUTHORISE,
    ),
    (61008, "", "A key is given twice.", "C", _PARAMETER),
    (
        61009,
        "",
        "The authorisation code is wrong.",
        "C",
        "Send the auth_code of the redirect or of the authorized event, unaltered and once.",
    ),
    (
        61010,
        "",
        "The authorisation code has expired.",
        "C",
        "Exchange the auth_code at once when it arrives; the merchant has to authorise again.",
    ),
    (61011, "", "The component is invalid.", "O", _COMPONENT),
    (61012, "", "The option's name is wrong.", "C", _PARAMETER),
    (61013, "", "The option's value is wrong.", "C", _PARAMETER),
    (
        61014,
        "",
        "This call needs the component's own token.",
        "C",
        "Send the component's token instead of a merchant's. Refreshing does not help.",
    ),
    (
        61015,
        "",
        "This call needs the merchant's token.",
        "C",
        (
            "Send the merchant's authorizer token instead of the component's. Refreshing does not"
            " help."
        ),
    ),
    (
        61016,
        "",
        "The permission category has to be confirmed first.",
        "O",
        "Confirm the category in the open platform's console and publish the component again.",
    ),
    (61017, "", "The permission category is not authorised.", "O", _AUTHORISE),
    (
        61023,
        "",
        "The refresh token is invalid; often an empty one was sent.",
        "O",
        (
            "Fetch the present refresh token from api_get_authorizer_list; if that fails, the"
            " merchant has to authorise again."
        ),
    ),
    (
        61024,
        "",
        "A component has to call its own token endpoint.",
        "C",
        (
            "Use /cgi-bin/component/api_component_token for a component; the endpoints for tokens"
            " of ordinary accounts refuse it."
        ),
    ),
    (61028, "", "The component is not published.", "O", _COMPONENT),
    (61029, "", "The component has to be published again.", "O", _COMPONENT),
)
