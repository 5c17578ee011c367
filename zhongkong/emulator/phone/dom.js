// Makes elements. Texts become text nodes and nothing else, wherever they come from.

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "class") node.className = value;
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return node;
}

export function button(label, act, props = {}) {
  return el("button", { type: "button", ...props, on: { click: act } }, label);
}

// A button that shows an icon and tells its name to those who can't see it.
export function iconButton(icon, name, act, props = {}) {
  return el("button", { type: "button", "aria-label": name, title: name, ...props, on: { click: act } }, icon);
}

export function field(label, control, hint = null) {
  return el("label", { class: "field" }, el("span", { class: "field-name" }, label), control,
    hint && el("small", {}, hint));
}

export function choice(options, chosen, change) {
  const made = options.map(([value, label]) => el("option", { value, selected: value === chosen }, label));
  return el("select", { on: { change: (event) => change(event.target.value) } }, made);
}

// Leads from key to key inside a list of buttons.
export function walkWithArrows(box) {
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    // A list may stand inside another one: the inner one has done it.
    if (!step || event.defaultPrevented) return;
    const stops = [...box.querySelectorAll("button:not([disabled])")];
    const place = stops.indexOf(document.activeElement);
    if (place < 0) return;
    event.preventDefault();
    stops[(place + step + stops.length) % stops.length].focus();
  });
}

// Only web addresses lead anywhere; what else stands in a link is shown and no more.
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
