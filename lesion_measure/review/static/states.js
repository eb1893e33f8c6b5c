/** How far a child, visit or lesion is, as a mark: a shape, a colour and a word. */

import { h } from "./dom.js";
import { t } from "./texts.js";

/** The states in the order of what asks for work first. */
export const STATES = ["refused", "disagreement", "needs_review", "to_measure", "measured", "signed"];

const SHAPES = { to_measure: "○", needs_review: "◆", refused: "✕", measured: "●", disagreement: "≠", signed: "✓" };

/** The mark and word of a state. @param {string} state */
export const stateBadge = (state) => h("span", { class: `state ${state}` }, h("i", { "aria-hidden": "true" }, SHAPES[state]), t(`state.${state}`));

/** A name with the mark of its state alone; the word is there for a screen reader and on hovering. */
export const stateChip = (name, state, more = "") =>
  h("span", { class: `chip ${state}`, title: [name, more, t(`state.${state}`)].filter(Boolean).join(" · ") }, h("i", { "aria-hidden": "true" }, SHAPES[state]), name, h("span", { class: "unseen" }, `, ${t(`state.${state}`)}`));
