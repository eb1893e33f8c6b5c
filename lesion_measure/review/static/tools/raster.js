/**
 * A contour as a picture and back, for the brush: the browser's own canvas fills and erases, at several cells a pixel.
 *
 * The filled picture has soft edges, and the contour is taken where it is half filled, between cells. So what the brush
 * does not touch moves by less than a tenth of a pixel.
 */

import { around, crossesItself, pixelArea, simpler } from "../canvas/geometry.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */

const CELLS = 4;
const MOST_CELLS = 1_500_000;
const MARGIN = 3;
const HALF = 127.5;
const OFF = 0.03;
const TRIFLE = 0.02;

/** The part of a frame that is drawn on, filled with a contour. */
export class Raster {
  /**
   * @param {FramePoint[]} contour may be empty
   * @param {FramePoint[]} reach points that must fit in as well
   */
  constructor(contour, reach) {
    const [top, left, bottom, right] = around([...contour, ...reach]);
    this._top = top - MARGIN;
    this._left = left - MARGIN;
    const height = bottom - top + 2 * MARGIN;
    const width = right - left + 2 * MARGIN;
    this._cells = Math.min(CELLS, Math.sqrt(MOST_CELLS / (height * width)));
    this._width = Math.ceil(width * this._cells);
    this._height = Math.ceil(height * this._cells);
    const canvas = new OffscreenCanvas(this._width, this._height);
    this._canvas = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    this._fill(contour);
  }

  /** Whether a disc lies within what was laid out. @param {FramePoint} at @param {number} radius */
  holds(at, radius) {
    const [x, y] = this._place(at);
    const reach = (radius + 1) * this._cells;
    return x >= reach && y >= reach && x <= this._width - reach && y <= this._height - reach;
  }

  /**
   * Draw or erase along a line with a round brush.
   * @param {FramePoint} from
   * @param {FramePoint} to
   * @param {number} radius in pixels
   * @param {boolean} erase
   */
  brush(from, to, radius, erase) {
    const canvas = this._canvas;
    canvas.globalCompositeOperation = erase ? "destination-out" : "source-over";
    canvas.lineCap = "round";
    canvas.lineWidth = 2 * radius * this._cells;
    canvas.beginPath();
    canvas.moveTo(...this._place(from));
    // A line without length draws no cap in some browsers.
    const [x, y] = this._place(to);
    canvas.lineTo(x, y + 0.001);
    canvas.stroke();
  }

  /**
   * The largest filled part as a contour; null where nothing is left.
   * @returns {FramePoint[] | null}
   */
  contour() {
    const { data } = this._canvas.getImageData(0, 0, this._width, this._height);
    const loops = edgeLoops((x, y) => data[(y * this._width + x) * 4 + 3], this._width, this._height);
    const largest = loops.reduce((best, loop) => (pixelArea(loop) > pixelArea(best) ? loop : best), []);
    if (largest.length < 3) return null;
    // A cell's value belongs to its middle.
    const points = largest.map(([y, x]) => /** @type {FramePoint} */ ([(y + 0.5) / this._cells + this._top, (x + 0.5) / this._cells + this._left]));
    const contour = simpler(points, OFF);
    return contour.length < 3 ? null : contour;
  }

  /** @param {FramePoint} point @returns {[number, number]} */
  _place([row, column]) {
    return [(column - this._left) * this._cells, (row - this._top) * this._cells];
  }

  /** @param {FramePoint[]} contour */
  _fill(contour) {
    if (contour.length < 3) return;
    this._canvas.beginPath();
    for (const point of contour) this._canvas.lineTo(...this._place(point));
    this._canvas.closePath();
    this._canvas.fill("nonzero");
  }
}

/**
 * A contour whose edges cross no more, where that changes next to nothing of its area, such as where the ends of a line
 * drawn in one go overlap. One that crosses itself truly stays as it was drawn, so that its doubt is told.
 * @param {FramePoint[]} contour
 * @returns {FramePoint[]}
 */
export function untangled(contour) {
  if (!crossesItself(contour)) return contour;
  const plain = new Raster(contour, []).contour() ?? contour;
  const lost = Math.abs(pixelArea(plain) - pixelArea(contour));
  return lost <= TRIFLE * pixelArea(plain) ? plain : contour;
}

/**
 * Closed lines where a picture is half filled, by marching squares; cells outside are empty.
 *
 * Every crossing lies on an edge between two cells and belongs to two squares, so following them closes each loop.
 * @param {(x: number, y: number) => number} value
 * @param {number} width
 * @param {number} height
 * @returns {FramePoint[][]}
 */
function edgeLoops(value, width, height) {
  const next = linked(value, width, height);
  const loops = [];
  while (next.size > 0) {
    const [start] = next.keys();
    const loop = [];
    let key = start;
    while (next.has(key)) {
      loop.push(crossing(key, value, width));
      const following = /** @type {number} */ (next.get(key));
      next.delete(key);
      key = following;
    }
    loops.push(loop);
  }
  return loops;
}

/**
 * Which crossing follows which, with the filled side on the same hand. A crossing's key is its cell twice, plus 1 where
 * the edge goes down from the cell rather than right.
 * @param {(x: number, y: number) => number} value
 * @param {number} width
 * @param {number} height
 * @returns {Map<number, number>}
 */
function linked(value, width, height) {
  /** @type {Map<number, number>} */
  const next = new Map();
  for (let y = 0; y < height - 1; y += 1) {
    for (let x = 0; x < width - 1; x += 1) {
      const corners = [value(x, y) > HALF, value(x + 1, y) > HALF, value(x + 1, y + 1) > HALF, value(x, y + 1) > HALF];
      if (corners[0] === corners[1] && corners[1] === corners[2] && corners[2] === corners[3]) continue;
      const cell = y * width + x;
      const sides = [2 * cell, 2 * (cell + 1) + 1, 2 * (cell + width), 2 * cell + 1];
      link(corners, sides, next);
    }
  }
  return next;
}

/**
 * Within one square: each side where it is entered (empty to filled, clockwise) leads to the next where it is left.
 * @param {boolean[]} corners clockwise from the upper left
 * @param {number[]} sides keys of the sides: upper, right, lower, left
 * @param {Map<number, number>} next
 */
function link(corners, sides, next) {
  for (let side = 0; side < 4; side += 1) {
    if (corners[side] || !corners[(side + 1) % 4]) continue;
    let leave = (side + 1) % 4;
    while (!(corners[leave] && !corners[(leave + 1) % 4])) leave = (leave + 1) % 4;
    next.set(sides[side], sides[leave]);
  }
}

/**
 * Where between its two cells a crossing is, as [y, x] in cells.
 * @param {number} key
 * @param {(x: number, y: number) => number} value
 * @param {number} width
 * @returns {FramePoint}
 */
function crossing(key, value, width) {
  const cell = key >> 1;
  const [x, y] = [cell % width, Math.floor(cell / width)];
  const down = key & 1;
  const here = value(x, y);
  const there = down ? value(x, y + 1) : value(x + 1, y);
  const part = (HALF - here) / (there - here);
  return down ? [y + part, x] : [y, x + part];
}
