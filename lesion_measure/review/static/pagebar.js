/** The bar above every page: where one is, whether work is saved, language, light or dark, keys, who reads. */

import { savedBadge } from "./announce.js";
import { switchTheme } from "./appearance.js";
import { h } from "./dom.js";
import { keyOf } from "./keys.js";
import { showKeys } from "./keycard.js";
import { LANGUAGES, choose, language, t } from "./texts.js";

const leave = () => document.dispatchEvent(new CustomEvent("log-out"));

const languages = () => h("select", { "aria-label": t("bar.language"), title: t("bar.language"), onchange: (event) => choose(event.target.value) },
  Object.entries(LANGUAGES).map(([code, { name }]) => h("option", { value: code, lang: code, selected: code === language }, name)));

function reader(session) {
  const kind = [t(`role.${session.role}`), session.blinded && t("bar.blinded")].filter(Boolean).join(" · ");
  return h("span", { class: "reader" }, h("b", {}, session.reader), h("small", {}, kind));
}

/**
 * The children of the bar.
 *
 * @param {{session: Session|null, middle?: Node[]}} page session null: nobody is known yet.
 * @returns {Node[]}
 */
export function pageBar({ session, middle = [] }) {
  const icon = h("img", { src: "icon.svg", alt: "", width: 26, height: 26 });
  return [
    h("a", { class: "brand", href: "#/", "aria-label": t("bar.home") }, icon, h("span", {}, t("title"))),
    h("div", { class: "middle" }, middle),
    session && savedBadge(),
    languages(),
    h("button", { type: "button", class: "plain", "aria-label": t("bar.theme"), title: t("bar.theme"), onclick: switchTheme }, "◐"),
    h("button", { type: "button", class: "plain", "aria-label": t("bar.keys"), title: `${t("bar.keys")} (${keyOf("everywhere", "help")})`, onclick: () => void showKeys() }, "?"),
    session && reader(session),
    session && h("button", { type: "button", class: "plain", onclick: leave }, t("bar.leave")),
  ];
}
