// Short remarks at the lower edge, which go by themselves.

import { el } from "/phone/dom.js";
import { on } from "/phone/state.js";

const SHOWN_MS = 5000;

export function mountToasts(box) {
  on("say", (text, isBad) => {
    if (text === undefined) return;
    const toast = el("p", { class: isBad ? "toast bad" : "toast" }, text);
    box.append(toast);
    while (box.children.length > 3) box.firstChild.remove();
    setTimeout(() => toast.remove(), SHOWN_MS);
  });
}
