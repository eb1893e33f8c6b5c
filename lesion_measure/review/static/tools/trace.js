/** An outline by hand: point after point, or drawn in one go. Near its first point, or by Enter, it closes. */

import { distance } from "../canvas/geometry.js";
import { end, path } from "../canvas/strokes.js";
import { withContour } from "../reading/drafts.js";
import { untangled } from "./raster.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

const APART = 3;
const NEAR = 10;
const LEAST = 3;

export class Trace {
  /** @param {import("../reading/desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this.cursor = "crosshair";
    /** @type {FramePoint[]} */
    this._points = [];
    /** @type {Pane | null} */
    this._pane = null;
    this._pressed = false;
    this._drawn = false;
    /** How many points there were before the last press. */
    this._before = 0;
  }

  get active() {
    return this._points.length > 0;
  }

  /** @param {import("../reading/types.js").Draft | null} draft */
  hint(draft) {
    if (this.active) return "viewer.hint.close";
    return draft === null ? "viewer.hint.outline" : "";
  }

  /** @param {Pane} pane @param {FramePoint} point */
  down(pane, point) {
    if (this._pane !== pane) this.cancel();
    this._pane = pane;
    this._pressed = true;
    this._drawn = false;
    this._before = this._points.length;
    if (this._closesAt(pane, point)) return this.finish();
    this._points.push(point);
    this._desk.tell("draw");
    return true;
  }

  /** @param {Pane} pane @param {FramePoint} point */
  move(pane, point) {
    const last = this._points.at(-1);
    if (!this._pressed || last === undefined || distance(last, point) < pane.pixels(APART)) return;
    this._drawn = true;
    this._points.push(point);
    this._desk.tell("draw");
  }

  /** @param {Pane} pane @param {FramePoint} point */
  up(pane, point) {
    this._pressed = false;
    if (this._drawn && this._closesAt(pane, point)) this.finish();
  }

  /** Close the outline; one of fewer than three points goes on. */
  finish() {
    if (this._pane === null || this._points.length < LEAST) return true;
    const contour = untangled(this._points);
    const pane = this._pane;
    this.cancel();
    this._desk.keep(withContour(this._desk.begun(pane), contour));
    return true;
  }

  /** Take the last point back. */
  back() {
    this._points.pop();
    this._desk.tell("draw");
  }

  /** Take back what the last press drew. */
  unpress() {
    this._points.length = this._before;
    this._pressed = false;
  }

  cancel() {
    this._points = [];
    this._pane = null;
    this._pressed = false;
  }

  /** @param {Pane} pane @param {FramePoint} point */
  _closesAt(pane, point) {
    return this._points.length >= LEAST && distance(this._points[0], point) < pane.pixels(NEAR);
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../canvas/coordinates.js").View} view @param {Pane} pane */
  paint(context, view, pane) {
    if (this._pane !== pane || this._points.length === 0) return;
    const color = this._desk.colorOf(this._desk.lesion);
    const ahead = pane.pointer === null || this._pressed ? [] : [pane.pointer];
    path(context, view, [...this._points, ...ahead], { color });
    end(context, view, this._points[0], { color, ring: true });
  }
}
