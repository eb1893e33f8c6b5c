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
  [/^Reader ([0-9A-F]{4})$/, "name.reader"],
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

/** What a reader is called where that is shown; in the data the name stays, since it tells whose a reading is. */
export const readerName = worded;

/** What readers differ on; a case of the worklist alone has it. */
const differing = ({ differs }) => differs && { differs: differs.map((each) => ({ ...each, visit: worded(each.visit) })) };

/** A case of the worklist, or a whole one, with its labels worded. @template T @param {T} item @returns {T} */
export function named(item) {
  const visits = item.visits.map((visit) => {
    const own = renamed(visit);
    return Array.isArray(own.images) ? { ...own, images: own.images.map(renamed) } : own;
  });
  return { ...renamed(item), ...differing(item), visits };
}
