/**
 * The tools, and the one in hand.
 *
 * A drawing belongs to the image, the frame and the lesion of its first press. Whatever would change one of them while it
 * is unfinished calls `leave` before, and the drawing is let go of.
 *
 * Whatever the tool, the drawing of the lesion in hand can be corrected by its ends or its edge, and labels can be
 * dragged; only the brush paints over everything.
 */

import { declined } from "../announce.js";
import { t } from "../texts.js";
import { shapesOn } from "../canvas/shapes.js";
import { Ask } from "./ask.js";
import { Brush } from "./brush.js";
import { Ruler, axesTool, longTool } from "./calipers.js";
import { carry } from "./carry.js";
import { canDrawOn } from "./drawable.js";
import { gripOn, isOn, labelAt } from "./grips.js";
import { Trace } from "./trace.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {import("../reading/types.js").Draft} Draft */

/**
 * A tool draws by `stroke`, or by its own `down`, `move` and `up`. `down` answers false where it has no use for the
 * press: then the picture is moved.
 * @typedef {object} Tool
 * @property {string} cursor
 * @property {boolean} [reads] it writes nothing, so that it works in a signed case
 * @property {boolean} [paints] it draws over ends and labels
 * @property {(draft: Draft | null) => string} [hint] the key of what to do next, where the lesion has this drawing; or empty
 */

const HAND = { cursor: "default", reads: true, down: () => false };

export class ToolBox {
  /** @param {import("../reading/desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this.ask = new Ask(desk);
    this.ruler = new Ruler(desk);
    /** @type {Record<string, any>} */
    this.tools = {
      select: HAND,
      ask: this.ask,
      caliper: longTool(desk),
      axes: axesTool(desk),
      outline: new Trace(desk),
      brush: new Brush(desk, false),
      erase: new Brush(desk, true),
      ruler: this.ruler,
    };
    /** @type {{grip: import("./grips.js").Grip, start: FramePoint, moved: boolean} | null} */
    this._held = null;
    /** @type {{pane: Pane, draft: Draft} | null} where what is being drawn was begun, and with what draft */
    this._first = null;
  }

  get tool() {
    return this.tools[this._desk.tool];
  }

  /** What presses and moves go to. */
  get _hand() {
    return this.tool.stroke ?? this.tool;
  }

  /** Whether something is half drawn, or held by the pointer. */
  get drawing() {
    return this._held !== null || this._hand.active === true;
  }

  /** The key of what to do next on a pane with the tool in hand; empty where nothing need be said. @param {Pane} pane */
  hintOn(pane) {
    if (this._desk.locked || this._held !== null) return "";
    return this.tool.hint?.(this._desk.draftOn(pane)) ?? "";
  }

  /** What is half drawn and would be kept, as it was begun; null where nothing is. @returns {Draft | null} */
  get halfDrawn() {
    if (!this.drawing || this._first === null || (this._held === null && this.tool.reads === true)) return null;
    return { ...this._first.draft, lesion: this._desk.lesion };
  }

  /** The draft that a drawing on a pane was begun with; null where none is being drawn there. @param {Pane} pane */
  began(pane) {
    return this._first?.pane === pane ? this._first.draft : null;
  }

  /**
   * Before something else is shown or chosen: what keys moved is kept; what is half drawn is let go of, with a note.
   * @param {Pane | null} pane the pane that will show something else; null: whichever
   * @returns {boolean} whether something was half drawn
   */
  leave(pane = null) {
    this._desk.nudge.settle();
    if (!this.drawing || (pane !== null && this._first?.pane !== pane)) return false;
    this.cancel();
    declined(t("viewer.let_go"));
    return true;
  }

  /** Whether the pane has to be drawn again whenever the pointer moves. */
  get followsPointer() {
    return this.tool.paints === true || this._hand.active === true;
  }

  /**
   * @param {Pane} pane
   * @param {FramePoint} point
   * @param {any} event
   * @returns {boolean} whether the press is used
   */
  down(pane, point, event) {
    if (!canDrawOn(pane)) return true;
    this._desk.nudge.settle();
    if (this.drawing && this._first?.pane !== pane) this.leave();
    if (!this.drawing) this._first = { pane, draft: this._desk.fresh(pane) };
    const isUsed = this._press(pane, point, event);
    if (this.drawing) pane.stay();
    this._rest();
    return isUsed;
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  _press(pane, point, event) {
    if (this._hand.active !== true && this.tool.paints !== true && this._takeHold(pane, point, event)) return true;
    if (this._desk.locked && this.tool.reads !== true) {
      declined(t("viewer.locked"));
      return false;
    }
    this._desk.end = null;
    return this._hand.down(pane, point, event);
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  _takeHold(pane, point, event) {
    const lesion = labelAt(pane, point);
    if (lesion !== null) return carry(this._desk, lesion, event);
    if (this._desk.tool === "select") this._chooseAt(pane, point);
    const draft = this._desk.draftOn(pane) ?? this._desk.offered.proposalOn(pane)?.draft ?? null;
    if (draft === null || this._desk.locked) return false;
    const grip = gripOn(pane, draft, point, event, this._desk.tool === "select");
    if (grip === null) return false;
    this._held = { grip, start: point, moved: false };
    this._desk.end = grip.end;
    pane.magnified = grip.place;
    this._desk.tell("change");
    return true;
  }

  /** @param {Pane} pane @param {FramePoint} point */
  _chooseAt(pane, point) {
    const found = shapesOn(this._desk, pane).reverse().find(({ draft }) => isOn(pane, draft, point));
    if (found && found.draft.lesion !== this._desk.lesion) this._desk.choose(found.draft.lesion);
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  move(pane, point, event) {
    const held = this._held;
    if (held === null) {
      this._hand.move?.(pane, point, event);
      return;
    }
    held.moved = true;
    const by = /** @type {FramePoint} */ ([point[0] - held.start[0], point[1] - held.start[1]]);
    if (held.grip.place !== null) pane.magnified = [held.grip.place[0] + by[0], held.grip.place[1] + by[1]];
    this._desk.preview(pane, held.grip.moved(by));
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  up(pane, point, event) {
    const held = this._held;
    if (held === null) {
      this._hand.up?.(pane, point, event);
      this._rest();
      return;
    }
    this._held = null;
    this._rest();
    pane.magnified = null;
    const draft = this._desk.edit?.draft;
    if (held.moved && draft) this._desk.keep(held.grip.settled(draft));
    else this._desk.tell("draw");
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  hover(pane, point, event) {
    if (this._hand.active === true) this._hand.move?.(pane, point, event);
    pane.overlay.style.cursor = this._cursorAt(pane, point, event);
  }

  /** @param {Pane} pane @param {FramePoint} point @param {any} event */
  _cursorAt(pane, point, event) {
    if (this.tool.paints === true || this._hand.active === true) return this.tool.cursor;
    if (labelAt(pane, point) !== null) return "grab";
    const draft = this._desk.draftOn(pane) ?? this._desk.offered.proposalOn(pane)?.draft;
    const grip = draft && !this._desk.locked ? gripOn(pane, draft, point, event, this._desk.tool === "select") : null;
    return grip?.cursor ?? this.tool.cursor;
  }

  /** A press of the keys where their cross is. @param {Pane} pane @param {FramePoint} point */
  press(pane, point) {
    const held = { shiftKey: false, altKey: false };
    if (this.down(pane, point, held)) this.up(pane, point, held);
    pane.redraw();
  }

  /**
   * Take back a press that turned out to be none, as that of the first of two fingers; what earlier presses drew stays.
   * @param {boolean} wasDrag whether something was drawn with it, so that its loss is told
   */
  unpress(wasDrag) {
    if (!this.drawing) return;
    if (this._held !== null || this._hand.unpress === undefined) this.cancel();
    else this._hand.unpress();
    this._rest();
    this._desk.tell("draw");
    if (wasDrag) declined(t("viewer.let_go"));
  }

  /** End what is drawn point by point; false where nothing is. */
  finish() {
    if (this.tool.finish === undefined || this._hand.active !== true) return false;
    this.tool.finish();
    this._rest();
    return true;
  }

  /** Take back the last point; false where there is none. */
  back() {
    if (this.tool.back === undefined || this._hand.active !== true) return false;
    this.tool.back();
    this._rest();
    return true;
  }

  /** Let go of what is being drawn; false where nothing is. */
  cancel() {
    const was = this.drawing || this._desk.edit !== null;
    this._held = null;
    this._hand.cancel?.();
    this._first = null;
    this._desk.edit = null;
    for (const pane of this._desk.panes) pane.magnified = null;
    this._desk.tell("draw");
    return was;
  }

  /** Forget where a drawing was begun once it is finished. */
  _rest() {
    if (!this.drawing) this._first = null;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../canvas/coordinates.js").View} view @param {Pane} pane */
  paint(context, view, pane) {
    for (const tool of new Set([this.ask, this.ruler, this.tool])) tool.paint?.(context, view, pane);
  }
}
