// What a tester bends: how pushes go, WeChat's clock, tokens, the console's menu, the callback.

import { accountPath, call } from "/phone/api.js";
import { openConsoleMenu } from "/phone/console.js";
import { openDialog } from "/phone/dialogs.js";
import { button, choice, el, field } from "/phone/dom.js";
import { attempt, moveClock, on, readMenu, readTools, say, setCourse, state } from "/phone/session.js";
import { locale, t } from "/phone/words.js";

const PRESETS = {
  normal: {},
  impatient: { deadline_s: 1, cadence_s: 1 },
  overlap: { cadence_s: 1, keep_open_s: 10 },
  duplicate: { duplicates: 2, duplicate_after_s: 1 },
  identical: { signs_anew: false },
  late: { delay_s: 5 },
};
const NUMBERS = { deadline_s: "deadline", tries: "tryCount", cadence_s: "cadence", duplicates: "duplicates" };
const USUAL = { deadline_s: 5, tries: 3, cadence_s: 5, duplicates: 0 };
const ATTACKS = ["wrong_token", "unsigned", "wrong_key", "wrong_appid", "truncated_base64", "pad_0", "pad_33", "length_too_large", "not_utf8",
  "deep_nesting", "dtd", "external_entity", "billion_laughs", "envelope_dtd", "envelope_billion_laughs", "huge_body", "stale_timestamp",
  "downgrade", "altered_replay"];
const FAULTS = {
  busy: { kind: "errcode", path: "/cgi-bin/*", errcode: -1 },
  slow: { kind: "latency", path: "/cgi-bin/*", delay: { shape: "fixed", low_s: 3 } },
  cut: { kind: "disconnect", path: "/cgi-bin/*", when: "after" },
  quota: { kind: "errcode", path: "/cgi-bin/*", errcode: 45009 },
};

export function mountTools(box) {
  const parts = [courseCard, clockCard, consoleCard, callbackCard, tokenCard, faultCard, resetCard];
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
  on("tools", show(consoleCard, callbackCard, faultCard));
}

const title = (text, ...more) => el("h2", {}, text, ...more);
const hint = (text) => el("p", { class: "hint" }, text);
const pressed = (isOn) => ({ class: "chip-button", "aria-pressed": String(isOn) });

// ---------------------------------------------------------------------------- pushes

function courseCard() {
  const { course, courseOnce } = state;
  const bare = JSON.stringify(course);
  const presets = Object.entries(PRESETS).map(([name, preset]) => button(t(`preset.${name}`), () => setCourse(preset, courseOnce), pressed(JSON.stringify(preset) === bare)));
  const numbers = Object.entries(NUMBERS).map(([name, label]) => {
    const input = el("input", { type: "number", min: name === "duplicates" || name === "cadence_s" ? 0 : 1, max: 100, step: "any", value: course[name] ?? "", placeholder: `${USUAL[name]}`, on: { change: () => change(name, input.value === "" ? null : Number(input.value)) } });
    return field(t(label), input);
  });
  const once = el("input", { type: "checkbox", checked: courseOnce, on: { change: () => setCourse(course, once.checked) } });
  return [title(t("course")), hint(t("courseHint")), el("div", { class: "chips" }, presets), el("div", { class: "grid" }, numbers),
    field(t("attack"), choice([["", t("none")], ...ATTACKS.map((each) => [each, each])], course.attack ?? "", (value) => change("attack", value || null))),
    el("label", { class: "check" }, once, t("once"))];
}

function change(name, value) {
  const { [name]: _, ...others } = state.course;
  setCourse(value === null ? others : { ...others, [name]: value }, name === "attack" ? value !== null : state.courseOnce);
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

// ---------------------------------------------------------------------------- menu, callback

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

function callbackCard() {
  const callback = state.account.callback;
  if (!callback?.url) return [title(t("callback")), hint(t("noCallback")), el("div", { class: "chips" }, button(t("setCallback"), openCallback))];
  const passed = callback.verification?.passed;
  return [title(t("callback")), el("p", { class: "mono" }, callback.url),
    hint(`${t(`mode.${callback.mode}`)} · ${callback.format} · ${t(passed ? "verified" : "notVerified")}`),
    el("div", { class: "chips" }, button(t("edit"), openCallback), button(t("verifyAgain"), () => attempt(async () => {
      await call("POST", `${accountPath(state.account.appid)}/callback/verification`);
      await readTools();
      say(t("verified"));
    })))];
}

export function openCallback() {
  const before = state.account.callback ?? {};
  const url = el("input", { type: "url", required: true, value: before.url ?? "http://127.0.0.1:8082/callback/shop" });
  const token = el("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9]{3,32}" });
  const key = el("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: 43 });
  const verify = el("input", { type: "checkbox", checked: true });
  let mode = before.mode ?? "safe";
  let format = before.format ?? "xml";
  openDialog(t("callback"), [
    field("URL", url), field("Token", token), field("EncodingAESKey", key),
    field(t("mode"), choice(["safe", "compatible", "plaintext"].map((each) => [each, t(`mode.${each}`)]), mode, (value) => { mode = value; })),
    field(t("format"), choice([["xml", "XML"], ["json", "JSON"]], format, (value) => { format = value; })),
    el("label", { class: "check" }, verify, t("verify")),
  ], { act: async () => {
    await call("PUT", `${accountPath(state.account.appid)}/callback`, { url: url.value, token: token.value, aes_key: key.value || null, mode, format, verify: verify.checked });
    await readTools();
    say(t("callbackSaved"));
  } });
}

// ---------------------------------------------------------------------------- faults, reset

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
