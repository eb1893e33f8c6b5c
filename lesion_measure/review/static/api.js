/**
 * One function for each question to the server; shapes are those of `review/messages.py`.
 *
 * Each throws a `Problem` where the server refuses or does not answer.
 */

import { named } from "./names.js";
import { has, t } from "./texts.js";

/** Why something was refused. `current` is the kept reading where another tab or reader was faster (409). */
export class Problem extends Error {
  status = 0;
  reason = "";
  remedy = "";
  /** @type {Object|null} */
  current = null;
  /** Seconds until the next try is looked at (429). @type {number|null} */
  after = null;

  /** @param {number} status 0: no answer @param {{code: string, reason: string, remedy?: string, current?: Object, after_s?: number}} told */
  constructor(status, { code, reason, remedy = "", current = null, after_s: after = null }) {
    super(reason);
    Object.assign(this, { status, code, reason, remedy, current, after });
  }
}

let csrf = "";

async function call(method, path, body, signal, shape = "json") {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Review-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await reached(fetch(`api/${path}`, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" }));
  if (!answer.ok) throw await problemOf(answer, path);
  return answer.status === 204 ? {} : reached(answer[shape]());
}

/** An answer or its body; a `Problem` where the server is gone before it came whole. */
async function reached(asked) {
  try {
    return await asked;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable", reason: t("problem.unreachable"), remedy: t("problem.unreachable.remedy") });
  }
}

async function problemOf(answer, path) {
  const told = await answer.json().catch(() => null);
  // without the session's token, another tab has begun a session of its own
  if ((answer.status === 401 && path !== "login") || told?.code === "no_token") document.dispatchEvent(new CustomEvent("session-ended"));
  const known = told && typeof told.reason === "string";
  return new Problem(answer.status, known ? worded(told) : { code: "unexpected", reason: t("problem.unexpected", { status: answer.status }) });
}

/** A problem in the language of the page where that has words for its code; else in the server's. */
function worded(told) {
  const words = (/** @type {string} */ key, /** @type {string} */ own) => (own && has(key) ? t(key) : own);
  return { ...told, reason: words(`refused.${told.code}`, told.reason), remedy: words(`refused.${told.code}.remedy`, told.remedy) };
}

async function begun(asked) {
  const session = await asked;
  csrf = session.csrf;
  return session;
}

/** What opens the server. @returns {Promise<Entry>} */
export const entry = () => call("GET", "entry");
/** @param {{token: string}|{name: string, password: string}} who @returns {Promise<Session>} */
export const login = (who) => begun(call("POST", "login", who));
/** @returns {Promise<Session>} */
export const session = () => begun(call("GET", "session"));
export const logout = () => call("POST", "logout");
/** @returns {Promise<Worklist>} */
export async function worklist() {
  const list = await call("GET", "worklist");
  return { ...list, cases: list.cases.map(named) };
}
/** @returns {Promise<Case>} */
export const caseOf = async (id, signal) => named(await call("GET", `cases/${id}`, undefined, signal));
/** @returns {Promise<CaseResult>} */
export const result = (id, signal) => call("GET", `cases/${id}/result`, undefined, signal);
/** The address of a frame, from 1. */
export const frameUrl = (image, frame) => `api/images/${image}/frames/${frame}.png`;
/** A frame, from 1, as a PNG. @returns {Promise<Blob>} */
export const frame = (image, number, signal) => call("GET", `images/${image}/frames/${number}.png`, undefined, signal, "blob");
/** Calipers that the scanner burnt into a frame. @returns {Promise<Earlier[]>} */
export const burntIn = (image, number, signal) => call("GET", `images/${image}/frames/${number}/burnt-in`, undefined, signal);
/** The insonated area. @returns {Promise<{outlines: number[][][]}>} */
export const area = (image, signal) => call("GET", `images/${image}/area`, undefined, signal);
/** @returns {Promise<Measured>} */
export const measure = (drawing, signal) => call("POST", "measure", drawing, signal);
/** @returns {Promise<Outlined>} */
export const outline = (prompt, signal) => call("POST", "outline", prompt, signal);
/** @returns {Promise<Reading>} */
export const addReading = (caseId, draft) => call("POST", `cases/${caseId}/readings`, draft);
/** @returns {Promise<Reading>} */
export const changeReading = (id, change) => call("PUT", `readings/${id}`, change);
export const removeReading = (id, removal) => call("DELETE", `readings/${id}`, removal);
export const comment = (caseId, why) => call("POST", `cases/${caseId}/comments`, { why });
/** @returns {Promise<Signature>} */
export const sign = (caseId, versions, statement, noLesion) => call("POST", `cases/${caseId}/sign`, { versions, statement, no_lesion: noLesion });
export const reopen = (caseId, why) => call("POST", `cases/${caseId}/reopen`, { why });
/** @returns {Promise<AuditEntry[]>} */
export const audit = (caseId) => call("GET", `audit?case=${encodeURIComponent(caseId)}`);
/** The address of an export: `calipers`, `audit` or `agreement`. */
export const exportUrl = (name) => `api/export/${name}.csv`;
