/** Dialogs: the browser's own, which keeps the focus within and gives it back. */

import { h } from "./dom.js";
import { bind } from "./keys.js";
import { t } from "./texts.js";

let named = 0;

/**
 * Open a dialog.
 *
 * @param {string} title
 * @param {function(function(*): void): Node[]} content gets the function that closes the dialog with an answer.
 * @param {{wide?: boolean, isNeeded?: boolean}} [how] isNeeded: it stays until it is answered.
 * @returns {Promise<*>} the answer; undefined where it was closed without one.
 */
export function open(title, content, { wide = false, isNeeded = false } = {}) {
  return new Promise((answered) => {
    const id = `dialog-${(named += 1)}`;
    const back = document.activeElement;
    let answer;
    const finish = () => {
      if (!box.isConnected) return;
      unbind();
      box.remove();
      back?.focus?.();
      answered(answer);
    };
    const close = (value) => {
      answer = value;
      box.close();
      if (!isNeeded || answer !== undefined) finish(); // the event of closing comes later than the next key or step may
    };
    const box = h("dialog", { class: wide ? "wide" : null, "aria-labelledby": id },
      h("header", {}, h("h2", { id }, title), !isNeeded && h("button", { type: "button", class: "plain", "aria-label": t("dialog.close"), onclick: () => close() }, "✕")),
      h("div", { class: "within", tabindex: 0 }, ...content(close)));
    const unbind = bind("everywhere", { close: () => isNeeded || close() }, { modal: true });
    box.addEventListener("close", () => {
      if (isNeeded && answer === undefined) return box.showModal();
      finish();
    });
    document.body.append(box);
    box.showModal();
  });
}

/**
 * Ask for a text, such as a reason.
 *
 * @param {{title: string, label: string, action: string, hint?: string, needed?: boolean, said?: string}} words
 *   `said` is what stands there at first.
 * @returns {Promise<string|undefined>} undefined where it was closed.
 */
export function askText({ title, label, action, hint = "", needed = true, said = "" }) {
  return open(title, (close) => {
    const send = (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      text.form.requestSubmit();
    };
    const text = h("textarea", { rows: 4, maxlength: 2000, required: needed, autofocus: true, onkeydown: send }, said);
    return [h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); close(text.value.trim()); } },
      h("label", {}, h("span", {}, label), text), hint && h("p", { class: "quiet" }, hint),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close() }, t("dialog.cancel")), h("button", { class: "main" }, action)))];
  });
}

/** Ask for yes or no. @param {{title: string, text: string, action: string, cancel?: string}} words @returns {Promise<boolean>} */
export async function confirm({ title, text, action, cancel = t("dialog.cancel") }) {
  const yes = await open(title, (close) => [
    h("p", {}, text),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close(false) }, cancel), h("button", { type: "button", class: "main", autofocus: true, onclick: () => close(true) }, action)),
  ]);
  return yes === true;
}
