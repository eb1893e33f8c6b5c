/** Names that the server makes itself, in the language of the page; a trial's own are shown as they are. */

import { t } from "./texts.js";

/** @type {[RegExp, string][]} */
const MADE = [
  [/^Baseline$/, "name.baseline"],
  [/^Screening$/, "name.screening"],
  [/^(\d+) months?$/, "name.months"],
  [/^Scan (\w+)$/, "name.scan"],
  [/^Case (\d+)$/, "name.case"],
  [/^Image (\d+)$/, "name.image"],
];

/** @param {string} label @returns {string} */
function worded(label) {
  for (const [pattern, key] of MADE) {
    const found = pattern.exec(label);
    if (found) return t(key, { count: found[1] ?? "" });
  }
  return label;
}

const renamed = (item) => ({ ...item, label: worded(item.label) });

/** A case of the worklist, or a whole one, with its labels worded. @template T @param {T} item @returns {T} */
export function named(item) {
  const visits = item.visits.map((visit) => {
    const own = renamed(visit);
    return Array.isArray(own.images) ? { ...own, images: own.images.map(renamed) } : own;
  });
  return { ...renamed(item), visits };
}
