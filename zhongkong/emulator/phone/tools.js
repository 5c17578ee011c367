// What a tester bends: how pushes go, WeChat's clock, tokens, the console's menu, the callback, faults.

import { accountPath, call } from "/phone/api.js";
import { callbackCard } from "/phone/callback.js";
import { openConsoleMenu } from "/phone/console.js";
import { courseCard } from "/phone/course.js";
import { openDialog } from "/phone/dialogs.js";
import { button, el, field } from "/phone/dom.js";
import { moveClock, readMenu, readTools } from "/phone/readings.js";
import { attempt, on, say, state } from "/phone/state.js";
import { hint, pressed, title } from "/phone/tool_parts.js";
import { locale, t } from "/phone/words.js";

const FAULTS = {
  busy: { kind: "errcode", path: "/cgi-bin/*", errcode: -1 },
  slow: { kind: "latency", path: "/cgi-bin/*", delay: { shape: "fixed", low_s: 3 } },
  cut: { kind: "disconnect", path: "/cgi-bin/*", when: "after" },
  quota: { kind: "errcode", path: "/cgi-bin/*", errcode: 45009 },
};
const DELAYS_S = [0, 7, 12];

export function mountTools(box) {
  const parts = [courseCard, clockCard, consoleCard, callbackCard, tokenCard, handlerCard, faultCard, resetCard];
  const cards = parts.map(() => el("section", { class: "tool" }));
  box.append(...cards);
  const show = (...wanted) => () => {
    if (!state.account) return;
    for (const make of wanted.length ? wanted : parts) {
      const card = cards[parts.indexOf(make)];
      const place = [...card.querySelectorAll("button, input, select")].indexOf(document.activeElement);
      card.replaceChildren(...make().flat().filter(Boolean));
      if (place >= 0) card.querySelectorAll("button, input, select")[place]?.focus();
    }
  };
  on("account language", show());
  on("course", show(courseCard));
  on("clock", () => { if (!cards[1].contains(document.activeElement) || document.activeElement.tagName !== "INPUT") show(clockCard)(); });
  on("tools", show(consoleCard, callbackCard, handlerCard, faultCard));
}

// ---------------------------------------------------------------------------- clock, tokens

function clockCard() {
  const { now, offset_s: offset, frozen } = state.clock;
  const far = Math.abs(offset) < 1 ? t("clockReal") : t("clockOff", { n: duration(offset) });
  const input = el("input", { type: "number", step: 1, value: Math.round(offset), "aria-label": t("offset") });
  return [title(t("clock"), frozen && el("span", { class: "chip warn" }, t("frozen"))),
    hint(`${new Date(now * 1000).toLocaleString(locale())} · ${far}`),
    el("div", { class: "chips" },
      ...[["+5 min", 300], ["+2 h", 7200], ["+1 d", 86400], ["+3 d", 259200]].map(([label, seconds]) => button(label, () => moveClock({ advance_s: seconds }))),
      button(t(frozen ? "thaw" : "freeze"), () => moveClock({ frozen: !frozen })),
      button(t("backToReal"), () => moveClock({ frozen: false, offset_s: 0 }))),
    el("div", { class: "row" }, field(t("offset"), input), button(t("set"), () => moveClock({ offset_s: Number(input.value) || 0 })))];
}

function duration(seconds) {
  const sign = seconds < 0 ? "−" : "+";
  const whole = Math.abs(Math.round(seconds));
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let left = whole;
  const said = [];
  for (const [unit, name] of parts) {
    if (left >= unit) said.push(`${Math.floor(left / unit)} ${name}`);
    left %= unit;
  }
  return sign + said.slice(0, 2).join(" ");
}

function tokenCard() {
  const { appid } = state.account;
  const kill = (family) => attempt(async () => {
    const done = await call("POST", "/tokens/kill", { appid, family, which: "all" });
    say(t("killed", { n: done.killed.length }));
  });
  return [title(t("token")), hint(t("tokenHint")), el("div", { class: "chips" },
    button(t("killStable"), () => kill("stable")), button(t("killClassic"), () => kill("classic")),
    button(t("foreign"), () => attempt(async () => {
      await call("POST", "/foreign-refresh", { appid, kind: "stable_forced", spends: false });
      say(t("refreshed"));
    })))];
}

// ---------------------------------------------------------------------------- menu

function consoleCard() {
  const menu = state.consoleState;
  const path = `${accountPath(state.account.appid)}/console-menu`;
  const turn = (way) => attempt(async () => {
    await call("POST", `${path}/${way}`);
    await readTools();
    await readMenu(false);
  });
  return [title(t("consoleMenu"), menu && !menu.is_open && el("span", { class: "chip warn" }, t("off"))), hint(t("consoleHint")),
    el("p", {}, t("madeBy", { who: t(`by.${menu?.made_by ?? "none"}`) })),
    el("div", { class: "chips" }, button(t("edit"), openConsoleMenu),
      menu?.is_open ? button(t("switchOff"), () => turn("closing")) : button(t("switchOn"), () => turn("opening")))];
}

// ---------------------------------------------------------------------------- faults, reset

// Nothing where the account's handler can't be told to be slow.
function handlerCard() {
  const handler = state.account.slow_handler;
  if (!handler) return [];
  const choices = [...new Set([...DELAYS_S, handler.delay_s])].map((seconds) => button(
    seconds ? t("seconds", { n: seconds }) : t("preset.normal"),
    () => attempt(async () => {
      await call("PUT", `${accountPath(state.account.appid)}/handler-delay`, { delay_s: seconds });
      await readTools();
    }), pressed(seconds === handler.delay_s)));
  return [title(t("handler")), hint(t("handlerHint")), el("div", { class: "chips", role: "group", "aria-label": t("handler") }, choices)];
}

function faultCard() {
  const { appid } = state.account;
  const toggles = Object.entries(FAULTS).map(([name, fault]) => {
    const inForce = state.faults.find((each) => each.appid === appid && each.kind === fault.kind && each.path === fault.path && (fault.errcode === undefined || each.errcode === fault.errcode));
    return button(t(`fault.${name}`), () => attempt(async () => {
      if (inForce) await call("DELETE", `/faults/${encodeURIComponent(inForce.id)}`);
      else await call("POST", "/faults", { ...fault, appid });
      await readTools();
    }), pressed(Boolean(inForce)));
  });
  return [title(t("apiFaults")), hint(t("apiHint")), el("div", { class: "chips" }, toggles)];
}

function resetCard() {
  return [title(t("reset")), hint(t("resetHint")), el("div", { class: "chips" }, button(t("reset"), () => {
    openDialog(t("resetSure"), el("p", {}, t("resetHint")), { done: t("reset"), act: () => call("POST", "/reset", {}) });
  }, { class: "danger" }))];
}
