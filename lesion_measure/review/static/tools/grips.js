/** What of the drawing in hand can be taken hold of: ends, edge, a caliper as a whole; and the label of any lesion. */

import { distance, isInside, nearestOnContour, nearestOnLine, simpler } from "../canvas/geometry.js";
import { toPane } from "../canvas/coordinates.js";
import { endsOf, movedBy, withContour, withEnd } from "../reading/drafts.js";
import { bendable, pulled } from "./contour.js";
import { untangled } from "./raster.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {import("../reading/types.js").Draft} Draft */

/**
 * @typedef {object} Grip
 * @property {number | null} end which end, by its place in `endsOf`
 * @property {FramePoint | null} place what the magnifier shows at first
 * @property {string} cursor
 * @property {(by: FramePoint) => Draft} moved the drawing after the hand moved by so much
 * @property {(draft: Draft) => Draft} settled the drawing as it is kept
 */

const REACH = 9;
const TOUCH_REACH = 22;
const PULL = 70;
const FINE_PULL = 26;
const OFF = 0.02;

/** How near counts as touched, in pixels of the frame. @param {Pane} pane @param {{pointerType?: string}} event */
function reachOf(pane, { pointerType }) {
  return pane.pixels(pointerType === "touch" ? TOUCH_REACH : REACH);
}

/**
 * What lies under the pointer of a drawing.
 * @param {Pane} pane
 * @param {Draft} draft
 * @param {FramePoint} point
 * @param {{pointerType?: string, altKey?: boolean}} event
 * @param {boolean} whole whether a caliper may be moved as a whole
 * @returns {Grip | null}
 */
export function gripOn(pane, draft, point, event, whole) {
  const reach = reachOf(pane, event);
  if (draft.contour !== null) return edgeGrip(pane, draft, draft.contour, point, reach, event.altKey ?? false);
  return endGrip(draft, point, reach) ?? (whole ? bodyGrip(draft, point, reach) : null);
}

/** @type {(draft: Draft, point: FramePoint, reach: number) => Grip | null} */
function endGrip(draft, point, reach) {
  const ends = endsOf(draft);
  const away = ends.map((end) => distance(end, point));
  const index = away.indexOf(Math.min(...away));
  if (index < 0 || away[index] > reach) return null;
  const [row, column] = ends[index];
  return {
    end: index,
    place: ends[index],
    cursor: "grab",
    moved: (by) => withEnd(draft, index, [row + by[0], column + by[1]]),
    settled: (done) => done,
  };
}

/** @type {(draft: Draft, point: FramePoint, reach: number) => Grip | null} */
function bodyGrip(draft, point, reach) {
  const lines = [draft.long, draft.short].filter((line) => line !== null);
  if (!lines.some(([a, b]) => nearestOnLine(point, a, b).distance <= reach)) return null;
  return { end: null, place: null, cursor: "move", moved: (by) => movedBy(draft, by), settled: (done) => done };
}

/**
 * @param {Pane} pane
 * @param {Draft} draft
 * @param {FramePoint[]} contour
 * @param {FramePoint} point
 * @param {number} reach
 * @param {boolean} fine
 * @returns {Grip | null}
 */
function edgeGrip(pane, draft, contour, point, reach, fine) {
  const found = nearestOnContour(point, contour);
  if (found.distance > reach) return null;
  const before = [...contour.slice(0, found.index + 1), found.place, ...contour.slice(found.index + 1)];
  const points = bendable(before);
  const index = points.findIndex((each) => distance(each, found.place) < 1e-9);
  const along = pane.pixels(fine ? FINE_PULL : PULL);
  return {
    end: null,
    place: found.place,
    cursor: "grab",
    moved: (by) => withContour(draft, pulled(points, index, by, along)),
    settled: (done) => withContour(done, simpler(untangled(done.contour ?? contour), OFF)),
  };
}

/**
 * The lesion whose label is under the pointer.
 * @param {Pane} pane
 * @param {FramePoint} point
 */
export function labelAt(pane, point) {
  const [x, y] = toPane(pane.view, point);
  const tag = pane.tags.find((each) => x >= each.x && y >= each.y && x <= each.x + each.width && y <= each.y + each.height);
  return tag?.lesion ?? null;
}

/**
 * Whether a drawing is under the pointer.
 * @param {Pane} pane
 * @param {Draft} draft
 * @param {FramePoint} point
 */
export function isOn(pane, draft, point) {
  if (draft.contour !== null && isInside(point, draft.contour)) return true;
  return [draft.long, draft.short].some((line) => line !== null && nearestOnLine(point, line[0], line[1]).distance <= pane.pixels(REACH));
}
