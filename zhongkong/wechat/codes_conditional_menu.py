"""Rows about conditional menus, their rules and the trial match.

Each row: code, short errmsg, meaning, class letter, remedy. The door to them is `codes`.
"""

from __future__ import annotations

from typing import Final

_VALIDATE: Final = "`menu-worker validate` lists every violation with its place in the file."
_PLACE: Final = "Correct countries, provinces and cities of the rule. " + _VALIDATE

ROWS: Final[tuple[tuple[int, str, str, str, str], ...]] = (
    (
        65301,
        "",
        "There is no conditional menu with this menuid.",
        "N",
        "Nothing when deleting: it is gone already. Otherwise read the menuids with menu/get.",
    ),
    (
        65302,
        "",
        "There is no such user.",
        "C",
        "Send the openid or WeChat id of a user who follows this account.",
    ),
    (
        65303,
        "",
        "There is no default menu yet.",
        "C",
        "Create the default menu first, then the conditional ones.",
    ),
    (
        65304,
        "",
        "The rule of the conditional menu is empty.",
        "C",
        "Give `matchrule` at least one field that is not empty. " + _VALIDATE,
    ),
    (
        65305,
        "",
        "The account has as many conditional menus as it may have.",
        "Q",
        "Delete conditional menus that are no longer needed; no clock resets this limit.",
    ),
    (
        65306,
        "",
        "This type of account may not have conditional menus.",
        "O",
        "Have the account verified; conditional menus are for verified accounts.",
    ),
    (
        65307,
        "",
        "The conditional menu has no buttons.",
        "C",
        "Give it 1 to 3 top buttons. " + _VALIDATE,
    ),
    (
        65308,
        "",
        "A button of the conditional menu has neither type nor sub-buttons.",
        "C",
        "Give each button without sub-buttons a type. " + _VALIDATE,
    ),
    (
        65309,
        "",
        "Conditional menus are switched off for this account.",
        "O",
        "Switch them on in the WeChat console.",
    ),
    (65310, "", "The rule lacks the country.", "C", _PLACE),
    (65311, "", "The rule lacks the province.", "C", _PLACE),
    (65312, "", "The rule's country is unknown.", "C", _PLACE),
    (65313, "", "The rule's province is unknown.", "C", _PLACE),
    (65314, "", "The rule's city is unknown.", "C", _PLACE),
    (
        65315,
        "not fans",
        "The user does not follow the account.",
        "C",
        "Send the openid or WeChat id of a user who follows this account.",
    ),
    (
        65316,
        "",
        "The urls of all conditional menus together use more than 3 domains.",
        "C",
        "Bring the urls of all conditional menus down to 3 domains. " + _VALIDATE,
    ),
    (
        65317,
        "",
        "A url of the conditional menu is not acceptable.",
        "C",
        "Use complete http:// or https:// urls. " + _VALIDATE,
    ),
    (
        65318,
        "must use utf-8 charset",
        "The body is not UTF-8.",
        "C",
        "Send the body as raw UTF-8 JSON, without a byte order mark.",
    ),
    (
        65319,
        "not allow to create menu",
        "This account may not create menus.",
        "O",
        "See in the WeChat console whether the account is verified and its menu is enabled.",
    ),
    (
        65320,
        "",
        "The rule uses a field that was withdrawn for privacy: sex, region or language.",
        "C",
        "Remove the field from the rule; tags can take its place. " + _VALIDATE,
    ),
)
