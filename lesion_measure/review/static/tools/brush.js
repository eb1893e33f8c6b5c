/** A round brush that adds to the contour in hand, or takes from it. Without a contour it begins one. */

import { toPane } from "../canvas/coordinates.js";
import { circle } from "../canvas/strokes.js";
import { withContour } from "../reading/drafts.js";
import { Raster } from "./raster.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/pane.js").Pane} Pane */

const RADIUS = 16;
const LEAST = 3;
const MOST = 120;
const STEP = 1.25;
const ROOM = 5;
const PEN_ERASER = 32;

/** Radius on the screen in CSS pixels, the same for adding and erasing. */
const size = { radius: RADIUS };

export class Brush {
  /**
   * @param {import("../reading/desk.js").Desk} desk
   * @param {boolean} erases
   */
  constructor(desk, erases) {
    this._desk = desk;
    this._erases = erases;
    this.cursor = "none";
    this.paints = true;
    /** @type {Raster | null} */
    this._raster = null;
    /** @type {FramePoint} */
    this._last = [0, 0];
    /** @type {FramePoint[] | null} */
    this._contour = null;
    /** @type {import("../reading/types.js").Draft | null} what is painted on, as it was at the press */
    this._draft = null;
  }

  get active() {
    return this._raster !== null;
  }

  /** @param {import("../reading/types.js").Draft | null} draft */
  hint(draft) {
    return draft === null && !this._erases ? "viewer.hint.brush" : "";
  }

  /** Larger or smaller. @param {1 | -1} way */
  resize(way) {
    size.radius = Math.min(MOST, Math.max(LEAST, size.radius * STEP ** way));
    this._desk.tell("draw");
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  down(pane, point, event) {
    const begun = this._desk.begun(pane);
    const offered = this._desk.offered.proposalOn(pane)?.draft;
    const here = this._desk.draftAt(begun);
    this._contour = here?.contour ?? offered?.contour ?? null;
    if (this._contour === null && this._isErasing(event)) return false;
    this._draft = here ?? offered ?? begun;
    this._raster = new Raster(this._contour ?? [], room(point, pane.pixels(size.radius)));
    this._last = point;
    this.move(pane, point, event);
    return true;
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  move(pane, point, event) {
    if (this._raster === null || this._draft === null) return;
    const radius = pane.pixels(size.radius);
    if (!this._raster.holds(point, radius)) this._raster = new Raster(this._raster.contour() ?? [], [...room(point, radius), ...room(this._last, radius)]);
    this._raster.brush(this._last, point, radius, this._isErasing(event));
    this._last = point;
    const contour = this._raster.contour();
    if (contour === null) return;
    this._contour = contour;
    this._desk.preview(pane, withContour(this._draft, contour));
  }

  up() {
    if (this._raster === null) return;
    const [draft, contour] = [this._draft, this._contour];
    this.cancel();
    if (draft !== null && contour !== null) this._desk.keep(withContour(draft, contour));
  }

  cancel() {
    this._raster = null;
    this._contour = null;
    this._draft = null;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../canvas/coordinates.js").View} view @param {Pane} pane */
  paint(context, view, pane) {
    if (pane.pointer === null || view !== pane.view) return;
    circle(context, toPane(view, pane.pointer), size.radius, { color: this._erases ? "#ff9b85" : "#ffffff", width: 1.25 });
  }

  /** Alt turns adding into erasing and back; the other end of a pen erases. @param {{altKey: boolean, buttons?: number}} event */
  _isErasing({ altKey, buttons = 0 }) {
    return (buttons & PEN_ERASER) !== 0 || this._erases !== altKey;
  }
}

/** Points that leave room for a brush to move. @param {FramePoint} point @param {number} radius @returns {FramePoint[]} */
function room([row, column], radius) {
  const by = ROOM * radius;
  return [[row - by, column - by], [row + by, column + by]];
}
