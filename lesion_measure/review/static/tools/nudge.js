/** Ends and edges moved by keys. A row of presses is one edit, kept when the keys rest. */

import { distance } from "../canvas/geometry.js";
import { endsOf, withContour, withEnd } from "../reading/drafts.js";
import { bendable, pulled } from "./contour.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */

const REST_MS = 600;
const HOLDS = 12;
const PULL = 70;

export class Nudge {
  /** @param {import("../reading/desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this._waiting = 0;
  }

  /** Take the next end, or the next place of a contour, in hand; false where nothing is drawn. @param {1 | -1} way */
  next(way) {
    const draft = this._draft();
    if (!draft) return false;
    const count = draft.contour === null ? endsOf(draft).length : HOLDS;
    if (count === 0) return false;
    const now = this._desk.end;
    this._desk.end = now === null ? (way > 0 ? 0 : count - 1) : (now + way + count) % count;
    this._desk.tell("change");
    return true;
  }

  /** Move what is in hand; false where nothing is. @param {FramePoint} by */
  move(by) {
    const { end, pane } = this._desk;
    const draft = this._draft();
    if (end === null || pane === null || !draft) return false;
    const place = endsOf(draft)[end];
    const moved = draft.contour === null ? withEnd(draft, end, [place[0] + by[0], place[1] + by[1]]) : pulledBy(draft, end, by, pane.pixels(PULL));
    this._desk.preview(pane, moved);
    clearTimeout(this._waiting);
    this._waiting = setTimeout(() => this.settle(), REST_MS);
    return true;
  }

  /** Keep what the keys moved. */
  settle() {
    clearTimeout(this._waiting);
    if (this._waiting !== 0 && this._desk.edit !== null) this._desk.keep(this._desk.edit.draft);
    this._waiting = 0;
  }

  _draft() {
    const { edit, pane } = this._desk;
    if (this._desk.locked || this._desk.tools.drawing || pane === null) return null;
    return edit?.pane === pane ? edit.draft : (this._desk.draftOn(pane) ?? this._desk.offered.proposalOn(pane)?.draft ?? null);
  }
}

/**
 * The place of a contour that is in hand.
 * @param {FramePoint[]} contour
 * @param {number} hold
 */
function holdOf(contour, hold) {
  return contour[Math.floor((hold / HOLDS) * contour.length)];
}

/**
 * @param {import("../reading/types.js").Draft} draft
 * @param {number} hold
 * @param {FramePoint} by
 * @param {number} reach
 */
function pulledBy(draft, hold, by, reach) {
  const contour = draft.contour ?? [];
  const place = holdOf(contour, hold);
  const points = bendable(contour);
  const index = points.findIndex((point) => distance(point, place) < 1e-9);
  return withContour(draft, pulled(points, index, by, reach));
}
