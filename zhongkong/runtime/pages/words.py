"""PURE: the pages' texts in English and Chinese, and which of the two somebody reads.

Here stand those that every page needs; a service brings a table of its own. What WeChat, a person
or a log said is shown as it was said.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Table = Mapping[str, tuple[str, str]]

LANGUAGES: Final = ("en", "zh")
TAGS: Final = {"en": "en", "zh": "zh-CN"}

COMMON: Final[Table] = {
    "skip": ("Skip to the content", "跳到正文"),
    "language": ("Language", "语言"),
    "live": ("Live", "实时"),
    "stale": (
        "No answer from the service; this is the last state known.",
        "服务没有应答，以下是最后已知的状态。",
    ),
    "log_in": ("Log in", "登录"),
    "log_out": ("Log out", "退出"),
    "logged_out": ("You are logged out.", "已退出。"),
    "admin_key": ("Admin key", "管理密钥"),
    "admin_key_hint": (
        "The key whose SHA-256 is `admin_key_sha256` in this service's configuration.",
        "即本服务配置中 `admin_key_sha256` 所对应的密钥。",
    ),
    "wrong_key": ("This is not the admin key.", "管理密钥不正确。"),
    "too_many_tries": (
        "Too many wrong keys. Try again in {seconds} s.",
        "错误次数过多，请在 {seconds} 秒后重试。",
    ),
    "no_key_configured": (
        "No `admin_key_sha256` is set: this machine may look, and nothing can be changed here.",
        "未设置 `admin_key_sha256`：仅本机可查看，且不能在此更改任何内容。",
    ),
    "by_bearer": (
        "Shown for an Authorization header. Log in to change something.",
        "凭 Authorization 头显示。如需更改，请登录。",
    ),
    "ready": ("Ready", "就绪"),
    "not_ready": ("Not ready", "未就绪"),
    "replica": ("Replica", "副本"),
    "as_of": ("As of", "截至"),
    "attention": ("Needs attention", "需要处理"),
    "all_well": ("Nothing needs attention.", "一切正常。"),
    "notices": ("Notices", "提示"),
    "config_refused": ("The configuration file was refused", "配置文件未被采用"),
    "secret_unreadable": ("A secret can't be used", "密钥无法使用"),
    "task_failing": ("A background task keeps failing", "后台任务反复失败"),
    "task_failing_do": ("The log has the traceback.", "日志中有完整的错误信息。"),
    "store_away": ("The store can't be reached", "存储无法访问"),
    "store": ("Store", "存储"),
    "reachable": ("Reachable", "可访问"),
    "unreachable": ("Unreachable", "不可访问"),
    "search": ("Filter by name", "按名称筛选"),
    "filter": ("Filter", "筛选"),
    "left_off": (
        "{count} more are not shown; filter by name, or read /v1/status.",
        "另有 {count} 个未显示；请按名称筛选，或查看 /v1/status。",
    ),
    "none": ("None", "无"),
    "never": ("never", "从未"),
    "unknown": ("unknown", "未知"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "of": ("of", "/"),
    "confirm": ("Yes, do it", "确认执行"),
    "back": ("Back", "返回"),
    "remedy": ("What to do", "处理方法"),
    "not_done": ("Not done: {why}", "未执行：{why}"),
    "problem.Not found": ("Not found", "未找到"),
    "problem.There is nothing at this path.": (
        "There is nothing at this path.",
        "此路径下没有内容。",
    ),
    "problem.Bad request": ("Bad request", "请求有误"),
    "problem.The form can't be read.": ("The form can't be read.", "表单无法读取。"),
    "problem.A field of the form came twice.": (
        "A field of the form came twice.",
        "表单中有重复的字段。",
    ),
    "problem.Not from our page": ("Not from our page", "并非来自本页面"),
    "problem.Forms are taken from these pages alone; programs use the API with the admin key.": (
        "Forms are taken from these pages alone; programs use the API with the admin key.",
        "表单只能从这些页面提交；程序请使用管理密钥调用接口。",
    ),
    "problem.Not this login's form": ("Not this login's form", "表单不属于本次登录"),
    "problem.Go back, load the page again, and send the form again.": (
        "Go back, load the page again, and send the form again.",
        "请返回并刷新页面，然后重新提交。",
    ),
    "ago": ("{span} ago", "{span}前"),
    "in": ("in {span}", "{span}后"),
    "overdue": ("now", "现在"),
    "span_d": ("{a} d {b} h", "{a} 天 {b} 小时"),
    "span_h": ("{a} h {b} min", "{a} 小时 {b} 分"),
    "span_m": ("{a} min {b} s", "{a} 分 {b} 秒"),
    "span_s": ("{a} s", "{a} 秒"),
}


class Words:
    """The texts in one language."""

    def __init__(self, language: str, table: Table) -> None:
        self.language = language
        self.tag = TAGS[language]
        self._place = LANGUAGES.index(language)
        self._table = ChainMap(dict(table), dict(COMMON))

    def __call__(self, key: str, **values: object) -> str:
        """The text of this key with the values in it."""
        text = self._table[key][self._place]
        return text.format(**values) if values else text

    def named(self, group: str, value: object) -> str:
        """What one of a group's values is called; a value without a name stands for itself."""
        both = self._table.get(f"{group}.{value}")
        return str(value).replace("_", " ") if both is None else both[self._place]

    def said(self, group: str, text: str) -> str:
        """A sentence of ours in this language; what somebody else said stays as it was said."""
        both = self._table.get(f"{group}.{text}")
        return text if both is None else both[self._place]

    def span(self, seconds: float) -> str:
        """A length of time in its two largest units."""
        whole = max(int(seconds), 0)
        if whole >= 86_400:
            return self("span_d", a=whole // 86_400, b=whole % 86_400 // 3600)
        if whole >= 3600:
            return self("span_h", a=whole // 3600, b=whole % 3600 // 60)
        if whole >= 60:
            return self("span_m", a=whole // 60, b=whole % 60)
        return self("span_s", a=whole)


def choose_language(asked: str | None, remembered: str | None, accept: str) -> str:
    """What was asked for now, else before, else what the browser prefers; English otherwise."""
    for each in (asked, remembered):
        if each in LANGUAGES:
            return each
    best, best_weight = LANGUAGES[0], 0.0
    for part in accept[:256].split(","):
        name, _, rest = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        weight = _weight(rest)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    """Of one language in Accept-Language: from 0 to 1."""
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
