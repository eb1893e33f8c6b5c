/** Everything over the picture of a pane, in its order. */

import { toPane } from "./coordinates.js";
import { drawInset } from "./inset.js";
import { drawMagnifier } from "./magnifier.js";
import { drawNoScale, drawScaleBar, oneScale } from "./scale_bar.js";
import { drawLabel, drawShape, shapesOn } from "./shapes.js";
import { label, path } from "./strokes.js";
import { fixed } from "../format.js";
import { t } from "../texts.js";

const REGION = "#8fa3b5";
const AREA = "#7dd3a8";
const CROSS = 11;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../reading/desk.js").Desk} desk
 * @param {import("./pane.js").Pane} pane
 */
export function drawLayers(context, desk, pane) {
  const { view, size, place } = pane;
  pane.tags = [];
  if (pane.bitmap === null) return;
  if (desk.show.area) drawArea(context, pane);
  const shapes = desk.show.overlays ? shapesOn(desk, pane) : [];
  const inHand = desk.pane === pane ? desk.end : null;
  for (const shape of shapes) drawShape(context, view, shape, inHand);
  desk.tools.paint(context, view, pane);
  if (desk.show.ghost && pane.ghost !== null) drawInset(context, size, pane.ghost);
  for (const shape of shapes.filter(isLabelled)) pane.tags.push({ lesion: shape.draft.lesion, ...drawLabel(context, size, view, shape, pane.tags) });
  if (place.image.spacing_mm === null) drawNoScale(context, size);
  else drawScaleBar(context, size, view, oneScale(place.image));
  if (desk.show.position) drawPosition(context, pane);
  if (pane.byKeys && pane.pointer !== null && desk.pane === pane) drawCross(context, pane, pane.pointer);
  const picture = pane.shown;
  if (pane.magnified !== null && picture !== null) {
    drawMagnifier(context, { size, view, picture, frame: place.image }, pane.magnified, (larger) => {
      for (const shape of shapes) drawShape(context, larger, shape);
      desk.tools.paint(context, larger, pane);
    });
  }
}

/** What gives way to an offer has no label, nor has an earlier statement: its offer says it. @param {import("./shapes.js").Shape} shape */
function isLabelled({ giving, kind, draft }) {
  return giving !== true && (kind !== "earlier" || draft.long !== null || draft.contour !== null);
}

/** @param {CanvasRenderingContext2D} context @param {import("./pane.js").Pane} pane */
function drawArea(context, { view, place, area }) {
  for (const { row_min, row_max, col_min, col_max, spacing_mm } of place.image.regions) {
    // The region's pixels are wholly within it.
    const [top, left, bottom, right] = [row_min - 0.5, col_min - 0.5, row_max + 0.5, col_max + 0.5];
    path(context, view, [[top, left], [top, right], [bottom, right], [bottom, left]], { color: REGION, width: 1, closed: true, dashed: spacing_mm === null });
    const [x, y] = toPane(view, [row_min, col_min]);
    const text = spacing_mm === null ? t("viewer.region.none") : t("viewer.region", { row: fixed(spacing_mm[0], 4), column: fixed(spacing_mm[1], 4) });
    label(context, [Math.max(4, x + 4), Math.max(4, y + 4)], { color: REGION, lines: [text] });
  }
  for (const outline of area) path(context, view, outline, { color: AREA, width: 1, closed: true });
}

/** Column and row under the pointer. @param {CanvasRenderingContext2D} context @param {import("./pane.js").Pane} pane */
function drawPosition(context, { pointer, size }) {
  const text = pointer === null ? t("viewer.position.none") : t("viewer.position", { column: fixed(pointer[1], 2), row: fixed(pointer[0], 2) });
  label(context, [size.width - 196, 8], { color: "#ffffff", lines: [text] });
}

/** @param {CanvasRenderingContext2D} context @param {import("./pane.js").Pane} pane @param {import("./coordinates.js").FramePoint} point */
function drawCross(context, { view }, [row, column]) {
  const arm = CROSS / view.scale;
  const look = { color: "#ffffff", width: 1 };
  path(context, view, [[row - arm / view.tall, column], [row + arm / view.tall, column]], look);
  path(context, view, [[row, column - arm], [row, column + arm]], look);
}
