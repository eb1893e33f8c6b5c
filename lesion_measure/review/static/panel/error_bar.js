/** A size with its error bar as a small picture; all of one lesion have the same scale, from 0 mm. */

import { s } from "../dom.js";

const WIDTH = 100;
const MIDDLE = 5;
const END = 3;

/**
 * @param {import("../reading/types.js").Size} size
 * @param {number} most mm at the right end
 * @param {string} color
 */
export function errorBar({ value, ci95 }, most, color) {
  const at = (/** @type {number} */ mm) => (WIDTH * mm) / (most || 1);
  const [low, high] = (ci95 ?? [0, 0]).map(at);
  const bar = s("path", { d: `M${low} ${MIDDLE}H${high}M${low} ${MIDDLE - END}v${2 * END}M${high} ${MIDDLE - END}v${2 * END}`, class: "bar-range" });
  const dot = s("circle", { cx: at(value ?? 0), cy: MIDDLE, r: 3, fill: color });
  return s("svg", { viewBox: `-3 0 ${WIDTH + 6} 10`, class: "error-bar", "aria-hidden": "true" }, s("path", { d: `M0 ${MIDDLE}H${WIDTH}`, class: "bar-scale" }), bar, dot);
}
