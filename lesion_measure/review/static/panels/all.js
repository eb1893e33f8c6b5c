/** The panels beside the viewer, in the order of their buttons. */

import { adjudicate } from "./adjudicate.js";
import { audit } from "./audit.js";
import { comments } from "./comments.js";
import { exports } from "./exports.js";
import { sign } from "./sign.js";

/**
 * @typedef {Object} Panel
 * @property {function(CaseFrame): (Node[]|Promise<Node[]>)} draw its children, made anew whenever the case changes
 * @property {function(Case): number} [count] shown on its button
 */

/** The panels that somebody has, by name. @param {Session} session @returns {Object<string, Panel>} */
export function panelsFor(session) {
  const own = session.role === "adjudicator" ? { adjudicate: adjudicate(session) } : {};
  return { comments, audit, exports, ...own, sign };
}
