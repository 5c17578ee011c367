// What every card of the tools is made of.

import { el } from "/phone/dom.js";

export const title = (text, ...more) => el("h2", {}, text, ...more);
export const hint = (text) => el("p", { class: "hint" }, text);
export const pressed = (isOn) => ({ class: "chip-button", "aria-pressed": String(isOn) });
