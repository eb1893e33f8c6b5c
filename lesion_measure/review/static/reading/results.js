/** Sizes and changes of the whole child by the readings that are kept. */

import { Problem } from "../api.js";

export class Results {
  /**
   * @param {() => Promise<import("./types.js").CaseResult>} ask
   * @param {() => void} changed
   */
  constructor(ask, changed) {
    this._ask = ask;
    this._changed = changed;
    this._busy = false;
    this._again = false;
    this._closed = false;
    /** @type {import("./types.js").CaseResult | null} */
    this.result = null;
    /** Whether `result` is of the readings as they are kept now. */
    this.fresh = false;
    /** @type {Problem | null} */
    this.problem = null;
  }

  /** Ask anew; while an answer is waited for, once more after it, however often this is called. */
  async refresh() {
    this.fresh = false;
    this._again = true;
    if (this._busy) return;
    this._busy = true;
    while (this._again && !this._closed) {
      this._again = false;
      await this._answer();
    }
    this._busy = false;
  }

  async _answer() {
    try {
      this.result = await this._ask();
      this.problem = null;
      this.fresh = !this._again;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.problem = problem;
    }
    if (!this._closed) this._changed();
  }

  /**
   * What is said of a lesion at a visit.
   * @param {string} lesion
   * @param {string} visit
   */
  of(lesion, visit) {
    return this.result?.lesions.find((each) => each.lesion === lesion && each.visit === visit) ?? null;
  }

  close() {
    this._closed = true;
  }
}
