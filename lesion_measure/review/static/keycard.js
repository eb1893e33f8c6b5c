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

/** Show every key of the page, by where it works. */
export function showKeys() {
  const scopes = [...new Set(KEYS.map((key) => key.scope))];
  return open(t("keys.title"), () => [h("div", { class: "key-parts" }, scopes.map(part))], { wide: true });
}
