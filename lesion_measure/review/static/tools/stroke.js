/** A line drawn by pressing, moving and letting go, or by one click at each end. */

import { distance } from "../canvas/geometry.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/geometry.js").Line} Line */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {{shiftKey: boolean, altKey: boolean}} Held keys held down */

const CLICK = 4;

export class Stroke {
  /**
   * @param {{changed: (pane: Pane, line: Line, held: Held) => void, done: (pane: Pane, line: Line, held: Held) => void}} hears
   */
  constructor({ changed, done }) {
    this._changed = changed;
    this._done = done;
    /** @type {Pane | null} */
    this._pane = null;
    /** @type {FramePoint | null} */
    this._start = null;
    this._second = false;
  }

  /** Whether a line is begun. */
  get active() {
    return this._start !== null;
  }

  /** @param {Pane} pane @param {FramePoint} point */
  down(pane, point) {
    this._second = this.active && this._pane === pane;
    if (this._second) return true;
    this._pane = pane;
    this._start = point;
    pane.magnified = point;
    return true;
  }

  /** @param {Pane} pane @param {FramePoint} point @param {Held} held */
  move(pane, point, held) {
    if (this._start === null || this._pane !== pane) return;
    pane.magnified = point;
    this._changed(pane, [this._start, point], held);
  }

  /** @param {Pane} pane @param {FramePoint} point @param {Held} held */
  up(pane, point, held) {
    if (this._start === null || this._pane !== pane) return;
    const start = this._start;
    if (distance(start, point) < pane.pixels(CLICK)) return;
    this.cancel();
    this._done(pane, [start, point], held);
  }

  /** Take back the last press; the first end of a line stays where it was clicked before. */
  unpress() {
    if (!this._second) this.cancel();
    this._second = false;
  }

  cancel() {
    if (this._pane !== null) this._pane.magnified = null;
    this._pane = null;
    this._start = null;
  }
}
