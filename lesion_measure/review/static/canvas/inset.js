/** The lesion as it was drawn at another visit, small and beside the frame. */

import { fitted } from "./coordinates.js";
import { around } from "./geometry.js";
import { drawPicture } from "./picture.js";
import { label, labelSize, path } from "./strokes.js";
import { endsOf } from "../reading/drafts.js";

const BORDER = "#66727f";
const SIDE = 168;
const EDGE = 12;
const AROUND = 0.5;
const LEAST_AROUND = 12;

/**
 * @typedef {object} Ghost
 * @property {import("../reading/types.js").Draft} draft
 * @property {ImageBitmap} bitmap
 * @property {import("../reading/types.js").ImageItem} image
 * @property {number} tall
 * @property {string} number
 * @property {string} color
 * @property {string[]} lines
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./coordinates.js").PaneSize} pane
 * @param {Ghost} ghost
 * @param {number} [side] CSS pixels
 * @param {number} [edge]
 */
export function drawInset(context, pane, ghost, side = Math.min(SIDE, pane.width / 3, pane.height / 3), edge = EDGE) {
  const y = pane.height - edge - side;
  const frame = new Path2D();
  frame.roundRect(edge, y, side, side, 6);
  context.save();
  context.fillStyle = "#05070a";
  context.fill(frame);
  context.save();
  context.clip(frame);
  context.translate(edge, y);
  drawLesion(context, side, ghost);
  context.restore();
  context.strokeStyle = BORDER;
  context.stroke(frame);
  context.restore();
  label(context, [edge, y - 4 - labelSize(context, ghost.number, ghost.lines).height], ghost);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} side
 * @param {Ghost} ghost
 */
function drawLesion(context, side, { draft, bitmap, image, tall, color }) {
  const [top, left, bottom, right] = around(draft.contour ?? endsOf(draft));
  const by = Math.max(LEAST_AROUND, AROUND * Math.max(bottom - top, right - left));
  const part = { row_min: top - by, row_max: bottom + by, col_min: left - by, col_max: right + by };
  const view = fitted(part, { width: side, height: side }, tall);
  drawPicture(context, bitmap, view, image, true);
  const look = { color, dashed: true };
  if (draft.contour !== null) path(context, view, draft.contour, { ...look, closed: true });
  for (const line of [draft.long, draft.short]) if (line !== null) path(context, view, line, look);
}
