/** The card that shows the keys. */

import { open } from "./dialog.js";
import { h } from "./dom.js";
import { KEYS, shown } from "./keys.js";
import { t } from "./texts.js";

const either = (keys) => keys.flatMap((key, place) => [place > 0 && " ", h("kbd", {}, shown(key))]);

function part(scope) {
  const rows = KEYS.filter((key) => key.scope === scope);
  return h("section", {}, h("h3", {}, t(`keys.${scope}`)),
    h("dl", { class: "keys" }, rows.map((key) => h("div", {}, h("dt", {}, either(key.keys)), h("dd", {}, t(`keys.${scope}.${key.action}`))))));
}

/** What mouse, pen and fingers do on a picture, beside the tool in hand. */
const POINTER = ["zoom", "move", "window", "frames", "ends", "carry", "pinch"];

function pointer() {
  return h("section", {}, h("h3", {}, t("keys.pointer")),
    h("dl", { class: "keys" }, POINTER.map((action) => h("div", {}, h("dt", {}, t(`keys.pointer.${action}.how`)), h("dd", {}, t(`keys.pointer.${action}`))))));
}

/** Show every key of the page, by where it works, and what the mouse does. */
export function showKeys() {
  const scopes = [...new Set(KEYS.map((key) => key.scope))];
  return open(t("keys.title"), () => [h("div", { class: "key-parts" }, pointer(), scopes.map(part))], { wide: true });
}
