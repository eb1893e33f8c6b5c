/** A contour pulled by hand: what is near follows, what is far stays. */

import { denser, distance, shifted } from "../canvas/geometry.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */

const STEP = 1.5;

/**
 * A contour with points close enough to bend.
 * @param {FramePoint[]} contour
 */
export function bendable(contour) {
  return denser(contour, STEP);
}

/**
 * The contour with one point moved, and its neighbours by less the further along the contour they are.
 * @param {FramePoint[]} contour
 * @param {number} index
 * @param {FramePoint} by
 * @param {number} reach along the contour in pixels, where the pull has fallen to 0
 * @returns {FramePoint[]}
 */
export function pulled(contour, index, by, reach) {
  const away = alongFrom(contour, index);
  return contour.map((point, each) => {
    const part = away[each] >= reach ? 0 : (1 + Math.cos((Math.PI * away[each]) / reach)) / 2;
    return part === 0 ? point : shifted(point, [by[0] * part, by[1] * part]);
  });
}

/**
 * How far along the contour each point is from one of them, the shorter way.
 * @param {FramePoint[]} contour
 * @param {number} index
 */
function alongFrom(contour, index) {
  const count = contour.length;
  const ahead = new Array(count).fill(0);
  let sum = 0;
  for (let step = 1; step <= count; step += 1) {
    const at = (index + step) % count;
    sum += distance(contour[(index + step - 1) % count], contour[at]);
    ahead[at] = sum;
  }
  const all = ahead[index];
  ahead[index] = 0;
  return ahead.map((length) => Math.min(length, all - length));
}
