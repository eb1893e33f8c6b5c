/** What is drawn of lesions on a frame: own readings, proposals and earlier ones, each with its sizes. */

import { around } from "./geometry.js";
import { end, label, labelSize, path } from "./strokes.js";
import { toPane } from "./coordinates.js";
import { endsOf } from "../reading/drafts.js";
import { sizeLines } from "../reading/sizes.js";

/** @typedef {import("../reading/types.js").Draft} Draft */
/** @typedef {import("../reading/types.js").Measured} Measured */
/** @typedef {import("./coordinates.js").View} View */

/**
 * @typedef {object} Shape
 * @property {Draft} draft
 * @property {Measured | null} measured null: the server has not answered yet
 * @property {string} number
 * @property {string} color
 * @property {boolean} chosen of the lesion in hand
 * @property {"own" | "proposal" | "earlier"} kind
 * @property {string} source who drew it; empty: the reader
 * @property {boolean} [giving] it gives way to what is on offer
 */

const LABEL_AWAY = 12;
const EDGE = 6;

/**
 * All that is drawn on what a pane shows; the lesion in hand comes last, on top.
 * @param {import("../reading/desk.js").Desk} desk
 * @param {import("./pane.js").Pane} pane
 * @returns {Shape[]}
 */
export function shapesOn(desk, pane) {
  const { image, frame } = pane.place;
  const here = (/** @type {Draft} */ draft) => draft.image === image.id && draft.frame === frame;
  const editing = desk.edit?.pane === pane && here(desk.edit.draft) ? desk.edit.draft : null;
  const own = desk.book.entries.flatMap(({ draft }) => (draft && here(draft) && draft.lesion !== editing?.lesion ? [draft] : []));
  const proposal = desk.offered.proposal && here(desk.offered.proposal.draft) && editing === null ? desk.offered.proposal : null;
  const taken = new Set([...own, ...(editing ? [editing] : [])].map(({ lesion }) => lesion));
  const earlier = desk.offered.earlier.filter(({ draft }) => here(draft) && (!taken.has(draft.lesion) || desk.session.role === "adjudicator"));
  const burntIn = editing === null && proposal === null ? desk.offered.earlierOn(pane) : null;
  if (burntIn !== null && !earlier.some(({ id }) => id === burntIn.id)) earlier.push(burntIn);
  const shape = shaper(desk);
  return [
    ...earlier.map(({ draft, measured, source }) => shape(draft, measured, "earlier", source)),
    ...own.map((draft) => ({ ...shape(draft, desk.measuredOf(draft), "own"), giving: draft.lesion === proposal?.draft.lesion })),
    ...(proposal ? [shape(proposal.draft, proposal.measured, "proposal")] : []),
    ...(editing ? [shape(editing, desk.measuredOf(editing), "own")] : []),
  ].sort((a, b) => Number(a.chosen) - Number(b.chosen));
}

/** @param {import("../reading/desk.js").Desk} desk */
function shaper(desk) {
  /** @type {(draft: Draft, measured: Measured | null, kind: Shape["kind"], source?: string) => Shape} */
  return (draft, measured, kind, source = "") => ({
    draft,
    measured,
    kind,
    source,
    number: desk.numberOf(draft.lesion),
    color: desk.colorOf(draft.lesion),
    chosen: draft.lesion === desk.lesion,
  });
}

/**
 * The lines of a drawing.
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Shape} shape
 * @param {number | null} inHand end that keys move
 */
export function drawShape(context, view, { draft, measured, color, chosen, kind, giving = false }, inHand = null) {
  const look = { color, dashed: kind !== "own", width: chosen ? 1.75 : 1.25, opacity: giving ? 0.35 : chosen ? 1 : 0.8 };
  if (draft.contour !== null) {
    path(context, view, draft.contour, { ...look, closed: true });
    for (const axis of [measured?.long, measured?.short]) {
      if (axis) path(context, view, axis, { ...look, width: 1, opacity: 0.75, dashed: true });
    }
  }
  for (const line of [draft.long, draft.short]) if (line !== null) path(context, view, line, look);
  endsOf(draft).forEach((point, index) => {
    end(context, view, point, { ...look, dashed: false, ring: chosen && index === inHand });
  });
}

/**
 * The label of a drawing, beside it, within the pane, and on no other label where there is room.
 * @param {CanvasRenderingContext2D} context
 * @param {{width: number, height: number}} size of the pane
 * @param {View} view
 * @param {Shape} shape
 * @param {Box[]} [taken] where other labels are
 */
export function drawLabel(context, size, view, shape, taken = []) {
  const { draft, number, color, source } = shape;
  const sizes = sizeLines(draft, shape.measured);
  const lines = [...(shape.chosen ? sizes : sizes.slice(0, 1)), ...(source === "" ? [] : [source])];
  const points = draft.contour ?? endsOf(draft);
  const room = labelSize(context, number, lines);
  const places = points.length === 0 ? [{ x: EDGE, y: EDGE, ...room }] : beside(view, points, room);
  const inside = places.map((box) => within(box, size));
  const fits = places.findIndex((box, index) => box.x === inside[index].x && box.y === inside[index].y && !taken.some((other) => overlap(other, box)));
  const free = inside.find((box) => !taken.some((other) => overlap(other, box)));
  const { x, y } = inside[fits] ?? free ?? inside[0];
  const pending = shape.measured === null && points.length > 0;
  return label(context, [x, y], { number, color, lines, pending });
}

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/**
 * Places around points: right, left, below, above.
 * @param {View} view
 * @param {import("./coordinates.js").FramePoint[]} points
 * @param {{width: number, height: number}} room
 * @returns {Box[]}
 */
function beside(view, points, room) {
  const [top, left, bottom, right] = around(points);
  const [leftX, topY] = toPane(view, [top, left]);
  const [rightX, bottomY] = toPane(view, [bottom, right]);
  return [
    { x: rightX + LABEL_AWAY, y: topY, ...room },
    { x: leftX - LABEL_AWAY - room.width, y: topY, ...room },
    { x: leftX, y: bottomY + LABEL_AWAY, ...room },
    { x: leftX, y: topY - LABEL_AWAY - room.height, ...room },
  ];
}

/** @type {(box: Box, size: {width: number, height: number}) => Box} */
function within(box, size) {
  const x = Math.max(EDGE, Math.min(box.x, size.width - box.width - EDGE));
  return { ...box, x, y: Math.max(EDGE, Math.min(box.y, size.height - box.height - EDGE)) };
}

/** @type {(a: Box, b: Box) => boolean} */
function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
