// Two sorts of windows: dialogs over the whole page, and sheets that slide up inside the phone.

import { button, el, iconButton } from "/phone/dom.js";
import { icon } from "/phone/icons.js";
import { t } from "/phone/words.js";

export function openDialog(title, content, { act, done } = {}) {
  const error = el("p", { class: "dialog-error", role: "alert" });
  const close = () => dialog.close();
  const confirm = async () => {
    error.textContent = "";
    try {
      await act();
      close();
    } catch (problem) {
      error.textContent = problem.message;
    }
  };
  const dialog = el("dialog", { class: "dialog", "aria-label": title },
    el("form", { method: "dialog", on: { submit: (event) => { event.preventDefault(); if (act) confirm(); } } },
      el("header", {}, el("h2", {}, title), iconButton(icon("close", 20), t("close"), close, { class: "plain" })),
      el("div", { class: "dialog-body" }, content),
      error,
      act && el("footer", {}, button(t("cancel"), close), el("button", { type: "submit", class: "primary" }, done ?? t("save")))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return close;
}

// `screen` is the phone's; the rest of it waits while the sheet is open.
export function openSheet(screen, title, content, { tall = false } = {}) {
  const before = document.activeElement;
  const behind = [...screen.children];
  const close = () => {
    shade.remove();
    for (const each of behind) each.inert = false;
    if (before?.isConnected) before.focus();
  };
  const sheet = el("div", { class: tall ? "sheet tall" : "sheet", role: "dialog", "aria-modal": "true", "aria-label": title },
    el("header", {}, iconButton(icon("close", 22), t("close"), close, { class: "plain" }), el("h2", {}, title), el("span", { class: "spacer" })),
    el("div", { class: "sheet-body" }, content(close)));
  const shade = el("div", { class: "shade", on: { click: (event) => { if (event.target === shade) close(); } } }, sheet);
  shade.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  for (const each of behind) each.inert = true;
  screen.append(shade);
  (sheet.querySelector("[data-first]") ?? sheet.querySelector("button")).focus();
  return close;
}
