/** The cases as the page knows them: the worklist, the order in which it is shown, and cases loaded ahead. */

import * as api from "./api.js";

const FRESH_MS = 60_000;
const MOST_AHEAD = 4;

/** @type {Worklist|null} */
let list = null;
/** @type {string[]|null} ids as the worklist was last sorted and filtered. */
let order = null;
/** @type {Map<string, {at: number, asked: Promise<Case>}>} */
const ahead = new Map();

/** The worklist from the server. @returns {Promise<Worklist>} */
export async function freshWorklist() {
  list = await api.worklist();
  return list;
}

/** The worklist, as it was last seen. @returns {Promise<Worklist>} */
export async function seenWorklist() {
  return list ?? freshWorklist();
}

/** Keep the order in which cases are gone through. @param {string[]} ids */
export function keepOrder(ids) {
  order = ids;
}

/** Place of a case among those gone through, and its neighbours. @returns {Promise<{place: number, count: number, previous: string|null, next: string|null}>} */
export async function neighbours(id) {
  const all = (await seenWorklist()).cases.map((item) => item.id);
  const ids = order?.includes(id) ? order : all;
  const place = ids.indexOf(id);
  return { place, count: ids.length, previous: ids[place - 1] ?? null, next: (place >= 0 && ids[place + 1]) || null };
}

/** Load a case before it is asked for. A refusal is told when it is. @param {string} id @returns {Promise<Case>} */
export function prefetch(id) {
  const known = ahead.get(id);
  if (known && Date.now() - known.at < FRESH_MS) return known.asked;
  const asked = api.caseOf(id);
  asked.catch(() => ahead.delete(id));
  ahead.set(id, { at: Date.now(), asked });
  while (ahead.size > MOST_AHEAD) ahead.delete(ahead.keys().next().value);
  return asked;
}

/**
 * A case, at once where it was loaded ahead: then somebody may have changed it since.
 *
 * @param {string} id @returns {Promise<{data: Case, wasAhead: boolean}>}
 */
export async function take(id) {
  const wasAhead = ahead.has(id);
  const asked = prefetch(id);
  ahead.delete(id);
  return { data: await asked, wasAhead };
}

/** Forget what was loaded ahead, after a write that may touch it. */
export function forget() {
  ahead.clear();
}
