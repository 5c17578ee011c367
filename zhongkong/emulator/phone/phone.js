// The phone: its frame, the list of chats, and the chat with what fills it.

import { button, el, iconButton } from "/phone/dom.js";
import { accountAvatar, entryElement, personAvatar } from "/phone/bubbles.js";
import { enterChat, leaveChat } from "/phone/chat.js";
import { composer } from "/phone/composer.js";
import { openSheet } from "/phone/dialogs.js";
import { icon } from "/phone/icons.js";
import { openPeople } from "/phone/people.js";
import { setFollowing } from "/phone/pushes.js";
import { emulatedNow } from "/phone/readings.js";
import { chooseAccount } from "/phone/session.js";
import { attempt, on, state } from "/phone/state.js";
import { triesOf } from "/phone/traffic.js";
import { locale, t } from "/phone/words.js";

const GAP_S = 300;

export function mountPhone(box) {
  const clock = el("time", {});
  const screen = el("div", { class: "screen" });
  const content = el("div", { class: "place-box" });
  const log = el("div", { class: "log", role: "log", "aria-live": "polite", tabindex: 0 });
  screen.append(content);
  box.append(el("div", { class: "status-bar", "aria-hidden": "true" }, clock, el("i", { class: "island" }), el("span", { class: "signs" }, "5G", el("i", { class: "battery" }))), screen);

  const bottom = composer(screen);
  const drawn = new Map();
  let atEnd = true;

  function show() {
    box.setAttribute("aria-label", t("phone"));
    log.setAttribute("aria-label", t("messages"));
    for (const each of screen.querySelectorAll(".shade")) each.remove();
    content.inert = false;
    if (!state.account || !state.user) content.replaceChildren(el("div", { class: "nothing" }, state.trouble ?? t("offline")));
    else if (!state.inChat) content.replaceChildren(chatList());
    else showChat();
  }

  function showChat() {
    drawn.clear();
    log.replaceChildren();
    const head = el("header", { class: "chat-head" },
      iconButton(icon("back"), t("back"), leaveChat, { class: "plain" }),
      el("div", { class: "title" }, el("h1", {}, t(`kind.${state.account.kind}`)), el("small", {}, state.account.original_id)),
      iconButton(icon("person", 22), t("profile"), () => openProfile(screen), { class: "plain" }));
    bottom.rebuild();
    content.replaceChildren(...(state.user.following ? [head, log, bottom.element] : [head, log, followBar()]));
    atEnd = true;
    showEntries();
  }

  function showEntries() {
    if (!state.inChat || !state.user) return;
    const wanted = new Set(state.entries.map((each) => each.seq));
    for (const [seq, nodes] of drawn) {
      if (wanted.has(seq)) continue;
      nodes.forEach((node) => node.remove());
      drawn.delete(seq);
    }
    log.querySelector(".nothing")?.remove();
    if (!state.entries.length) log.append(el("p", { class: "nothing" }, t("empty")));
    let before = -Infinity;
    let isMine = false;
    for (const entry of state.entries) {
      if (!drawn.has(entry.seq)) {
        const nodes = [entryElement(screen, entry)];
        if (entry.at - before > GAP_S) nodes.unshift(el("p", { class: "time" }, moment(entry.at)));
        drawn.set(entry.seq, nodes);
        log.append(...nodes);
        isMine = entry.kind === "sent";
      }
      before = entry.at;
    }
    remarks();
    if (isMine) atEnd = true;
    stay();
  }

  // Whoever reads the newest goes on doing so, whatever grows; whoever reads further up isn't moved.
  function stay() {
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  // How often a message was delivered: a user never learns that, a developer wants to.
  function remarks() {
    for (const entry of state.entries) {
      if (entry.kind !== "sent" || !entry.push) continue;
      const text = deliveries(entry.push);
      const node = drawn.get(entry.seq)?.at(-1);
      if (!node) continue;
      let remark = node.querySelector(".deliveries");
      if (!text) { remark?.remove(); continue; }
      if (!remark) {
        remark = el("small", { class: "deliveries" });
        node.append(remark);
      }
      if (remark.textContent !== text) remark.textContent = text;
    }
  }

  function tick() {
    clock.textContent = new Date(emulatedNow() * 1000).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
  }

  function followBar() {
    return el("div", { class: "follow" }, accountAvatar(state.account), el("p", {}, t("followHint")),
      button(t("follow"), () => setFollowing(true), { class: "primary wide" }));
  }

  let following = null;
  on("account place language trouble", show);
  on("user", () => {
    const now = `${state.user?.openid} ${state.user?.following}`;
    if (now === following) return;
    following = now;
    show();
  });
  on("feed", () => {
    if (drawn.size > state.entries.length) { drawn.clear(); log.replaceChildren(); }
    showEntries();
  });
  on("wire", remarks);
  on("menu", () => bottom.rebuild());
  on("clock", tick);
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80; }, { passive: true });
  log.addEventListener("load", stay, { capture: true });
  new ResizeObserver(stay).observe(log);
  setInterval(tick, 1000);
  show();
}

function deliveries(push) {
  const tries = triesOf(push);
  if (tries.length < 2 && tries[0]?.outcome !== "failed") return "";
  const n = tries.length;
  const outcome = tries.at(-1).outcome;
  if (outcome === "under_way") return t("tryNow", { n });
  return t(outcome === "failed" ? "triesFailed" : "triesDone", { n });
}

function moment(at) {
  const date = new Date(at * 1000);
  const today = new Date(emulatedNow() * 1000).toDateString() === date.toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  return date.toLocaleString(locale(), today ? time : { month: "short", day: "numeric", ...time });
}

function chatList() {
  return el("div", { class: "chats" },
    el("header", { class: "chat-head" }, el("span", { class: "spacer" }), el("div", { class: "title" }, el("h1", {}, t("chats"))),
      iconButton(personAvatar(state.user), `${t("you")}: ${state.user.nickname}`, openPeople, { class: "plain" })),
    el("ul", {}, state.accounts.map((account) => el("li", {}, el("button", { type: "button", class: "chat-row", on: { click: async () => {
      if (account.appid !== state.account.appid) await attempt(() => chooseAccount(account.appid));
      else await enterChat();
    } } }, accountAvatar(account), el("span", {}, el("b", {}, t(`kind.${account.kind}`)), el("small", {}, `${account.original_id} · ${account.appid}`)))))));
}

function openProfile(screen) {
  openSheet(screen, t("profile"), (close) => [
    el("div", { class: "profile" }, accountAvatar(state.account), el("b", {}, t(`kind.${state.account.kind}`)),
      el("code", {}, state.account.original_id), el("code", {}, state.account.appid)),
    state.user.following
      ? button(t("unfollow"), () => { close(); setFollowing(false); }, { class: "danger wide" })
      : button(t("follow"), () => { close(); setFollowing(true); }, { class: "primary wide" }),
  ], { tall: true });
}
