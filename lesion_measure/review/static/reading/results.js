/** Sizes and changes of the whole child by the readings that are kept. Asked anew after each; the newest answer counts. */

import { Problem } from "../api.js";

export class Results {
  /**
   * @param {() => Promise<import("./types.js").CaseResult>} ask
   * @param {() => void} changed
   */
  constructor(ask, changed) {
    this._ask = ask;
    this._changed = changed;
    this._asked = 0;
    /** @type {import("./types.js").CaseResult | null} */
    this.result = null;
    /** Whether `result` is of the readings as they are kept now. */
    this.fresh = false;
    /** @type {Problem | null} */
    this.problem = null;
  }

  async refresh() {
    this._asked += 1;
    const number = this._asked;
    this.fresh = false;
    try {
      const result = await this._ask();
      if (number !== this._asked) return;
      this.result = result;
      this.fresh = true;
      this.problem = null;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (number !== this._asked) return;
      this.problem = problem;
    }
    this._changed();
  }

  /**
   * What is said of a lesion at a visit.
   * @param {string} lesion
   * @param {string} visit
   */
  of(lesion, visit) {
    return this.result?.lesions.find((each) => each.lesion === lesion && each.visit === visit) ?? null;
  }

  /** Let answers on their way go. */
  close() {
    this._asked = -1;
    this._changed = () => {};
  }
}
