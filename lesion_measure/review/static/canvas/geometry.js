/**
 * Distances and shapes in pixels of a frame, for what the pointer touches. No millimetre is computed here.
 *
 * Points are [row, column]. A closed contour does not repeat its first point.
 */

/** @typedef {import("./coordinates.js").FramePoint} FramePoint */
/** @typedef {[FramePoint, FramePoint]} Line */

/** @type {(a: FramePoint, b: FramePoint) => number} */
export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** @type {(a: FramePoint, b: FramePoint, part?: number) => FramePoint} */
export function between(a, b, part = 0.5) {
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
}

/** @type {(a: FramePoint, by: FramePoint) => FramePoint} */
export function shifted(a, by) {
  return [a[0] + by[0], a[1] + by[1]];
}

/**
 * The nearest place on a line.
 * @param {FramePoint} point
 * @param {FramePoint} a
 * @param {FramePoint} b
 * @returns {{place: FramePoint, part: number, distance: number}}
 */
export function nearestOnLine(point, a, b) {
  const along = [b[0] - a[0], b[1] - a[1]];
  const square = along[0] ** 2 + along[1] ** 2;
  const dot = (point[0] - a[0]) * along[0] + (point[1] - a[1]) * along[1];
  const part = square === 0 ? 0 : Math.min(1, Math.max(0, dot / square));
  const place = between(a, b, part);
  return { place, part, distance: distance(point, place) };
}

/**
 * The nearest place on a closed contour; ``index`` is the vertex before it.
 * @param {FramePoint} point
 * @param {FramePoint[]} contour
 */
export function nearestOnContour(point, contour) {
  let best = { index: 0, place: contour[0], distance: Infinity };
  contour.forEach((vertex, index) => {
    const found = nearestOnLine(point, vertex, contour[(index + 1) % contour.length]);
    if (found.distance < best.distance) best = { index, place: found.place, distance: found.distance };
  });
  return best;
}

/**
 * Whether a point lies inside a closed contour (even-odd).
 * @param {FramePoint} point
 * @param {FramePoint[]} contour
 */
export function isInside([row, column], contour) {
  let inside = false;
  contour.forEach(([rowA, columnA], index) => {
    const [rowB, columnB] = contour[(index + 1) % contour.length];
    if (rowA > row !== rowB > row && column < columnA + ((row - rowA) / (rowB - rowA)) * (columnB - columnA)) {
      inside = !inside;
    }
  });
  return inside;
}

/**
 * The contour with points at most ``step`` apart; its own points stay.
 * @param {FramePoint[]} contour
 * @param {number} step
 * @returns {FramePoint[]}
 */
export function denser(contour, step) {
  return contour.flatMap((vertex, index) => {
    const next = contour[(index + 1) % contour.length];
    const pieces = Math.max(1, Math.ceil(distance(vertex, next) / step));
    return Array.from({ length: pieces }, (_, piece) => between(vertex, next, piece / pieces));
  });
}

/**
 * Whether edges of a closed contour cross one another.
 * @param {FramePoint[]} contour
 */
export function crossesItself(contour) {
  const count = contour.length;
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 2; j < count; j += 1) {
      if (i === 0 && j === count - 1) continue;
      if (edgesCross(contour[i], contour[i + 1], contour[j], contour[(j + 1) % count])) return true;
    }
  }
  return false;
}

/** @type {(a: FramePoint, b: FramePoint, c: FramePoint, d: FramePoint) => boolean} */
function edgesCross(a, b, c, d) {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/** @type {(a: FramePoint, b: FramePoint, point: FramePoint) => number} */
function side(a, b, point) {
  return (b[1] - a[1]) * (point[0] - a[0]) - (b[0] - a[0]) * (point[1] - a[1]);
}

/**
 * Smallest upright box around points: [top, left, bottom, right].
 * @param {FramePoint[]} points
 * @returns {[number, number, number, number]}
 */
export function around(points) {
  const rows = points.map(([row]) => row);
  const columns = points.map(([, column]) => column);
  return [Math.min(...rows), Math.min(...columns), Math.max(...rows), Math.max(...columns)];
}

/**
 * Area within a closed contour in square pixels.
 * @param {FramePoint[]} contour
 */
export function pixelArea(contour) {
  const twice = contour.reduce((sum, [row, column], index) => {
    const [nextRow, nextColumn] = contour[(index + 1) % contour.length];
    return sum + column * nextRow - nextColumn * row;
  }, 0);
  return Math.abs(twice) / 2;
}

/**
 * The other end of the line through ``start`` nearest to ``end`` that stands square on ``axis`` on the screen.
 *
 * ``tall`` is the height of a pixel over its width: square is meant in the body, not in the grid.
 * @param {Line} axis
 * @param {FramePoint} start
 * @param {FramePoint} end
 * @param {number} tall
 * @returns {FramePoint}
 */
export function squareTo(axis, start, end, tall) {
  const normal = [axis[1][1] - axis[0][1], -(axis[1][0] - axis[0][0]) * tall];
  const square = normal[0] ** 2 + normal[1] ** 2;
  if (square === 0) return end;
  const along = (((end[0] - start[0]) * tall) * normal[0] + (end[1] - start[1]) * normal[1]) / square;
  return [start[0] + (along * normal[0]) / tall, start[1] + along * normal[1]];
}

/**
 * A contour with the points left out that lie within ``off`` of the line between their neighbours.
 * @param {FramePoint[]} contour
 * @param {number} off
 * @returns {FramePoint[]}
 */
export function simpler(contour, off) {
  const half = Math.floor(contour.length / 2);
  if (half < 2) return contour;
  const first = thinned(contour.slice(0, half + 1), off);
  const second = thinned([...contour.slice(half), contour[0]], off);
  return [...first.slice(0, -1), ...second.slice(0, -1)];
}

/**
 * Douglas and Peucker's way, without recursion.
 * @param {FramePoint[]} path
 * @param {number} off
 * @returns {FramePoint[]}
 */
function thinned(path, off) {
  const keep = new Set([0, path.length - 1]);
  const open = [[0, path.length - 1]];
  while (open.length > 0) {
    const [from, to] = /** @type {[number, number]} */ (open.pop());
    let far = -1;
    let most = off;
    for (let index = from + 1; index < to; index += 1) {
      const away = nearestOnLine(path[index], path[from], path[to]).distance;
      if (away > most) [far, most] = [index, away];
    }
    if (far < 0) continue;
    keep.add(far);
    open.push([from, far], [far, to]);
  }
  return path.filter((_, index) => keep.has(index));
}
