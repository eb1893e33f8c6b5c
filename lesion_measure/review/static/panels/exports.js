/** What goes out of the reading room, and which command takes it from here. */

import { told } from "../announce.js";
import * as api from "../api.js";
import { h } from "../dom.js";
import { t } from "../texts.js";

const file = (name) => h("li", {}, h("a", { href: api.exportUrl(name), download: `${name}.csv` }, `${name}.csv`), h("p", { class: "quiet small" }, t(`exports.${name}`)));

function next(command) {
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    told(t("exports.copied"));
  };
  return h("section", { class: "notice" }, h("h3", {}, t("exports.next")), h("p", { class: "small" }, t("exports.next.how")),
    h("pre", { tabindex: 0 }, h("code", {}, command)),
    navigator.clipboard && h("div", { class: "actions" }, h("button", { type: "button", onclick: () => void copy() }, t("exports.copy"))));
}

/** @type {Panel} */
export const exports = {
  draw: ({ session }) => {
    if (session.blinded) return [h("p", { class: "notice" }, t("exports.blinded"))];
    return [h("ul", { class: "plain-list files" }, session.tables.map(file)), session.command && next(session.command)];
  },
};
