/** What the page says by itself: whether work is saved, and what went wrong; read aloud by a screen reader. */

import { h, fill } from "./dom.js";
import { t } from "./texts.js";

const SHOWN_MS = 6000;
const polite = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
const urgent = h("div", { class: "notes-over", role: "alert" });
const badge = h("span", { class: "keeping" });
/** @type {Set<Promise<*>>} writes that the server has not answered yet */
const underWay = new Set();

/** Elements that hold the announcements, to be put on the page once. */
export const places = () => [polite, urgent];
/** The small text of the header that tells whether work is saved. */
export const savedBadge = () => badge;

/** Say something that needs no answer. @param {string} text */
export function say(text) {
  polite.textContent = text;
}

/**
 * Show that work is being kept until a promise ends: then that it is saved, or why not. The promise is handed back.
 *
 * @template T @param {Promise<T>} work @returns {Promise<T>}
 */
export async function keeping(work) {
  underWay.add(work);
  show("saving");
  try {
    const kept = await work;
    underWay.delete(work);
    if (underWay.size === 0) {
      show("saved");
      say(t("saved.saved"));
    }
    return kept;
  } catch (error) {
    underWay.delete(work);
    show("failed");
    throw error;
  }
}

function show(state) {
  fill(badge, t(`saved.${state}`));
  badge.dataset.state = state;
}

/** Once the server has answered every write that is under way. */
export async function answered() {
  await Promise.allSettled(underWay);
}

/** Show why something was refused, until it is closed or, for what needs no action, a while. @param {Problem} problem */
export function failed(problem) {
  note("bad", problem.reason ?? problem.message, problem.remedy);
}

/** Show a note that goes by itself. @param {string} text */
export function told(text) {
  note("good", text, "", SHOWN_MS);
}

/** Show why nothing was done, such as that no network is loaded; the note goes by itself. @param {string} text */
export function declined(text) {
  note("warn", text, "", SHOWN_MS);
}

function note(tone, text, remedy = "", ms = 0) {
  const close = h("button", { class: "plain", type: "button", "aria-label": t("dialog.close"), onclick: () => card.remove() }, "✕");
  const card = h("div", { class: `note-over ${tone}` }, h("p", {}, h("strong", {}, text), remedy && h("span", {}, remedy)), close);
  // What is said again, as after each press, takes the place of what was said.
  for (const old of urgent.children) if (old.textContent === card.textContent) old.remove();
  urgent.append(card);
  while (urgent.children.length > 3) urgent.firstChild.remove();
  if (ms) setTimeout(() => card.remove(), ms);
}
