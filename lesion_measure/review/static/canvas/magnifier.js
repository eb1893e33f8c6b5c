/** A round glass beside the pointer that shows what lies under it, while an end is placed. */

import { drawPicture } from "./picture.js";
import { placed, toPane } from "./coordinates.js";

const RADIUS = 64;
const AWAY = 96;
const TIMES = 3;
const LEAST_SCALE = 4;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{size: import("./coordinates.js").PaneSize, view: import("./coordinates.js").View, picture: CanvasImageSource, frame: import("./coordinates.js").FrameSize}} pane
 * @param {import("./coordinates.js").FramePoint} point what it shows
 * @param {(view: import("./coordinates.js").View) => void} shapes draws the overlay
 */
export function drawMagnifier(context, { size, view, picture, frame }, point, shapes) {
  const [x, y] = toPane(view, point);
  const centre = /** @type {[number, number]} */ ([
    x + (x > size.width / 2 ? -AWAY : AWAY),
    Math.min(size.height - RADIUS, Math.max(RADIUS, y - AWAY)),
  ]);
  const larger = placed({ ...view, scale: Math.max(LEAST_SCALE, view.scale * TIMES) }, point, centre);
  const glass = new Path2D();
  glass.arc(centre[0], centre[1], RADIUS, 0, 2 * Math.PI);
  context.save();
  context.save();
  context.clip(glass);
  context.fillStyle = "#000000";
  context.fill(glass);
  drawPicture(context, picture, larger, frame, false);
  shapes(larger);
  context.restore();
  context.strokeStyle = "#e6edf3";
  context.lineWidth = 1.5;
  context.stroke(glass);
  context.restore();
}
