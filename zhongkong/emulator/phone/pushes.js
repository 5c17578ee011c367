// What the user does that the account is told of, and the course that it takes.

import { accountPath, call, userPath } from "/phone/api.js";
import { readMenu } from "/phone/readings.js";
import { changeUser } from "/phone/session.js";
import { attempt, say, state, tell } from "/phone/state.js";
import { newestExchange } from "/phone/traffic.js";
import { t } from "/phone/words.js";

export async function push(...wishes) {
  const made = wishes.map((wish) => ({ user: state.user.openid, ...wish, course: courseNow() }));
  const body = made.length === 1 ? made[0] : { pushes: made };
  const done = await attempt(() => call("POST", `${accountPath(state.account.appid)}/pushes`, body));
  if (done === undefined) return false;
  if (made.some((wish) => wish.course.attack)) say(t("attackSent"));
  if (state.courseOnce) setCourse({}, false);
  return true;
}

function courseNow() {
  const course = { ...state.course };
  if (course.attack === "altered_replay") course.replay_of = newestExchange()?.push ?? "p0";
  return course;
}

export function setCourse(course, once) {
  state.course = course;
  state.courseOnce = once;
  tell("course");
}

export async function setFollowing(following) {
  if (state.account.callback?.url) {
    await push({ event: following ? "subscribe" : "unsubscribe" });
    return;
  }
  await attempt(() => changeUser(state.user.openid, { following }));
  if (following) await attempt(() => readMenu(true));
}

export async function sendPicture(blob) {
  const path = `${userPath(state.account.appid, state.user.openid)}/pictures`;
  return call("POST", path, blob);
}
