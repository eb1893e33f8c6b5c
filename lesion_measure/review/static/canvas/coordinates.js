/**
 * Where a pixel of a frame is on the screen. Nothing else in the page converts between the two.
 *
 * A point of a frame is [row, column], with pixel centres at integers: pixel (0, 0) covers -0.5 to 0.5 both ways.
 * A point of a pane is [x, y] in CSS pixels from the pane's upper left corner. The canvas multiplies by the pixel
 * ratio of the screen when it draws, so nothing here depends on that ratio.
 */

/** @typedef {[number, number]} FramePoint [row, column] */
/** @typedef {[number, number]} PanePoint [x, y] */
/** @typedef {{rows: number, columns: number}} FrameSize */
/** @typedef {{width: number, height: number}} PaneSize */
/** @typedef {{row_min: number, row_max: number, col_min: number, col_max: number}} Part first and last row, column */

/**
 * @typedef {object} View
 * @property {number} x where the frame's left edge is
 * @property {number} y where its upper edge is
 * @property {number} scale CSS pixels per column
 * @property {number} tall height of a pixel over its width, in mm; 1 where the scale is unknown
 */

const LEAST_SCALE = 0.05;
const MOST_SCALE = 64;
const MARGIN = 0.02;

/** @type {(view: View, point: FramePoint) => PanePoint} */
export function toPane(view, [row, column]) {
  return [view.x + (column + 0.5) * view.scale, view.y + (row + 0.5) * view.scale * view.tall];
}

/** @type {(view: View, point: PanePoint) => FramePoint} */
export function toFrame(view, [x, y]) {
  return [(y - view.y) / (view.scale * view.tall) - 0.5, (x - view.x) / view.scale - 0.5];
}

/**
 * The rectangle that the frame covers on the pane.
 * @param {View} view
 * @param {FrameSize} frame
 */
export function covered(view, frame) {
  return { x: view.x, y: view.y, width: frame.columns * view.scale, height: frame.rows * view.scale * view.tall };
}

/**
 * The view that shows a part of a frame as large as the pane allows, in its middle.
 * @param {Part} part
 * @param {PaneSize} pane
 * @param {number} tall
 * @returns {View}
 */
export function fitted(part, pane, tall) {
  const columns = part.col_max - part.col_min + 1;
  const rows = (part.row_max - part.row_min + 1) * tall;
  const scale = limited((1 - MARGIN) * Math.min(pane.width / columns, pane.height / rows));
  return {
    x: (pane.width - columns * scale) / 2 - part.col_min * scale,
    y: (pane.height - rows * scale) / 2 - part.row_min * scale * tall,
    scale,
    tall,
  };
}

/**
 * The view zoomed so that what is at ``at`` stays there.
 * @param {View} view
 * @param {PanePoint} at
 * @param {number} factor
 * @returns {View}
 */
export function zoomedAt(view, [x, y], factor) {
  const scale = limited(view.scale * factor);
  const by = scale / view.scale;
  return { ...view, x: x - (x - view.x) * by, y: y - (y - view.y) * by, scale };
}

/**
 * The view in which a point of the frame lies at a point of the pane.
 * @param {View} view
 * @param {FramePoint} point
 * @param {PanePoint} at
 * @returns {View}
 */
export function placed(view, point, at) {
  const [x, y] = toPane(view, point);
  return { ...view, x: view.x + at[0] - x, y: view.y + at[1] - y };
}

/**
 * The nearest place on a frame's pixels.
 * @param {FrameSize} frame
 * @param {FramePoint} point
 * @returns {FramePoint}
 */
export function onFrame({ rows, columns }, [row, column]) {
  return [Math.min(rows - 0.5, Math.max(-0.5, row)), Math.min(columns - 0.5, Math.max(-0.5, column))];
}

/**
 * The whole frame as a part of itself.
 * @param {FrameSize} frame
 * @returns {Part}
 */
export function whole(frame) {
  return { row_min: 0, row_max: frame.rows - 1, col_min: 0, col_max: frame.columns - 1 };
}

/** @param {number} scale */
function limited(scale) {
  return Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
}
