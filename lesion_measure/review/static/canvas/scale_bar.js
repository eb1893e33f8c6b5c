/** A bar of a round length. It shows the scale that the image states; nothing is measured with it. */

import { t } from "../texts.js";
import { label, labelSize, path } from "./strokes.js";

const LENGTHS_MM = [1, 2, 5, 10, 20, 50, 100, 200];
const MOST_PART = 0.28;
const EDGE = 14;
const TICK = 5;
const ALIKE = 0.01;

/**
 * The scale that a bar may show: none where the parts of an image differ in theirs, since a bar would be wrong in one of them.
 * @param {{spacing_mm: [number, number] | null, regions: readonly {spacing_mm: [number, number] | null}[]}} image
 * @returns {[number, number] | null} mm per row and column
 */
export function oneScale({ spacing_mm: spacing, regions }) {
  if (spacing === null) return null;
  const differs = regions.some(({ spacing_mm: other }) => other !== null && Math.abs(other[1] / spacing[1] - 1) > ALIKE);
  return differs ? null : spacing;
}

/**
 * Say in the bar's place that an image has no scale.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./coordinates.js").PaneSize} pane
 */
export function drawNoScale(context, pane) {
  const lines = [t("viewer.no_scale")];
  const { width, height } = labelSize(context, "", lines);
  label(context, [pane.width - EDGE - width, pane.height - EDGE - height], { color: "#ffffff", lines });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./coordinates.js").PaneSize} pane
 * @param {import("./coordinates.js").View} view
 * @param {[number, number] | null} spacing mm per row and column
 */
export function drawScaleBar(context, pane, view, spacing) {
  if (spacing === null) return;
  const perMm = view.scale / spacing[1];
  const length = LENGTHS_MM.findLast((each) => each * perMm <= pane.width * MOST_PART);
  if (length === undefined) return;
  const right = pane.width - EDGE;
  const left = right - length * perMm;
  const y = pane.height - EDGE;
  const flat = { x: 0, y: 0, scale: 1, tall: 1 };
  const corners = [[y - TICK, left], [y, left], [y, right], [y - TICK, right]];
  path(context, flat, corners.map(([row, column]) => [row - 0.5, column - 0.5]), { color: "#ffffff" });
  const text = length >= 10 ? `${length / 10} cm` : `${length} mm`;
  const { width, height } = labelSize(context, "", [text]);
  label(context, [right - width, y - height - TICK], { color: "#ffffff", lines: [text] });
}
