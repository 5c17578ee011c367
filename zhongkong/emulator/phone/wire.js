// What went over the wire, live: one card a push, its tries inside, newest on top.

import { openCallback } from "/phone/callback.js";
import { button, el } from "/phone/dom.js";
import { tryElement } from "/phone/exchange.js";
import { on, state } from "/phone/state.js";
import { clearTraffic } from "/phone/traffic.js";
import { t } from "/phone/words.js";

export function mountWire(box) {
  const cards = new Map();
  const list = el("div", { class: "cards" });
  const head = el("div", { class: "wire-head" });
  let onlyUser = false;
  box.append(head, list);

  function rebuild() {
    const check = el("input", { type: "checkbox", checked: onlyUser, on: { change: () => { onlyUser = check.checked; cards.clear(); list.replaceChildren(); show(); } } });
    const bent = Object.keys(state.course).length > 0;
    head.replaceChildren(...[
      el("span", { class: "live" }, el("i"), t("live")),
      bent && el("span", { class: "chip warn" }, t("courseOn")),
      el("span", { class: "spacer" }),
      el("label", { class: "check" }, check, t("onlyUser")),
      button(t("clear"), clearTraffic),
    ].filter(Boolean));
    cards.clear();
    list.replaceChildren();
    show();
  }

  function show() {
    const pushes = new Map();
    for (const each of state.exchanges.values()) {
      if (each.appid !== state.account?.appid || (onlyUser && each.user !== state.user?.openid)) continue;
      if (!pushes.has(each.push)) pushes.set(each.push, []);
      pushes.get(each.push).push(each);
    }
    for (const [id, card] of cards) if (!pushes.has(id)) { card.element.remove(); cards.delete(id); }
    for (const [id, tries] of pushes) {
      tries.sort((a, b) => a.try - b.try);
      if (!cards.has(id)) {
        cards.set(id, pushCard());
        list.prepend(cards.get(id).element);
      }
      cards.get(id).update(tries);
    }
    const nothing = list.querySelector(".nothing");
    if (pushes.size) nothing?.remove();
    else if (!nothing) list.append(hint());
  }

  on("language course", rebuild);
  on("user account", () => { cards.clear(); list.replaceChildren(); show(); });
  on("wire", show);
  on("tools", () => { list.querySelector(".nothing")?.remove(); show(); });
  rebuild();
}

function hint() {
  if (state.account && !state.account.callback?.url) {
    return el("div", { class: "nothing" }, el("p", {}, t("noCallback")), button(t("setCallback"), openCallback, { class: "primary" }));
  }
  return el("p", { class: "nothing" }, t("noWire"));
}

function pushCard() {
  const summary = el("summary", {});
  const inside = el("div", { class: "tries" });
  const element = el("details", { class: "push-card" }, summary, inside);
  const drawn = new Map();

  function update(tries) {
    const first = tries[0];
    const last = tries.at(-1);
    element.dataset.outcome = last.outcome;
    summary.replaceChildren(...[
      el("i", { class: "dot" }),
      el("span", { class: "what" }, el("b", {}, first.identity.event ?? first.identity.msg_type), " ", el("span", {}, subject(first))),
      first.attack && el("span", { class: "chip bad" }, t(`attack.${first.attack}`)),
      el("span", { class: "chip outcome" }, t(`outcome.${last.outcome}`)),
      el("span", { class: "meta" }, [last.answer && t(`answer.${last.answer}`), tries.length === 1 ? t("oneTry") : t("tries", { n: tries.length }), took(tries), time(first.at)].filter(Boolean).join(" · ")),
    ].filter(Boolean));
    for (const each of tries) {
      const before = drawn.get(each.seq);
      if (before?.revision === each.revision) continue;
      const made = tryElement(each, before?.element);
      if (before) before.element.replaceWith(made);
      else inside.append(made);
      drawn.set(each.seq, { revision: each.revision, element: made });
    }
  }
  return { element, update };
}

function took(tries) {
  const seconds = tries.at(-1).took_s;
  if (seconds === null) return null;
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
}

function time(at) {
  return new Date(at * 1000).toLocaleTimeString("zh-CN");
}

// A few words of the message, for people.
function subject(exchange) {
  if (exchange.identity.event) return exchange.identity.event_key ?? "";
  const text = exchange.request.message.text;
  const found = /<Content><!\[CDATA\[([\s\S]*?)\]\]>/u.exec(text) ?? /"Content":"((?:[^"\\]|\\.)*)"/u.exec(text);
  return (found?.[1] ?? "").slice(0, 80);
}
