/** The card that shows the keys. */

import { open } from "./dialog.js";
import { h } from "./dom.js";
import { KEYS, isHeard, shown } from "./keys.js";
import { t } from "./texts.js";

const MOST = 4;
const kbd = (key) => h("kbd", {}, shown(key));
/** Any of these keys; of a long row, as from 1 to 9, the first and the last. @param {string[]} keys */
const either = (keys) => (keys.length > MOST ? [kbd(keys[0]), " … ", kbd(keys.at(-1))] : keys.flatMap((key, place) => [place > 0 && " ", kbd(key)]));

/** The viewer's many keys in parts, by the action that each begins with. */
const PARTS = { select: "tools", accept: "drawing", lesion: "lesions", next_frame: "frames", fit: "looks" };

function section(title, rows) {
  return h("section", {}, h("h3", {}, title),
    h("dl", { class: "keys" }, rows.map((key) => h("div", {}, h("dt", {}, either(key.keys)), h("dd", {}, t(`keys.${key.scope}.${key.action}`))))));
}

function sections(scope) {
  const rows = KEYS.filter((key) => key.scope === scope);
  if (scope !== "viewer") return [section(t(`keys.${scope}`), rows)];
  const starts = rows.flatMap(({ action }, place) => (PARTS[action] ? [place] : []));
  return starts.map((start, at) => section(t(`keys.part.${PARTS[rows[start].action]}`), rows.slice(start, starts[at + 1])));
}

/** What mouse, pen and fingers do on a picture, beside the tool in hand. */
const POINTER = ["zoom", "move", "window", "frames", "ends", "carry", "pinch"];

function pointer() {
  return h("section", {}, h("h3", {}, t("keys.pointer")),
    h("dl", { class: "keys" }, POINTER.map((action) => h("div", {}, h("dt", {}, t(`keys.pointer.${action}.how`)), h("dd", {}, t(`keys.pointer.${action}`))))));
}

/** Show every key of the page, by where it works, and what the mouse does: first what works where one is. */
export function showKeys() {
  const scopes = [...new Set(KEYS.map((key) => key.scope))].reverse().sort((a, b) => Number(isHeard(b)) - Number(isHeard(a)));
  return open(t("keys.title"), () => [h("div", { class: "key-parts" }, pointer(), scopes.flatMap(sections))], { wide: true });
}
