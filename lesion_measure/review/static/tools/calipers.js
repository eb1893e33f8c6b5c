/** Long axis alone, or long and short axis one after the other; and the ruler, which is not kept. */

import { squareTo } from "../canvas/geometry.js";
import { drawLabel, drawShape } from "../canvas/shapes.js";
import { emptyDraft, withAxes } from "../reading/drafts.js";
import { Stroke } from "./stroke.js";

/** @typedef {import("../canvas/geometry.js").Line} Line */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {import("../reading/desk.js").Desk} Desk */
/** @typedef {import("../reading/types.js").Draft} Draft */

const RULER_COLOR = "#ffffff";

/** @param {Draft | null} draft */
const lineHint = (draft) => (draft === null ? "viewer.hint.line" : "");

/** Whether a caliper waits for its short axis. @param {Draft | null} draft @returns {draft is Draft & {long: Line}} */
const lacksShort = (draft) => draft?.kind === "caliper" && draft.long !== null && draft.short === null;

/** One stroke: the long axis. @param {Desk} desk */
export function longTool(desk) {
  return { ...strokeTool(desk, (pane, line) => withAxes(desk.begun(pane), line, null)), hint: lineHint };
}

/**
 * Two strokes: the long axis, then the short one, which stands square on the first unless Shift is held.
 * @param {Desk} desk
 */
export function axesTool(desk) {
  const tool = strokeTool(desk, (pane, line, { shiftKey }) => {
    const begun = desk.begun(pane);
    const here = desk.draftAt(begun);
    if (!lacksShort(here)) return withAxes(begun, line, null);
    const end = shiftKey ? line[1] : squareTo(here.long, line[0], line[1], pane.tall);
    return withAxes(here, here.long, [line[0], end]);
  });
  return { ...tool, hint: (/** @type {Draft | null} */ draft) => (lacksShort(draft) ? "viewer.hint.short" : lineHint(draft)) };
}

/**
 * @param {Desk} desk
 * @param {(pane: Pane, line: Line, held: import("./stroke.js").Held) => import("../reading/types.js").Draft} draftOf
 */
function strokeTool(desk, draftOf) {
  return {
    cursor: "crosshair",
    stroke: new Stroke({
      changed: (pane, line, held) => desk.preview(pane, draftOf(pane, line, held)),
      done: (pane, line, held) => desk.keep(draftOf(pane, line, held)),
    }),
  };
}

/** A distance between any two points; it is shown until the next one, and never kept. */
export class Ruler {
  /** @param {Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this.cursor = "crosshair";
    this.reads = true;
    /** @type {import("../reading/types.js").Draft | null} */
    this._draft = null;
    const show = (/** @type {Pane} */ pane, /** @type {Line} */ line) => this._show(pane, line);
    this.stroke = new Stroke({ changed: show, done: show });
  }

  /** @param {Pane} pane @param {Line} line */
  _show(pane, line) {
    this._draft = withAxes(emptyDraft(pane.place, ""), line, null);
    this._desk.live.ask(this._draft);
    this._desk.tell("draw");
  }

  /** Take the ruler off the picture; false where none is on it. */
  clear() {
    if (this._draft === null) return false;
    this._draft = null;
    this._desk.tell("draw");
    return true;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../canvas/coordinates.js").View} view @param {Pane} pane */
  paint(context, view, pane) {
    const draft = this._draft;
    if (draft === null || draft.image !== pane.place.image.id || draft.frame !== pane.place.frame) return;
    const measured = this._desk.live.of(draft);
    /** @type {import("../canvas/shapes.js").Shape} */
    const shape = { draft, measured, letter: "", color: RULER_COLOR, chosen: true, kind: "own", source: "" };
    drawShape(context, view, shape);
    if (view === pane.view) drawLabel(context, pane.size, view, shape);
  }
}
