"""What nobody outside WeChat knows for certain, as one value.

Every rule of the platform that its documentation leaves open, or on which sources disagree, is a
field here; its default is the reading we hold likeliest. Limits that are certain are no fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from zhongkong.wechat.limits import (
    FORCED_REFRESH_INTERVAL_S,
    REAL,
    STABLE_RENEWAL_WINDOW_S,
    TICKET_LIFE_S,
    TOKEN_CAPACITY,
    TOKEN_LIFE_S,
    TOKEN_OVERLAP_S,
)

ForcedOldToken = Literal["overlap", "dies_at_once", "dies_at_second_forced"]
DeadTokenCode = Literal["cause", "mixed", "40001", "40014", "42001"]
RefusalForm = Literal["rid", "hint"]

MOST_GENERATIONS: Final = 16
MOST_TRIES: Final = 20
MOST_HELD: Final = 1_000_000
LONGEST_S: Final = 3600.0
"""Of a deadline or a cadence."""

CONTENT_TYPES: Final = ("application/json; encoding=utf-8", "text/plain", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Switches of the emulated platform. Durations are seconds, lifetimes whole seconds.

    lifetimes_s            each new token lives for one of these (a real one for at most 7200)
    overlap_s              how long the previous token outlives its replacement; 0 = dies at once
    generations            how many tokens of a family live together, the current one included;
                           one mint more drops the oldest at once
    handover_s             a normal stable call mints when no more than this is left
    forced_old_token       what a forced stable refresh does to the token it replaces:
                           `overlap` as at any mint; `dies_at_once`; `dies_at_second_forced`, where
                           one forced call leaves it the overlap and the next one ends it
    forced_interval_s      a forced call sooner than this after the last one refreshes nothing
    forced_too_soon        and answers as a normal call (`current`), or with 45009 or 45011
    forced_daily           forced refreshes a day
    forced_over_quota      one more is refused with 45009, or answered as a normal call (`current`)
    classic_accepts_post   POST /cgi-bin/token works; otherwise it is refused with 43001
    wrong_secret_code      40125, or 40001 as older pages say
    dead_token_code        what an ended token earns: by its cause (42001 ended by time, 40001
                           replaced or revoked), a random one of 40001/40014/42001, or always one
    unknown_token_code     what a well-formed token that was never issued earns (malformed: 40014)
    empty_token_code       what `access_token=` without a value earns
    errcode_as_text        refusals carry their errcode as a string, as was seen once
    secret_reset_kills     a reset of the secret ends the account's tokens
    tokens_lost_on_kill    after an early death a normal stable call mints; otherwise it goes on
                           giving the dead token until its time is over
    ticket_rotates         each getticket call gives a new ticket
    old_ticket_survives    a replaced ticket lives to its own end
    ticket_dies_with_token a ticket ends with the token that fetched it
    ticket_lifetime_s      life of a ticket
    ticket_handover_s      a getticket call makes the next ticket when no more than this is left
    reset_utc_offset_h     days and months of the counters begin at midnight of this UTC offset
    daily_limits           path → calls a day, in place of the account kind's own limit
    minute_limits          path → calls a minute, likewise
    quota_error            openapi/quota/get is wrong by up to this share (real: about 0.01)
    refusal_form           errmsg ends with ` rid: …` (today) or ` hint: […]` (until about 2020)
    content_types          each answer has one of these; None = no Content-Type at all
    token_prefix           the number before the underscore of a token; 0 = none, no underscore
    token_length           length of a token's text
    malformed_menu_code    what a menu body that is no JSON earns
    menu_not_utf8_code     what a menu body that isn't UTF-8 earns
    menu_delete_empty_code what menu/delete answers where there is no menu
    menu_delete_takes_console menu/delete takes a menu made in the web console away as well
    create_keeps_conditional  a new default menu leaves conditional menus alone
    create_opens_menu      menu/create switches a menu on that was switched off in the web console
    console_keeps_conditional  publishing in the web console leaves conditional menus alone
    conditional_at_most    one conditional menu more earns 65305
    conditional_rules_differ  a second conditional menu with the same rule earns 65305 as well
    withdrawn_rule_fields  rules with sex, region or language: 65320, or taken and never matching
    rule_values            numbers in the rules that menu/get shows are texts or numbers
    trymatch_shape         the answer's buttons stand in `menu.button` or in `button`
    retired_menu_types     button types that earn 40119 and 40120
    media_limits           media type → bytes, in place of the documented limit
    video_as_link          media/get of a video answers with a link; otherwise with its bytes
    message_credits        interaction → messages and seconds, in place of the known ones
    domain_ips             answer of get_api_domain_ip
    callback_ips           answer of getcallbackip; entries may be networks
    push_tries             deliveries of a callback in all, unless one is answered well
    push_deadline_s        of each, connecting included; of the URL verification too
    push_cadence_s         the next try comes so long after the sending of the one before
    push_error_retried     after a refused connection or an error status: at that `cadence`, or
                           `at_once`
    push_malformed_retried an answer that is nonsense is asked for again; otherwise it is final
    push_status_checked    a status other than 200 is a failure, whatever the body
    push_signs_anew        each try has its own nonce, timestamp and ciphertext
    push_keep_alive        connections are used again
    reply_text_bytes       of the text of a passive reply
    reply_surplus_articles more articles than allowed: the reply is `refused`, or `cut`
    reply_media_checked    a passive reply's media have to be known to the account
    pushes_held            pushes that are remembered, the newest
    callbacks_held         tries that are remembered, the newest
    refused_for_s          89507 lasts this long after an administrator's refusal
    refused_twice_for_s    89506 lasts this long after the second refusal within the same time
    """

    lifetimes_s: tuple[int, ...] = (TOKEN_LIFE_S,)
    overlap_s: float = TOKEN_OVERLAP_S
    generations: int = 2
    handover_s: float = STABLE_RENEWAL_WINDOW_S
    forced_old_token: ForcedOldToken = "dies_at_second_forced"
    forced_interval_s: float = FORCED_REFRESH_INTERVAL_S
    forced_too_soon: Literal["current", "45009", "45011"] = "current"
    forced_daily: int = REAL.forced_refresh
    forced_over_quota: Literal["45009", "current"] = "45009"
    classic_accepts_post: bool = False
    wrong_secret_code: Literal[40125, 40001] = 40125
    dead_token_code: DeadTokenCode = "cause"
    unknown_token_code: Literal[40001, 40014] = 40001
    empty_token_code: Literal[41001, 40014] = 41001
    errcode_as_text: bool = False
    secret_reset_kills: bool = False
    tokens_lost_on_kill: bool = True
    ticket_rotates: bool = False
    old_ticket_survives: bool = True
    ticket_dies_with_token: bool = False
    ticket_lifetime_s: int = TICKET_LIFE_S
    ticket_handover_s: float = 300
    reset_utc_offset_h: float = 8
    daily_limits: dict[str, int] = field(default_factory=dict)
    minute_limits: dict[str, int] = field(default_factory=dict)
    quota_error: float = 0
    refusal_form: RefusalForm = "rid"
    content_types: tuple[str | None, ...] = CONTENT_TYPES
    token_prefix: int = 92
    token_length: int = 136
    malformed_menu_code: Literal[47001, 40016] = 47001
    menu_not_utf8_code: Literal[65318, -1] = 65318
    menu_delete_empty_code: Literal[0, 46003] = 0
    menu_delete_takes_console: bool = True
    create_keeps_conditional: bool = True
    create_opens_menu: bool = False
    console_keeps_conditional: bool = False
    conditional_at_most: int = 50
    conditional_rules_differ: bool = False
    withdrawn_rule_fields: Literal["refused", "accepted"] = "refused"
    rule_values: Literal["text", "number"] = "text"
    trymatch_shape: Literal["menu", "button"] = "menu"
    retired_menu_types: tuple[str, ...] = ()
    media_limits: dict[str, int] = field(default_factory=dict)
    video_as_link: bool = True
    message_credits: dict[str, tuple[int, float]] = field(default_factory=dict)
    push_tries: int = 3
    push_deadline_s: float = 5
    push_cadence_s: float = 5
    push_error_retried: Literal["cadence", "at_once"] = "cadence"
    push_malformed_retried: bool = True
    push_status_checked: bool = True
    push_signs_anew: bool = True
    push_keep_alive: bool = True
    reply_text_bytes: int = 2048
    reply_surplus_articles: Literal["refused", "cut"] = "refused"
    reply_media_checked: bool = False
    pushes_held: int = 100_000
    callbacks_held: int = 100_000
    domain_ips: tuple[str, ...] = ("203.0.113.10", "203.0.113.11", "203.0.113.12")
    callback_ips: tuple[str, ...] = ("198.51.100.7", "198.51.100.64/26")
    refused_for_s: float = 3600
    refused_twice_for_s: float = 86400

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not self.lifetimes_s or min(self.lifetimes_s) < 1:
            raise ValueError("lifetimes_s needs at least one lifetime of 1 s or more")
        if not self.content_types:
            raise ValueError("content_types needs at least one entry; null means no header")
        if not 1 <= self.generations <= MOST_GENERATIONS:
            raise ValueError(
                f"generations counts the current token too: it is between 1 and {MOST_GENERATIONS}"
            )
        if not 32 <= self.token_length <= TOKEN_CAPACITY:
            raise ValueError(f"token_length is between 32 and {TOKEN_CAPACITY} characters")
        if not -14 <= self.reset_utc_offset_h <= 14:
            raise ValueError("reset_utc_offset_h is between -14 and 14 hours")
        for name in ("overlap_s", "handover_s", "forced_interval_s", "ticket_handover_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is a duration in seconds, 0 or more")
        self._check_pushes()

    def _check_pushes(self) -> None:
        if not 1 <= self.push_tries <= MOST_TRIES:
            raise ValueError(f"push_tries is between 1 and {MOST_TRIES}")
        if not 0 < self.push_deadline_s <= LONGEST_S or not 0 <= self.push_cadence_s <= LONGEST_S:
            raise ValueError(
                f"push_deadline_s and push_cadence_s are at most {LONGEST_S:.0f} seconds, "
                "the deadline above 0"
            )
        for name in ("pushes_held", "callbacks_held"):
            if not 1 <= getattr(self, name) <= MOST_HELD:
                raise ValueError(f"{name} is between 1 and {MOST_HELD}")
