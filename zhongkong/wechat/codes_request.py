"""Rows about single requests: parameters, media, users, web authorisation, the quota tools.

Each row: code, short errmsg, meaning, class letter, remedy. The door to them is `codes`.
"""

from __future__ import annotations

from typing import Final

_PARAMETER: Final = "Correct the parameter after the page of this endpoint in the documentation."
_SUPPLY: Final = "Send the missing parameter; the page of this endpoint lists what is required."
_FILL: Final = "Send content: it is missing or empty in the request."
_SHORTEN: Final = "Shorten it to the limit on the page of this endpoint and send it again."
_RAW_UTF8: Final = "Send the body as raw UTF-8 JSON, with non-ASCII characters written unescaped."
_LOG_IN_AGAIN: Final = (
    "Send the user through web authorisation again. This is not about the account's token."
)
_RID: Final = "Take the rid unaltered from an answer to this account of the last 7 days."
_CGI_PATH: Final = (
    "Send cgi_path as it is called, beginning with a slash and without host. /sns paths have no"
    " quota figures."
)
_NOTHING: Final = "Nothing can be done for this user; skip the message."

ROWS: Final[tuple[tuple[int, str, str, str, str], ...]] = (
    (
        40003,
        "invalid openid",
        "The user does not follow, or the openid belongs to another account.",
        "C",
        "Use the openid that this very account received, of a user who follows it.",
    ),
    (
        40007,
        "invalid media_id",
        "The material does not exist; menu buttons that name it are refused too.",
        "C",
        "Upload the material to this account and use the media_id that the upload returned.",
    ),
    (40029, "invalid code", "The code of web authorisation is wrong.", "C", _LOG_IN_AGAIN),
    (40030, "invalid refresh_token", "The user's refresh token is wrong.", "C", _LOG_IN_AGAIN),
    (
        40163,
        "code been used",
        "The code of web authorisation was used before.",
        "C",
        "Use each code once, and do not repeat that call. " + _LOG_IN_AGAIN,
    ),
    (
        40033,
        "invalid charset",
        r"The body contains \uXXXX escapes, which this endpoint does not accept.",
        "C",
        _RAW_UTF8,
    ),
    (40035, "invalid parameter", "A parameter is not acceptable.", "C", _PARAMETER),
    (40038, "invalid request format", "The form of the request is wrong.", "C", _PARAMETER),
    (40048, "invalid url", "A URL in the request is not acceptable.", "C", _PARAMETER),
    (
        40066,
        "invalid url",
        "The path of the API itself is misspelt.",
        "C",
        "Compare the path with the documentation, letter by letter.",
    ),
    (
        40201,
        "",
        "No callback URL is configured for the account.",
        "O",
        "Set the server URL in the WeChat console, then repeat the check.",
    ),
    (
        40202,
        "",
        "The action of the callback check is unknown.",
        "C",
        "Send action as dns, ping or all.",
    ),
    (
        40203,
        "",
        "The operator of the callback check is unknown.",
        "C",
        "Send check_operator as CHINANET, UNICOM, CAP or DEFAULT.",
    ),
    (41003, "refresh_token missing", "The call carries no refresh token.", "C", _SUPPLY),
    (41005, "media data missing", "The call carries no media data.", "C", _SUPPLY),
    (41006, "media_id missing", "The call carries no media_id.", "C", _SUPPLY),
    (41007, "sub_button missing", "The menu lacks its sub-buttons.", "C", _SUPPLY),
    (41008, "oauth code missing", "The call carries no authorisation code.", "C", _SUPPLY),
    (41009, "openid missing", "The call carries no openid.", "C", _SUPPLY),
    (41018, "component_appid missing", "The call carries no component_appid.", "C", _SUPPLY),
    (
        42002,
        "refresh_token expired",
        "The user's web-authorisation refresh token has expired.",
        "C",
        _LOG_IN_AGAIN,
    ),
    (42003, "oauth code expired", "The authorisation code has expired.", "C", _LOG_IN_AGAIN),
    (
        42007,
        "",
        "The user changed their password, which ended their web authorisation.",
        "U",
        _LOG_IN_AGAIN,
    ),
    (43001, "require GET method", "The endpoint wants GET.", "C", "Send the call with GET."),
    (43002, "require POST method", "The endpoint wants POST.", "C", "Send the call with POST."),
    (43003, "require https", "The endpoint wants HTTPS.", "C", "Use an https:// base URL."),
    (43004, "require subscribe", "The receiver does not follow the account.", "U", _NOTHING),
    (43019, "", "The receiver is on the account's blacklist.", "U", _NOTHING),
    (44001, "empty media data", "The media file is empty.", "C", _FILL),
    (44002, "empty post data", "The body of the request is empty.", "C", _FILL),
    (44003, "empty news", "The news message has no article.", "C", _FILL),
    (44004, "empty text", "The text message is empty.", "C", _FILL),
    (45001, "media size out of limit", "The media file is too large.", "C", _SHORTEN),
    (45002, "content size out of limit", "The content is too long.", "C", _SHORTEN),
    (45003, "title size out of limit", "The title is too long.", "C", _SHORTEN),
    (45004, "description size out of limit", "The description is too long.", "C", _SHORTEN),
    (45005, "url size out of limit", "The link is too long.", "C", _SHORTEN),
    (45006, "picurl size out of limit", "The link of the picture is too long.", "C", _SHORTEN),
    (45007, "playtime out of limit", "The voice message is too long.", "C", _SHORTEN),
    (45008, "article count out of limit", "There are too many articles.", "C", _SHORTEN),
    (
        45015,
        "response out of time limit",
        "The user's last interaction is too long ago for a message, or the user unfollowed.",
        "U",
        "Nothing can be sent to this user until they write, tap or follow again.",
    ),
    (
        45047,
        "out of response count limit",
        "The messages that the user's last interaction allows are used up.",
        "U",
        "Nothing can be sent to this user until they write, tap or follow again.",
    ),
    (
        46001,
        "media data no exist",
        "The media file does not exist, or is no longer kept.",
        "C",
        "Upload the material again and use the media_id that the upload returned.",
    ),
    (
        47001,
        "data format error",
        "The body is not valid JSON or XML, or a field is missing.",
        "C",
        "Send the body in the form that the endpoint's page shows. " + _RAW_UTF8,
    ),
    (
        47002,
        "do NOT use json unicode encode",
        r"The body contains \uXXXX escapes, which this endpoint does not accept.",
        "C",
        _RAW_UTF8,
    ),
    (47003, "argument invalid", "An argument of the template is wrong.", "C", _PARAMETER),
    (48002, "", "The user refuses messages of the account.", "U", _NOTHING),
    (
        48005,
        "",
        "The material is still used by the menu or an automatic reply.",
        "C",
        "Remove it from menu and automatic replies before deleting it.",
    ),
    (50001, "", "The user has not authorised this interface.", "U", _LOG_IN_AGAIN),
    (50005, "", "The user does not follow the account.", "U", _NOTHING),
    (76001, "", "The rid was not found, or is older than 7 days.", "C", _RID),
    (76002, "", "The rid is malformed.", "C", _RID),
    (
        76003,
        "",
        "The rid belongs to another account. Unconfirmed: the quota tools use it for a bad path.",
        "C",
        _RID,
    ),
    (76021, "", "The cgi_path does not exist.", "C", _CGI_PATH),
    (76022, "", "The cgi_path does not exist, or has no quota figures.", "C", _CGI_PATH),
)
