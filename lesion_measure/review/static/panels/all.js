/** The panels beside the viewer, in the order of their buttons. */

import { comments } from "./comments.js";

/**
 * @typedef {Object} Panel
 * @property {function(CaseFrame): (Node[]|Promise<Node[]>)} draw its children, made anew whenever the case changes
 * @property {function(Case): number} [count] shown on its button
 */

/** The panels that somebody has, by name. @param {Session} session @returns {Object<string, Panel>} */
export function panelsFor(session) {
  return { comments };
}
