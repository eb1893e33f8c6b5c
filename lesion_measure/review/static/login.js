/** Who reads: asked on the first page, and over what is open where a session has ended. */

import * as api from "./api.js";
import { open } from "./dialog.js";
import { h, fill } from "./dom.js";
import { t } from "./texts.js";

/** @type {function(string): void|null} takes a token into the form that is open. */
let taken = null;

/** Log in by a token that came with the address. False where no form is open. @param {string} token */
export function offer(token) {
  taken?.(token);
  return taken !== null;
}

/** The token in what somebody pasted: a whole address, or the token alone. @param {string} text */
const tokenIn = (text) => /token=([\w-]+)/.exec(text)?.[1] ?? text.trim();

const field = (text, input) => h("label", {}, h("span", {}, text), input);

/** Fields by what opens the server, and what they say. @type {Object<string, function(): {how: string, wrong: string, labels: Node[], who: function(): Object}>} */
const WAYS = {
  token: () => {
    const address = h("input", { name: "address", autocomplete: "off", spellcheck: "false", required: true, maxlength: 500 });
    return { how: t("login.how.token"), wrong: t("login.wrong.token"), labels: [field(t("login.address"), address)], who: () => ({ token: tokenIn(address.value) }) };
  },
  password: () => {
    const name = h("input", { name: "name", autocomplete: "username", required: true, maxlength: 64 });
    const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
    return { how: t("login.how.password"), wrong: t("login.wrong.password"), labels: [field(t("login.name"), name), field(t("login.password"), password)], who: () => ({ name: name.value, password: password.value }) };
  },
};

/** A form that asks until somebody is known, or the server answers. */
class Entry {
  /** @param {string} told why one is asked @param {function(Session): void} known */
  constructor(told, known) {
    this.known = known;
    this.wrong = h("p", { class: "wrong", role: "alert" }, told);
    this.within = h("div", { class: "entry" });
    this.form = h("form", { class: "entry", onsubmit: (event) => this.sent(event) }, this.wrong, this.within);
    taken = (token) => void this.enter({ token });
    void this.ask();
  }

  /** Ask the server what opens it, and for that. */
  async ask() {
    try {
      const { by } = await api.entry();
      this.way = WAYS[by]();
      fill(this.within, h("p", { class: "quiet" }, this.way.how), this.way.labels, h("button", { class: "main" }, t("login.enter")));
    } catch (problem) {
      this.refused(problem);
      this.way = null;
      fill(this.within, h("button", { class: "main" }, t("viewer.retry")));
    }
    this.form.querySelector("input, button").focus();
  }

  sent(event) {
    event.preventDefault();
    fill(this.wrong);
    void (this.way ? this.enter(this.way.who()) : this.ask());
  }

  async enter(who) {
    this.form.inert = true;
    try {
      const session = await api.login(who);
      taken = null;
      this.known(session);
    } catch (problem) {
      this.refused(problem);
      this.form.inert = false;
      const fields = [...this.form.querySelectorAll("input")];
      (fields.at(-1) ?? this.form.querySelector("button"))?.focus();
      fields.at(-1)?.select();
    }
  }

  refused(problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.code === "wait") fill(this.wrong, t("login.wait", { count: problem.after }));
    else fill(this.wrong, problem.code === "not_known" ? this.way.wrong : `${problem.reason} ${problem.remedy}`);
  }
}

/**
 * Ask on a page of its own.
 *
 * @param {HTMLElement} root @param {string} told why one is asked @returns {Promise<Session>}
 */
export function askWho(root, told = "") {
  return new Promise((known) => {
    fill(root, h("div", { class: "login" }, h("div", { class: "card" },
      h("h1", {}, h("img", { src: "icon.svg", alt: "", width: 32, height: 32 }), t("title")),
      new Entry(told, known).form, h("p", { class: "quiet small" }, t("research")))));
  });
}

/** Ask over what is open. @param {string} told @returns {Promise<Session>} */
export const askAgain = (told) => open(t("login.again"), (close) => [new Entry(told, close).form], { isNeeded: true });
