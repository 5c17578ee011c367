// Puts the page together.

import { mountBar } from "/phone/bar.js";
import { button, el } from "/phone/dom.js";
import { mountPhone } from "/phone/phone.js";
import { begin } from "/phone/session.js";
import { on, tell } from "/phone/state.js";
import { mountToasts } from "/phone/toasts.js";
import { mountTools } from "/phone/tools.js";
import { mountWire } from "/phone/wire.js";
import { t } from "/phone/words.js";

const WIDE = matchMedia("(min-width: 900px)");

const side = document.getElementById("side");
const tabs = el("div", { class: "tabs", role: "tablist" });
const wire = el("div", { class: "panel wire", role: "tabpanel", id: "wire-panel" });
const tools = el("div", { class: "panel tools", role: "tabpanel", id: "tools-panel" });
side.append(tabs, wire, tools);

// On a wide screen the phone always shows, and "phone" means the wire beside it.
function showView(name) {
  document.body.dataset.view = name;
  tell("view");
}

function showTabs() {
  const beside = document.body.dataset.view === "tools" ? "tools" : "wire";
  tabs.setAttribute("aria-label", t("wire"));
  const focused = tabs.contains(document.activeElement);
  tabs.replaceChildren(...["wire", "tools"].map((name) => button(t(name), () => showView(name), {
    role: "tab", "aria-selected": String(name === beside), "aria-controls": `${name}-panel`, tabindex: name === beside ? 0 : -1,
  })));
  if (focused) tabs.querySelector("[aria-selected=true]").focus();
  wire.hidden = beside !== "wire";
  tools.hidden = beside !== "tools";
}

tabs.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  showView(document.body.dataset.view === "tools" ? "wire" : "tools");
});
on("view language", showTabs);
WIDE.addEventListener("change", () => tell("view"));

mountToasts(document.getElementById("toasts"));
mountBar(document.getElementById("bar"), showView);
mountPhone(document.getElementById("phone"));
mountWire(wire);
mountTools(tools);
showTabs();
begin();
