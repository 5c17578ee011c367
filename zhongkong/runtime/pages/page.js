// Renews the content of the page every two seconds and changes only what is different, so that
// focus, selection and what somebody opened stay where they are.

const PAUSE_MS = 2000;
const TIMEOUT_MS = 10000;
const content = document.getElementById("content");
const beat = document.getElementById("beat");
const stale = document.getElementById("stale");

const fits = (old, fresh) =>
  old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id ?? "") === (fresh.id ?? "");

function alignAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function alignChildren(old, fresh) {
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let found = at;
    while (found && !fits(found, wanted)) found = found.nextSibling;
    const named = wanted.nodeType === Node.ELEMENT_NODE && wanted.id;
    if (found && (found === at || named)) {
      while (at !== found) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
      align(found, wanted);
      at = found.nextSibling;
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function align(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  alignAttributes(old, fresh);
  alignChildren(old, fresh);
}

async function renew() {
  const answer = await fetch(content.dataset.fragment + location.search, {
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  alignChildren(content, fresh.body);
}

async function turn() {
  const begun = performance.now();
  if (!document.hidden) {
    try {
      await renew();
      stale.hidden = true;
      beat.hidden = false;
    } catch {
      stale.hidden = false;
      beat.hidden = true;
    }
  }
  // A service that takes long to answer is asked less often.
  setTimeout(turn, Math.max(PAUSE_MS, 10 * (performance.now() - begun)));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) renew().catch(() => {});
});
setTimeout(turn, PAUSE_MS);
