/** The first page: who reads. */

import * as api from "./api.js";
import { h, fill } from "./dom.js";
import { t } from "./texts.js";

/**
 * Ask for a name and password until somebody is known.
 *
 * @param {HTMLElement} root
 * @param {string} told why one is asked, such as that the session ended.
 * @returns {Promise<Session>}
 */
export function askWho(root, told = "") {
  return new Promise((known) => {
    const name = h("input", { name: "name", autocomplete: "username", required: true, maxlength: 64 });
    const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
    const button = h("button", { class: "main" }, t("login.enter"));
    const wrong = h("p", { class: "wrong", role: "alert" }, told);
    const enter = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        known(await api.login({ name: name.value, password: password.value }));
      } catch (problem) {
        fill(wrong, problem.reason);
        button.disabled = false;
        password.select();
      }
    };
    fill(root, h("div", { class: "login" }, h("form", { onsubmit: enter },
      h("h1", {}, h("img", { src: "icon.svg", alt: "", width: 32, height: 32 }), t("title")),
      h("p", { class: "quiet" }, t("login.how")), wrong,
      h("label", {}, h("span", {}, t("login.name")), name), h("label", {}, h("span", {}, t("login.password")), password),
      button, h("p", { class: "quiet small" }, t("research")))));
    name.focus();
  });
}
