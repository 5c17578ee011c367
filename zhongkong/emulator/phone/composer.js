// The lower edge of the chat: the account's menu, or a line to type in, and what else can be sent.

import { enterChat } from "/phone/chat.js";
import { button, el, iconButton, walkWithArrows } from "/phone/dom.js";
import { icon } from "/phone/icons.js";
import { push } from "/phone/pushes.js";
import { extra, openAlbum, openPlaces } from "/phone/sheets.js";
import { state } from "/phone/state.js";
import { locationMessage, sendPictures, tap } from "/phone/taps.js";
import { t } from "/phone/words.js";

const TOP_WIDTH = 4;
const SUB_WIDTH = 8;

// As the phone shows it: so many Chinese characters, or twice as many letters.
export function shortened(name, most) {
  let width = 0;
  let kept = "";
  for (const letter of name) {
    width += letter.codePointAt(0) < 0x300 ? 0.5 : 1;
    if (width > most) return `${kept}…`;
    kept += letter;
  }
  return kept;
}

export function composer(screen) {
  const element = el("div", { class: "composer" });
  let typing = false;
  let draft = "";
  let extras = false;
  let open = null;
  let openedFrom = null;

  function rebuild() {
    const hadFocus = element.contains(document.activeElement) && document.activeElement.tagName === "TEXTAREA";
    closePopup();
    const buttons = state.menu.button;
    const shows = buttons.length > 0 && !typing;
    element.replaceChildren(...[
      state.menu.outdated && outdatedHint(),
      el("div", { class: "input-bar" }, shows ? menuBar(buttons) : typingBar(buttons.length > 0)),
      !shows && extras && extraPanel(),
    ].filter(Boolean));
    if (hadFocus) element.querySelector("textarea")?.focus();
  }

  function toggle() {
    typing = !typing;
    extras = false;
    rebuild();
    (element.querySelector("textarea") ?? element.querySelector("button")).focus();
  }

  function menuBar(buttons) {
    const bar = el("div", { class: "menu-bar", role: "group", "aria-label": t("menu") }, buttons.map((each) => {
      const children = each.sub_button ?? [];
      const top = el("button", {
        type: "button", class: "top", title: each.name, "aria-label": each.name,
        "aria-haspopup": children.length ? "menu" : null, "aria-expanded": children.length ? "false" : null,
      }, children.length > 0 && icon("bars", 16), el("span", {}, shortened(each.name, TOP_WIDTH)));
      const cell = el("div", { class: "cell" }, top);
      top.addEventListener("click", () => {
        if (!children.length) { closePopup(); tap(screen, each); } else if (openedFrom === top) closePopup();
        else openPopup(cell, top, children);
      });
      return cell;
    }));
    walkWithArrows(bar);
    return [iconButton(icon("keyboard", 28), t("toKeyboard"), toggle, { class: "plain" }), bar];
  }

  function openPopup(cell, top, children) {
    closePopup();
    open = el("div", { class: "popup", role: "menu", "aria-label": top.title }, children.map((each) => el("button",
      { type: "button", role: "menuitem", title: each.name, "aria-label": each.name, on: { click: () => {
        closePopup();
        top.focus();
        tap(screen, each);
      } } }, shortened(each.name, SUB_WIDTH))));
    walkWithArrows(open);
    openedFrom = top;
    top.setAttribute("aria-expanded", "true");
    cell.append(open);
    if (top.matches(":focus-visible")) open.querySelector("button").focus();
  }

  function closePopup() {
    openedFrom?.setAttribute("aria-expanded", "false");
    open?.remove();
    open = openedFrom = null;
  }

  function typingBar(hasMenu) {
    const area = el("textarea", { rows: 1, maxlength: 2048, placeholder: t("typing"), "aria-label": t("typing"), value: draft });
    const send = button(t("send"), submit, { class: "primary send" });
    const plus = iconButton(icon("plus", 28), t("extras"), () => { extras = !extras; rebuild(); }, { class: "plain", "aria-expanded": String(extras) });
    async function submit() {
      const text = area.value;
      if (!text.trim()) return;
      area.value = draft = "";
      grow();
      if (!await push({ text })) { area.value = draft = text; grow(); }
    }
    function grow() {
      draft = area.value;
      area.style.height = "auto";
      area.style.height = `${Math.min(area.scrollHeight, 110)}px`;
      const filled = Boolean(area.value.trim());
      send.hidden = !filled;
      plus.hidden = filled;
    }
    area.addEventListener("input", grow);
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    });
    queueMicrotask(grow);
    return [hasMenu && iconButton(icon("menu", 28), t("toMenu"), toggle, { class: "plain" }), area, plus, send].filter(Boolean);
  }

  function extraPanel() {
    return el("div", { class: "extras" },
      extra("image", t("album"), () => openAlbum(screen, {}, sendPictures)),
      extra("pin", t("location"), () => openPlaces(screen, (place) => push(locationMessage(place)))),
      extra("voice", t("voice"), () => push({ type: "voice" })),
      extra("play", t("video"), () => push({ type: "video" })),
      extra("link", t("link"), () => push({ type: "link" })));
  }

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (open) {
      const back = openedFrom;
      closePopup();
      back.focus();
    } else if (extras) {
      extras = false;
      rebuild();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (open && !open.contains(event.target) && !openedFrom.contains(event.target)) closePopup();
  });
  return { element, rebuild };
}

function outdatedHint() {
  return el("div", { class: "outdated" }, el("span", {}, t("outdated")), button(t("outdatedAct"), () => enterChat({ later: true })));
}
