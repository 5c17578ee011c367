"""Rows about custom menus; those of conditional menus alone are in `codes_conditional_menu`.

Each row: code, short errmsg, meaning, class letter, remedy. The door to them is `codes`.
"""

from __future__ import annotations

from typing import Final

_VALIDATE: Final = "`menu-worker validate` lists every violation with its place in the file."
_MATERIAL: Final = "Use the id of permanent material of this account, of a type menus accept."
_LEGACY: Final = "Send the menu in today's form. " + _VALIDATE

ROWS: Final[tuple[tuple[int, str, str, str, str], ...]] = (
    (40015, "invalid menu type", "A code of an older menu interface.", "C", _LEGACY),
    (
        40016,
        "invalid button size",
        (
            "The menu has not 1 to 3 top buttons, or `button` was not found in the body: wrapped"
            " in `menu` or `selfmenu_info`, cut off, form-encoded, with a byte order mark, or not"
            " UTF-8."
        ),
        "C",
        "Send raw UTF-8 JSON with `button` at the top level, holding 1 to 3 entries. " + _VALIDATE,
    ),
    (
        40017,
        "invalid button type",
        "A top button's type is unknown.",
        "C",
        "Use one of the documented types. " + _VALIDATE,
    ),
    (
        40018,
        "invalid button name size",
        "A top button's name is empty or longer than 16 bytes of UTF-8.",
        "C",
        "Shorten the name: 5 Chinese characters fit, 4 are shown. " + _VALIDATE,
    ),
    (
        40019,
        "invalid button key size",
        "A top button's key is missing, empty or longer than 128 bytes.",
        "C",
        "Give the button a key of 1 to 128 bytes; `click` needs `key`, not `url`. " + _VALIDATE,
    ),
    (
        40020,
        "invalid button url size",
        "A top button's url is missing or longer than 1024 bytes.",
        "C",
        "Give the button a url of 1 to 1024 bytes. " + _VALIDATE,
    ),
    (40021, "invalid menu version", "A code of an older menu interface.", "C", _LEGACY),
    (
        40022,
        "invalid sub button level",
        "The menu is nested deeper than two levels.",
        "C",
        "Keep to top buttons and their sub-buttons. " + _VALIDATE,
    ),
    (
        40023,
        "invalid sub button size",
        "A top button has not 1 to 5 sub-buttons.",
        "C",
        "Keep 1 to 5 sub-buttons under each top button. " + _VALIDATE,
    ),
    (
        40024,
        "invalid sub button type",
        "A sub-button's type is unknown.",
        "C",
        "Use one of the documented types. " + _VALIDATE,
    ),
    (
        40025,
        "invalid sub button name size",
        "A sub-button's name is empty or longer than 60 bytes of UTF-8.",
        "C",
        "Shorten the name: 20 Chinese characters fit. " + _VALIDATE,
    ),
    (
        40026,
        "invalid sub button key size",
        "A sub-button's key is missing, empty or longer than 128 bytes.",
        "C",
        "Give the sub-button a key of 1 to 128 bytes. " + _VALIDATE,
    ),
    (
        40027,
        "invalid sub button url size",
        "A sub-button's url is missing or longer than 1024 bytes.",
        "C",
        "Give the sub-button a url of 1 to 1024 bytes; `view` needs `url`. " + _VALIDATE,
    ),
    (40028, "invalid menu api user", "A code of an older menu interface.", "C", _LEGACY),
    (
        40039,
        "invalid url size",
        "A url is too long.",
        "C",
        "Shorten the url to 1024 bytes. " + _VALIDATE,
    ),
    (
        40054,
        "invalid sub button url domain",
        "The domain of a sub-button's url is not acceptable.",
        "C",
        "Use a complete http:// or https:// url with a domain open to this account.",
    ),
    (
        40055,
        "invalid button url domain",
        "The domain of a top button's url is not acceptable.",
        "C",
        "Use a complete http:// or https:// url with a domain open to this account.",
    ),
    (40118, "invalid media_id size", "The length of a media_id is wrong.", "C", _MATERIAL),
    (
        40119,
        "invalid use button type",
        "This account may not use the type of a top button.",
        "C",
        "Use a type that this kind of account may use, or have the account verified.",
    ),
    (
        40120,
        "invalid use sub button type",
        "This account may not use the type of a sub-button.",
        "C",
        "Use a type that this kind of account may use, or have the account verified.",
    ),
    (40121, "invalid media_id type", "Menus do not accept this type of material.", "C", _MATERIAL),
    (
        40132,
        "invalid username",
        "The WeChat id given to trymatch is malformed.",
        "C",
        "Send an openid or a WeChat id as user_id.",
    ),
    (
        40155,
        "",
        "A button links to another account's home page.",
        "C",
        "Remove the link to the other account's home page.",
    ),
    (
        40165,
        "invalid weapp pagepath",
        "The mini-program has no such page.",
        "C",
        "Use a pagepath of the published mini-program.",
    ),
    (
        40166,
        "invalid weapp appid",
        "The mini-program's appid is wrong.",
        "C",
        "Copy the appid of the mini-program from its console.",
    ),
    (
        45010,
        "",
        "Too many menus were created.",
        "C",
        "Delete menus that are no longer needed before creating another.",
    ),
    (
        45048,
        "menu use invalid type",
        "A button's type cannot be used in this menu.",
        "C",
        "Use one of the documented types. " + _VALIDATE,
    ),
    (
        45064,
        "",
        "The mini-program is not linked to this account.",
        "O",
        "Link the mini-program to the account in the WeChat console, then apply the menu again.",
    ),
    (
        46002,
        "menu version no exist",
        "There is no such version of the menu.",
        "N",
        "Nothing: there is no such menu.",
    ),
    (
        46003,
        "menu no exist",
        "The account has no menu made through the API.",
        "N",
        "Nothing: the account has no such menu. One published in the WeChat console replaces it.",
    ),
)
