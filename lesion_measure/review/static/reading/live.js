/**
 * Millimetres while a drawing changes. The server measures; the newest drawing wins, and none waits behind another.
 */

import { Problem } from "../api.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Measured} Measured */
/** @typedef {Pick<Draft, "image" | "frame" | "long" | "short" | "contour">} Drawing */

const MOST_KEPT = 60;

export class Live {
  /**
   * @param {(drawing: Drawing) => Promise<Measured>} measure
   * @param {() => void} changed called when an answer is there
   */
  constructor(measure, changed) {
    this._measure = measure;
    this._changed = changed;
    /** @type {Map<string, Measured>} */
    this._known = new Map();
    /** @type {Drawing | null} */
    this._next = null;
    this._busy = false;
    this._closed = false;
  }

  /**
   * Have a drawing measured; one asked for before that is not yet on its way is forgotten.
   * @param {Draft} draft
   */
  ask(draft) {
    const drawing = drawingOf(draft);
    if (this._known.has(JSON.stringify(drawing))) return;
    this._next = drawing;
    if (!this._busy) this._run();
  }

  /**
   * What exactly this drawing measures; null where no answer has come.
   * @param {Draft} draft
   * @returns {Measured | null}
   */
  of(draft) {
    return this._known.get(JSON.stringify(drawingOf(draft))) ?? null;
  }

  close() {
    this._closed = true;
    this._next = null;
  }

  async _run() {
    this._busy = true;
    while (this._next !== null) {
      const drawing = this._next;
      this._next = null;
      await this._answer(drawing);
      if (!this._closed) this._changed();
    }
    this._busy = false;
  }

  /** @param {Drawing} drawing */
  async _answer(drawing) {
    try {
      this._keep(drawing, await this._measure(drawing));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      // Without an answer there is no number; the edit itself tells when it cannot be saved.
      if (problem.status !== 0) this._keep(drawing, refused(problem));
    }
  }

  /**
   * @param {Drawing} drawing
   * @param {Measured} measured
   */
  _keep(drawing, measured) {
    this._known.set(JSON.stringify(drawing), measured);
    const [oldest] = this._known.keys();
    if (this._known.size > MOST_KEPT) this._known.delete(oldest);
  }
}

/** @param {Draft} draft @returns {Drawing} */
function drawingOf({ image, frame, long, short, contour }) {
  return contour === null ? { image, frame, long, short, contour: null } : { image, frame, long: null, short: null, contour };
}

/** @param {Problem} problem @returns {Measured} */
function refused({ reason, remedy }) {
  return {
    long_axis_mm: null,
    short_axis_mm: null,
    area_mm2: null,
    long: null,
    short: null,
    outline: null,
    warnings: [],
    refusal: reason,
    remedy,
  };
}
