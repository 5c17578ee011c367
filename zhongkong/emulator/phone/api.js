// The emulator's control calls. Nothing else is asked, and only this origin.

const ROOT = "/_emulator";

export class Refused extends Error {
  constructor(detail, status) {
    super(detail);
    this.status = status;
  }
}

export async function call(method, path, body = undefined, signal = undefined) {
  const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
  const response = await fetch(ROOT + path, { method, body: sent, signal, cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.detail ?? `HTTP ${response.status}`, response.status);
  return answer;
}

export const accountPath = (appid) => `/accounts/${encodeURIComponent(appid)}`;
export const userPath = (appid, openid) => `${accountPath(appid)}/users/${encodeURIComponent(openid)}`;
export const mediaAddress = (appid, mediaId) => `${ROOT}${accountPath(appid)}/media/${encodeURIComponent(mediaId)}`;

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

// Asks again and again until `signal` ends it. `ask` makes one long poll; `told(false)` says that
// the emulator doesn't answer, `told(true)` that it does again.
export async function follow(signal, ask, told) {
  let wait = 500;
  while (!signal.aborted) {
    try {
      await ask();
      told(true);
      wait = 500;
    } catch (error) {
      if (signal.aborted) return;
      told(error instanceof Refused);
      await pause(wait, signal).catch(() => {});
      wait = Math.min(wait * 2, 5000);
    }
  }
}
