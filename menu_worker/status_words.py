"""PURE: the texts of the menu worker's pages, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.runtime.pages.words import Table

WORDS: Final[Table] = {
    "title": ("Menu worker", "菜单同步"),
    "menus": ("Menus", "菜单"),
    "in_sync": ("In sync", "一致"),
    "differs": ("Differs", "不一致"),
    "sync_unknown": ("Not known yet", "尚未确认"),
    "verified": ("Verified", "已验证"),
    "applied": ("Applied", "已写入"),
    "next_pass": ("Next pass", "下次检查"),
    "file": ("File", "文件"),
    "result": ("Last pass", "上次检查"),
    "drift": ("Drift", "漂移"),
    "changes": ("What an apply would change", "应用后将变更"),
    "more_changes": ("{count} more", "另有 {count} 处"),
    "paused": ("Paused by {by}", "已由 {by} 暂停"),
    "switched_off": ("The menu is switched off in WeChat's console", "菜单已在公众平台后台停用"),
    "contested": ("Somebody keeps changing the live menu", "线上菜单被反复更改"),
    "contested_do": (
        "Find out who edits it by hand or by another tool.",
        "请找出手动或用其他工具修改菜单的人。",
    ),
    "standing_down": ("Another worker decides this menu", "该菜单由其他实例负责"),
    "not_right": ("The live menu is not the desired one", "线上菜单与期望不一致"),
    "desired_refused": ("The desired file can't be used", "期望菜单文件无法使用"),
    "file_refused": ("A file was refused", "文件未被采用"),
    "file_unmatched": ("No file is there", "没有匹配的文件"),
    "unmatched_detail": (
        "{pattern}; the live menu is left as it is",
        "{pattern}；线上菜单保持不变",
    ),
    "quota": ("Calls left today (UTC+8)", "今日剩余调用（UTC+8）"),
    "quota_low": ("Few calls are left for today", "今日剩余调用不多"),
    "phones": ("On the phone: desired and live", "手机预览：期望与线上"),
    "history": ("History", "历史"),
    "revision": ("Revision", "版本"),
    "at": ("When", "时间"),
    "actor": ("By", "操作者"),
    "why": ("Why", "原因"),
    "outcome": ("Outcome", "结果"),
    "no_history": ("Nothing was written yet.", "尚无写入记录。"),
    "history_unknown": ("The store can't be asked now.", "目前无法查询存储。"),
    "rollback_hint": (
        "`menu-worker rollback REVISION` brings back what was live before a revision.",
        "`menu-worker rollback REVISION` 可恢复某版本写入之前的菜单。",
    ),
    "reconcile": ("Reconcile now", "立即检查"),
    "pause": ("Pause", "暂停"),
    "resume": ("Resume", "恢复"),
    "reconciled": ("{account}: {result}", "{account}：{result}"),
    "reconcile_pending": ("{account}: the pass is under way.", "{account}：检查进行中。"),
    "was_paused": ("{account} is paused: nothing is written.", "{account} 已暂停，不再写入。"),
    "was_resumed": ("{account} is written again.", "{account} 已恢复写入。"),
    "token_service": ("Token service", "令牌服务"),
    "process": ("Process", "进程"),
    "files_used": ("Desired menus", "期望菜单"),
    "reason.starting": ("starting", "正在启动"),
    "reason.draining": ("draining", "正在退出"),
    "reason.desired files can not be used": ("desired files can't be used", "期望菜单文件无法使用"),
    "reason.desired menus are not verified live yet": (
        "desired menus are not verified live yet",
        "期望菜单尚未在线上验证",
    ),
    "reason.another worker decides the menu": (
        "another worker decides the menu",
        "菜单由其他实例负责",
    ),
    "change.added": ("added", "新增"),
    "change.removed": ("removed", "删除"),
    "change.moved": ("moved", "移动"),
    "change.renamed": ("renamed", "改名"),
    "change.retargeted": ("retargeted", "改目标"),
    "change.retyped": ("retyped", "改类型"),
    "result.in_sync": ("the live menu is the desired one", "线上菜单与期望一致"),
    "result.applied": (
        "applied and verified as revision {revision}",
        "已写入并验证，版本 {revision}",
    ),
    "result.guarded": ("refused: {detail}", "已拒绝：{detail}"),
    "result.drifted": ("drifted ({source}), {correction}", "发生漂移（{source}），{correction}"),
    "result.stood_down": (
        (
            "stands down: {instance} took another menu up at {at}; change the file here, or "
            "`apply --force` it, to take this one up anew"
        ),
        (
            "已让位：{instance} 于 {at} 采用了另一份菜单；如需重新采用这一份，请修改此处的文件，"
            "或执行 `apply --force`"
        ),
    ),
    "result.paused": (
        "paused by {by}; `menu-worker resume` lets it be written again",
        "已由 {by} 暂停；执行 `menu-worker resume` 后恢复写入",
    ),
    "result.busy": ("another worker is writing at this moment", "另一个实例正在写入"),
    "result.failed": ("{detail}", "未完成：{detail}"),
    "result.unavailable": ("{detail}", "暂时无法进行：{detail}"),
    "result.untouched": ("nothing is written: {detail}", "未写入：{detail}"),
    "and_switched_off": (
        "{text}; but the menu is switched off in WeChat's console, so nobody sees it",
        "{text}；但菜单已在公众平台后台停用，没有人能看到",
    ),
    "and_restored": ("{text}; what was live is live again", "{text}；已恢复写入前的菜单"),
    "and_contested": (
        "{text}; somebody keeps changing it back: find out who, or pause the account",
        "{text}；有人在反复改回，请找出是谁，或暂停该账号",
    ),
    "correction.waits": (
        "corrected in {span} s at the earliest",
        "最早 {span} 秒后改回",
    ),
    "correction.none": ("reported only (`on_drift`)", "仅报告（`on_drift`）"),
    "source.console": ("edited in WeChat's web console", "在公众平台后台被编辑"),
    "source.ours": ("an earlier menu of ours is live", "线上是我们写入过的旧菜单"),
    "source.other_tool": ("changed by another tool", "被其他工具修改"),
    "source.deleted": ("deleted", "被删除"),
    "guard.too_much_removed": (
        (
            "{removed} of the {total} buttons last verified would be gone, more than `max_removed` "
            "({allowed}); `apply --force` lets it pass"
        ),
        (
            "上次验证的 {total} 个按钮中将失去 {removed} 个，超过 `max_removed`（{allowed}）；"
            "确需如此请执行 `apply --force`"
        ),
    ),
    "guard.empty_desired": (
        "the desired menu is empty; set `allow_delete: true` if the live one is to be deleted",
        "期望菜单为空；如确需删除线上菜单，请设置 `allow_delete: true`",
    ),
    "problem.Unknown account": ("Unknown account", "账号不存在"),
    "problem.No desired menu is for this account.": (
        "No desired menu is for this account.",
        "没有该账号的期望菜单。",
    ),
    "problem.Store away": ("Store away", "存储不可用"),
    "problem.No desired menu": ("No desired menu", "没有期望菜单"),
    "problem.No file has one.": ("No file has one.", "没有文件提供该菜单。"),
    "problem.Live menu not read": ("Live menu not read", "未能读取线上菜单"),
    "problem.The store can't be reached; it may have been switched. Try again.": (
        "The store can't be reached; it may have been switched. Try again.",
        "存储无法访问；可能已切换。请重试。",
    ),
    "why.started": ("started", "启动"),
    "why.changed": ("changed", "文件有改动"),
    "why.interval": ("interval", "定期检查"),
    "why.requested": ("requested", "有人要求"),
    "why.drift": ("drift", "纠正漂移"),
    "actor.run": ("run", "服务自身"),
    "actor_by": ("{command} by {person}", "{person} 执行 {command}"),
    "outcome.started": ("not heard of again", "没有下文"),
    "outcome.verified": ("verified", "已验证"),
    "outcome.failed": ("failed", "失败"),
    "outcome.rolled_back": ("rolled back", "已回滚"),
}
