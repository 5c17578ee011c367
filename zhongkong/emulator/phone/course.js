// The card for how pushes go from now on: their times, their repeats, attacks.

import { button, choice, el, field } from "/phone/dom.js";
import { setCourse } from "/phone/pushes.js";
import { state } from "/phone/state.js";
import { hint, pressed, title } from "/phone/tool_parts.js";
import { t } from "/phone/words.js";

const PRESETS = {
  normal: {},
  impatient: { deadline_s: 1, cadence_s: 1 },
  overlap: { cadence_s: 1, keep_open_s: 10 },
  duplicate: { duplicates: 2, duplicate_after_s: 1 },
  identical: { signs_anew: false },
  late: { delay_s: 5 },
};
const NUMBERS = { deadline_s: "deadline", tries: "tryCount", cadence_s: "cadence", duplicates: "duplicates" };
const USUAL = { deadline_s: 5, tries: 3, cadence_s: 5, duplicates: 0 };
const ATTACKS = ["wrong_token", "unsigned", "wrong_key", "wrong_appid", "truncated_base64", "pad_0", "pad_33", "length_too_large", "not_utf8",
  "deep_nesting", "dtd", "external_entity", "billion_laughs", "envelope_dtd", "envelope_billion_laughs", "huge_body", "stale_timestamp",
  "downgrade", "altered_replay"];

export function courseCard() {
  const { course, courseOnce } = state;
  const bare = JSON.stringify(course);
  const presets = Object.entries(PRESETS).map(([name, preset]) => button(t(`preset.${name}`), () => setCourse(preset, courseOnce), pressed(JSON.stringify(preset) === bare)));
  const numbers = Object.entries(NUMBERS).map(([name, label]) => {
    const input = el("input", { type: "number", min: name === "duplicates" || name === "cadence_s" ? 0 : 1, max: 100, step: "any", value: course[name] ?? "", placeholder: `${USUAL[name]}`, on: { change: () => change(name, input.value === "" ? null : Number(input.value)) } });
    return field(t(label), input);
  });
  const once = el("input", { type: "checkbox", checked: courseOnce, on: { change: () => setCourse(course, once.checked) } });
  return [title(t("course")), hint(t("courseHint")), el("div", { class: "chips" }, presets), el("div", { class: "grid" }, numbers),
    field(t("attack"), choice([["", t("none")], ...ATTACKS.map((each) => [each, t(`attack.${each}`)])], course.attack ?? "", (value) => change("attack", value || null))),
    el("label", { class: "check" }, once, t("once"))];
}

function change(name, value) {
  const { [name]: _, ...others } = state.course;
  setCourse(value === null ? others : { ...others, [name]: value }, name === "attack" ? value !== null : state.courseOnce);
}

// ---------------------------------------------------------------------------- clock, tokens
