/**
 * What the reader says of the case: as shown, as kept by the server, and every step back and forth between.
 *
 * The page shows an edit at once and sends it. An entry is `saved` only when the server has answered that it is kept.
 */

import { Problem } from "../api.js";

const RETRY_MS = 3000;
const MOST_STEPS = 500;
const CONFLICT = 409;

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Reading} Reading */

/**
 * @typedef {object} Entry
 * @property {Draft | null} draft as the page shows it; null: removed
 * @property {Reading | null} reading as the server keeps it
 * @property {"saved" | "saving" | "failed" | "conflict"} state
 * @property {Problem | null} problem why it is not saved
 */

/** Tells `change` when something to be drawn is new, and `kept` when the server has kept something. */
export class Book extends EventTarget {
  /**
   * @param {string} caseId
   * @param {Reading[]} readings the reader's own
   * @param {{addReading: Function, changeReading: Function, removeReading: Function}} api
   */
  constructor(caseId, readings, api) {
    super();
    this._case = caseId;
    this._api = api;
    /** @type {Entry[]} */
    this._entries = readings.map(keptEntry);
    /** @type {{entry: Entry, before: Draft | null, after: Draft | null}[]} */
    this._done = [];
    /** @type {{entry: Entry, before: Draft | null, after: Draft | null}[]} */
    this._undone = [];
    this._sending = Promise.resolve();
    this._retry = 0;
    this._held = false;
  }

  /** Entries that are not removed, and those whose removal is not kept. */
  get entries() {
    return this._entries.filter((entry) => entry.draft !== null);
  }

  /** Entries that the server has not kept as they are shown. */
  get unsaved() {
    return this._entries.filter((entry) => entry.state !== "saved");
  }

  get canUndo() {
    return this._done.length > 0;
  }

  get canRedo() {
    return this._undone.length > 0;
  }

  /** The kept readings, as the server told them. @returns {Reading[]} */
  get kept() {
    return this._entries.flatMap(({ reading }) => (reading === null ? [] : [reading]));
  }

  /**
   * The entry of a lesion on a frame.
   * @param {string} image
   * @param {number} frame
   * @param {string} lesion
   */
  at(image, frame, lesion) {
    return this.entries.find(({ draft }) => draft?.image === image && draft.frame === frame && draft.lesion === lesion);
  }

  /**
   * Say something of a lesion on a frame, in the place of what was said of it there.
   * @param {Draft} draft
   */
  put(draft) {
    const found = this.at(draft.image, draft.frame, draft.lesion);
    if (found !== undefined) return this.change(found, draft);
    /** @type {Entry} */
    const entry = { draft: null, reading: null, state: "saving", problem: null };
    this._entries.push(entry);
    this._step(entry, draft);
    return entry;
  }

  /**
   * @param {Entry} entry
   * @param {Draft | null} draft null removes it
   */
  change(entry, draft) {
    if (!same(entry.draft, draft)) this._step(entry, draft);
    return entry;
  }

  /** Take the last step back. @returns {Draft | null} what it was about, to be shown */
  undo() {
    const step = this._done.pop();
    if (step === undefined) return null;
    this._undone.push(step);
    this._set(step.entry, step.before);
    return step.before ?? step.after;
  }

  /** Take back the last `undo`. @returns {Draft | null} */
  redo() {
    const step = this._undone.pop();
    if (step === undefined) return null;
    this._done.push(step);
    this._set(step.entry, step.after);
    return step.after ?? step.before;
  }

  /** Send again what could not be kept. */
  retry() {
    for (const entry of this._entries.filter(({ state }) => state === "failed")) this._send(entry);
  }

  /**
   * Show again what the server keeps, in the place of what it refused.
   * @param {Entry} entry
   */
  giveUp(entry) {
    if (entry.problem?.status === CONFLICT) entry.reading = entry.problem.current ?? null;
    this._forget(entry);
    entry.draft = entry.reading?.draft ?? null;
    entry.state = "saved";
    entry.problem = null;
    this._tell("change");
  }

  /**
   * Choose between two versions of a reading: the one on this page, or the one that was kept meanwhile.
   * @param {Entry} entry
   * @param {boolean} mine
   */
  choose(entry, mine) {
    if (!mine) {
      this.giveUp(entry);
      return;
    }
    entry.reading = entry.problem?.current ?? null;
    this._done.push({ entry, before: entry.reading?.draft ?? null, after: entry.draft });
    this._send(entry);
  }

  /**
   * Leave both versions as they are: the one on this page stays, and stays unsaved.
   * @param {Entry} entry
   */
  putOff(entry) {
    entry.state = "failed";
    this._tell("change");
  }

  /**
   * Take what the server keeps now. What is not saved stays as it is shown.
   * @param {Reading[]} readings
   */
  renew(readings) {
    const open = this.unsaved;
    const known = new Set(open.map(({ reading }) => reading?.id));
    const fresh = readings.filter(({ id }) => !known.has(id));
    this._entries = [...fresh.map(keptEntry), ...open];
    this._done = [];
    this._undone = [];
    this._tell("change");
  }

  /** Once everything that was sent has its answer. */
  async settled() {
    for (let last = null; last !== this._sending; ) {
      last = this._sending;
      await last;
    }
  }

  /** Send nothing more until `release`: the reader whose edits these are is not known to the server. */
  hold() {
    this._held = true;
    clearTimeout(this._retry);
  }

  /** Send what waited. */
  release() {
    this._held = false;
    this.retry();
  }

  /**
   * @param {Entry} entry
   * @param {Draft | null} draft
   */
  _step(entry, draft) {
    this._done.push({ entry, before: entry.draft, after: draft });
    if (this._done.length > MOST_STEPS) this._done.shift();
    this._undone = [];
    this._set(entry, draft);
  }

  /**
   * @param {Entry} entry
   * @param {Draft | null} draft
   */
  _set(entry, draft) {
    entry.draft = draft;
    this._send(entry);
  }

  /**
   * Edits are sent one after another, as they were made: a lesion's name may be free only after the edit before.
   * @param {Entry} entry
   */
  _send(entry) {
    entry.state = "saving";
    entry.problem = null;
    this._tell("change");
    this._sending = this._sending.then(() => this._keep(entry));
  }

  /** @param {Entry} entry */
  async _keep(entry) {
    const draft = entry.draft;
    try {
      if (!same(draft, entry.reading?.draft ?? null)) {
        if (this._held) return this._wait(entry);
        entry.reading = await this._write(entry.reading, draft);
        this._tell("kept");
      }
      // What was edited while this was on its way has its own turn.
      if (same(draft, entry.draft)) entry.state = "saved";
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this._refused(entry, problem);
    }
    this._tell("change");
  }

  /** @param {Entry} entry */
  _wait(entry) {
    entry.state = "failed";
    this._tell("change");
  }

  /**
   * @param {Reading | null} reading
   * @param {Draft | null} draft
   * @returns {Promise<Reading | null>}
   */
  async _write(reading, draft) {
    if (reading === null) return this._api.addReading(this._case, draft);
    if (draft !== null) return this._api.changeReading(reading.id, { version: reading.version, draft });
    await this._api.removeReading(reading.id, { version: reading.version });
    return null;
  }

  /**
   * @param {Entry} entry
   * @param {Problem} problem
   */
  _refused(entry, problem) {
    entry.problem = problem;
    entry.state = problem.status === CONFLICT ? "conflict" : "failed";
    if (problem.status === CONFLICT) this._forget(entry);
    // A server that does not answer may be started again, and somebody whose session ended logs in again.
    if (problem.status !== 0 && problem.status !== 401) return;
    clearTimeout(this._retry);
    this._retry = setTimeout(() => this.retry(), RETRY_MS);
  }

  /**
   * Take an entry's steps off both ways: they know nothing of what somebody else kept, and would write over it.
   * @param {Entry} entry
   */
  _forget(entry) {
    this._done = this._done.filter((step) => step.entry !== entry);
    this._undone = this._undone.filter((step) => step.entry !== entry);
  }

  /** @param {string} what */
  _tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

/** @param {Reading} reading @returns {Entry} */
function keptEntry(reading) {
  return { draft: reading.draft, reading, state: "saved", problem: null };
}

/** Whether two drafts, or parts of them, say the same. @param {unknown} a @param {unknown} b */
export function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
