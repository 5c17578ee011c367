// What the page knows, and who is told when it changes. Nothing is asked or decided here.

export const state = {
  accounts: [],
  account: null,
  users: [],
  user: null,
  entries: [],
  menu: { button: [], origin: "none", outdated: false },
  inChat: true,
  exchanges: new Map(),
  course: {},
  courseOnce: false,
  clock: { now: 0, offset_s: 0, frozen: false, seenAt: 0 },
  consoleState: null,
  faults: [],
  online: true,
  trouble: null,
};

export const HELD = 300;

const listeners = new Map();

export function on(topics, act) {
  for (const topic of topics.split(" ")) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(act);
  }
}

export function tell(...topics) {
  const acts = new Set(topics.flatMap((topic) => [...(listeners.get(topic) ?? [])]));
  for (const act of acts) act();
}

export function say(text, isBad = false) {
  for (const act of listeners.get("say") ?? []) act(text, isBad);
}

export function online(isOnline) {
  if (state.online === isOnline) return;
  state.online = isOnline;
  tell("online");
}

// Carries out what a person asked for; a refusal is said, not thrown.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}
