/** Edits that are not saved are never left behind unasked. */

import { open } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

/** How long an edit that is on its way may take before the reader is asked. */
const PATIENCE_MS = 1500;

/**
 * Whether a case may be left: once everything is saved, or where the reader says to lose the rest. What is saved while
 * the question stands answers it.
 *
 * @param {Book|undefined} book undefined: nothing is edited on what is shown @returns {Promise<boolean>}
 */
export async function mayLeave(book) {
  if (book === undefined) return true;
  await Promise.race([book.settled(), new Promise((over) => setTimeout(over, PATIENCE_MS))]);
  const ends = new AbortController();
  const leaves = book.unsaved.length === 0 || (await open(t("viewer.unsaved", { count: book.unsaved.length }), (close) => question(book, close, ends.signal)));
  ends.abort();
  return leaves === true;
}

function question(book, close, signal) {
  book.addEventListener("change", () => book.unsaved.length === 0 && close(true), { signal });
  return [
    h("p", {}, t("leaving.how")),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close(true) }, t("leaving.lose")), h("button", { type: "button", class: "main", autofocus: true, onclick: () => close(false) }, t("leaving.stay"))),
  ];
}
