"""Rows about credentials, addresses, quotas and the state of the account.

Each row: code, short errmsg, meaning, class letter, remedy. The door to them is `codes`.
"""

from __future__ import annotations

from typing import Final

_ALLOW_ADDRESS: Final = (
    "Add the address that errmsg names to the IP allowlist in the WeChat console (设置与开发,"
    " 基本配置). It is the egress address as WeChat saw it."
)
_APPROVE_ADDRESS: Final = (
    "Ask the account's administrator to approve the confirmation that WeChat sent to their phone,"
    " or add the address to the IP allowlist in the WeChat console."
)
_APPEAL: Final = (
    "Log in to the WeChat console, read the notice there, and settle or appeal it. Calls for this"
    " account are pointless until then."
)
_SUPPLY_TOKEN: Final = (
    "Let WeChat's token endpoint be called by the token service alone, and take the token from it."
)
_SUPPLY_CREDENTIALS: Final = "Send the parameter: the configuration or the calling code omits it."

ROWS: Final[tuple[tuple[int, str, str, str, str], ...]] = (
    (
        -1,
        "system error",
        (
            "The platform is busy. The call may have been carried out all the same. Unconfirmed:"
            " also the answer to a menu body that is not valid UTF-8."
        ),
        "R",
        (
            "Treat the outcome as unknown: repeat only what is safe to repeat, a few times, with"
            " growing waits. If it lasts, look for an outage notice of the platform."
        ),
    ),
    (
        40001,
        "invalid credential",
        "The token is wrong, dead, or no longer the latest one.",
        "T",
        "Refresh once, if the refused token is still the current one, and repeat the call once. If"
        " it keeps happening, another process mints tokens for this account. " + _SUPPLY_TOKEN,
    ),
    (
        40002,
        "invalid grant_type",
        "This endpoint expects another grant_type.",
        "C",
        "Send grant_type=client_credential, without a trailing s.",
    ),
    (
        40013,
        "invalid appid",
        "The appid does not exist: wrong, in the wrong case, or with stray characters.",
        "O",
        (
            "Copy the appid from the WeChat console anew; it is case-sensitive. For clear_quota it"
            " has to be the appid that the token belongs to."
        ),
    ),
    (
        40014,
        "invalid access_token",
        "The token is malformed or belongs to another account.",
        "T",
        (
            "Refresh once, if the refused token is still the current one, and repeat the call"
            " once. If it stays, check that the token is sent unaltered and for the right account."
        ),
    ),
    (
        40125,
        "invalid appsecret",
        "The AppSecret is wrong or was reset.",
        "O",
        (
            "Copy the AppSecret from the WeChat console, or reset it there, and replace the"
            " configured secret. A changed secret file is taken up without a restart."
        ),
    ),
    (
        40164,
        "invalid ip, not in whitelist",
        "The address that the call came from is not on the account's IP allowlist.",
        "O",
        _ALLOW_ADDRESS,
    ),
    (
        45035,
        "access clientip is not registered",
        "The address that the call came from is not registered with the account.",
        "O",
        _ALLOW_ADDRESS,
    ),
    (
        89501,
        "",
        "A confirmation of this address is waiting for the account's administrator.",
        "O",
        _APPROVE_ADDRESS + " The next try follows by itself after some minutes.",
    ),
    (
        89502,
        "",
        "Unconfirmed: this address waits for a confirmation.",
        "O",
        _APPROVE_ADDRESS,
    ),
    (
        89503,
        "",
        "This address needs the confirmation of the account's administrator.",
        "O",
        _APPROVE_ADDRESS,
    ),
    (
        89504,
        "",
        "Unconfirmed: this address waits for a confirmation; elsewhere a code of mass sending.",
        "O",
        (
            "From a token endpoint: a confirmation by the administrator is missing. From mass"
            " sending: have the administrator confirm the sending."
        ),
    ),
    (
        89505,
        "",
        "Unconfirmed: this address waits for a confirmation; elsewhere a code of mass sending.",
        "O",
        (
            "From a token endpoint: a confirmation by the administrator is missing. From mass"
            " sending: have the administrator confirm the sending."
        ),
    ),
    (
        89506,
        "",
        "The administrator refused this address twice within 24 hours; it is blocked for 24 hours.",
        "O",
        (
            "Agree with the account's administrator first, make no call from this address for 24"
            " hours, or add it to the IP allowlist in the WeChat console."
        ),
    ),
    (
        89507,
        "",
        "The administrator refused this address within the hour; it is blocked for one hour.",
        "O",
        (
            "Agree with the account's administrator first, make no call from this address for one"
            " hour, or add it to the IP allowlist in the WeChat console."
        ),
    ),
    (
        40243,
        "",
        "The AppSecret is frozen.",
        "O",
        (
            "Unfreeze the AppSecret in the WeChat console (设置与开发,"
            " 基本配置). It may have been frozen there for lack of use or on suspicion of a"
            " leak."
        ),
    ),
    (
        41001,
        "access_token missing",
        "The call carries no token, or an empty one.",
        "C",
        "Send the token in the query parameter access_token. A new token does not help.",
    ),
    (41002, "appid missing", "The call carries no appid.", "C", _SUPPLY_CREDENTIALS),
    (41004, "appsecret missing", "The call carries no AppSecret.", "C", _SUPPLY_CREDENTIALS),
    (
        42001,
        "access_token expired",
        "The token's life has ended.",
        "T",
        (
            "Refresh once, if the refused token is still the current one, and repeat the call"
            " once. If it keeps happening, compare this machine's clock with the real time."
        ),
    ),
    (
        45009,
        "reach max api daily quota limit",
        "The daily quota of this interface is used up.",
        "Q",
        (
            "Find who spends the quota: POST /cgi-bin/openapi/quota/get shows the figures. Wait"
            " for midnight UTC+8, or reset all counters with /cgi-bin/clear_quota/v2 (10 times a"
            " month)."
        ),
    ),
    (
        45011,
        "api minute-quota reach limit",
        "Too many calls of this interface within a minute; this one was not carried out.",
        "R",
        "Wait at least a minute before the next call, and spread calls out.",
    ),
    (
        48001,
        "api unauthorized",
        "This type of account may not use the interface.",
        "O",
        (
            "See the list of interfaces in the WeChat console. Most often the account has to be"
            " verified, or to be a service account."
        ),
    ),
    (
        48004,
        "api forbidden for irregularities",
        "The interface was banned for this account.",
        "O",
        _APPEAL,
    ),
    (
        48006,
        "forbid to clear quota because of reaching the limit",
        "The 10 quota resets of this month are used up; the console's button counts too.",
        "Q",
        "Wait for the daily reset at midnight UTC+8; quota resets are possible again next month.",
    ),
    (
        48008,
        "",
        "The account has no permission for this type of message.",
        "O",
        (
            "See in the WeChat console whether the permission can be applied for, or send another"
            " type of message."
        ),
    ),
    (
        48017,
        "",
        "The request reached a retired access address of the platform.",
        "O",
        (
            "Use host names in wechat.base_urls, never fixed addresses, and remove pinned"
            " addresses from hosts files, proxies and firewalls."
        ),
    ),
    (50002, "user limited", "The account is frozen, cancelled or migrated.", "O", _APPEAL),
    (50004, "", "The account is barred from the token interface as a penalty.", "O", _APPEAL),
    (50007, "", "Unconfirmed: the account is frozen.", "O", _APPEAL),
)
