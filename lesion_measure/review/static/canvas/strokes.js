/** Thin lines with a dark halo, ends and labels: readable on black, grey and white, and in colour. */

import { toPane } from "./coordinates.js";

/** @typedef {import("./coordinates.js").FramePoint} FramePoint */
/** @typedef {import("./coordinates.js").PanePoint} PanePoint */
/** @typedef {import("./coordinates.js").View} View */
/** @typedef {CanvasRenderingContext2D} Context */

/**
 * @typedef {object} Look
 * @property {string} color
 * @property {number} [width] CSS pixels, where the page's letters have their usual size
 * @property {boolean} [dashed]
 * @property {number} [opacity]
 */

const HALO = "rgba(0, 0, 0, 0.62)";
const HALO_WIDTH = 2.4;
const DASHES = [6, 4];
const ARM = 6;
const RING = 6.5;
/** Sizes of lines and labels: they grow with the page's letters, as on a very large screen. */
let sizes = sizesNow();
addEventListener("resize", () => (sizes = sizesNow()));

function sizesNow() {
  const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const font = (/** @type {number} */ weight, /** @type {number} */ pixels) => `${weight} ${pixels * unit}px system-ui, sans-serif`;
  return { unit, font: font(600, 12), small: font(400, 11), padding: 6 * unit, line: 16 * unit, edge: 3 * unit };
}

/**
 * A path of points of the frame.
 * @param {Context} context
 * @param {View} view
 * @param {readonly FramePoint[]} points
 * @param {Look & {closed?: boolean}} look
 */
export function path(context, view, points, look) {
  stroke(context, look, () => {
    for (const point of points) context.lineTo(...toPane(view, point));
    if (look.closed) context.closePath();
  });
}

/**
 * The end of a caliper: a cross, and a ring where it can be taken or moved by keys.
 * @param {Context} context
 * @param {View} view
 * @param {FramePoint} point
 * @param {Look & {ring?: boolean}} look
 */
export function end(context, view, point, look) {
  const [x, y] = toPane(view, point);
  const arm = ARM * sizes.unit;
  stroke(context, look, () => {
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  });
  if (look.ring) circle(context, [x, y], RING * sizes.unit, look);
}

/**
 * A circle around a point of the pane.
 * @param {Context} context
 * @param {PanePoint} at
 * @param {number} radius CSS pixels
 * @param {Look} look
 */
export function circle(context, [x, y], radius, look) {
  stroke(context, look, () => context.arc(x, y, radius, 0, 2 * Math.PI));
}

/**
 * A label on a dark ground; the first line may begin with a number on the lesion's colour.
 * @param {Context} context
 * @param {PanePoint} at upper left corner
 * @param {{number?: string, color: string, lines: string[], pending?: boolean}} label
 * @returns {{x: number, y: number, width: number, height: number}} where it is
 */
export function label(context, [x, y], { number = "", color, lines, pending = false }) {
  const { width, height } = labelSize(context, number, lines);
  context.save();
  context.fillStyle = "rgba(8, 11, 14, 0.82)";
  rounded(context, x, y, width, height);
  const badge = number === "" ? 0 : sizes.line + sizes.edge;
  if (badge) paintBadge(context, [x + sizes.edge, y + sizes.edge], number, color);
  context.textBaseline = "middle";
  context.globalAlpha = pending ? 0.6 : 1;
  lines.forEach((line, index) => {
    context.font = index === 0 ? sizes.font : sizes.small;
    context.fillStyle = index === 0 ? "#ffffff" : "#c3ccd4";
    context.fillText(line, x + sizes.padding + badge, y + sizes.edge + sizes.line * (index + 0.5));
  });
  context.restore();
  return { x, y, width, height };
}

/**
 * @param {Context} context
 * @param {string} number
 * @param {string[]} lines
 */
export function labelSize(context, number, lines) {
  context.save();
  const widths = lines.map((line, index) => {
    context.font = index === 0 ? sizes.font : sizes.small;
    return context.measureText(line).width;
  });
  context.restore();
  const badge = number === "" ? 0 : sizes.line + sizes.edge;
  const text = lines.length === 0 ? -sizes.padding : Math.max(...widths);
  return { width: text + 2 * sizes.padding + badge, height: Math.max(1, lines.length) * sizes.line + 2 * sizes.edge };
}

/** @type {(context: Context, at: PanePoint, number: string, color: string) => void} */
function paintBadge(context, [x, y], number, color) {
  context.fillStyle = color;
  rounded(context, x, y, sizes.line, sizes.line);
  context.fillStyle = "#0b0e11";
  context.font = sizes.font;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(number, x + sizes.line / 2, y + sizes.line / 2 + 0.5);
  context.textAlign = "left";
}

/** @type {(context: Context, x: number, y: number, width: number, height: number) => void} */
function rounded(context, x, y, width, height) {
  context.beginPath();
  context.roundRect(x, y, width, height, 4);
  context.fill();
}

/**
 * @param {Context} context
 * @param {Look} look
 * @param {() => void} shape adds to the path
 */
function stroke(context, { color, width = 1.5, dashed = false, opacity = 1 }, shape) {
  context.save();
  context.globalAlpha = opacity;
  context.lineJoin = "round";
  context.lineCap = "round";
  context.beginPath();
  shape();
  context.setLineDash(dashed ? DASHES.map((each) => each * sizes.unit) : []);
  context.strokeStyle = HALO;
  context.lineWidth = (width + HALO_WIDTH) * sizes.unit;
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = width * sizes.unit;
  context.stroke();
  context.restore();
}
