/** The network outlines a lesion from one click, a box, or the caliper that is there. What it draws is an offer. */

import { failed, declined } from "../announce.js";
import { Problem } from "../api.js";
import { path, circle } from "../canvas/strokes.js";
import { toPane } from "../canvas/coordinates.js";
import { distance } from "../canvas/geometry.js";
import { withContour } from "../reading/drafts.js";
import { t } from "../texts.js";

/** @typedef {import("../canvas/coordinates.js").FramePoint} FramePoint */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {import("../reading/desk.js").Desk} Desk */
/** @typedef {import("../reading/types.js").Draft} Draft */
/** @typedef {{click?: FramePoint, box?: [number, number, number, number], long?: any, short?: any}} Hint */

const CLICK = 6;
const RADIUS = 9;

export class Ask {
  /** @param {Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this.cursor = "cell";
    /** @type {FramePoint | null} */
    this._start = null;
    /** @type {FramePoint | null} */
    this._end = null;
    /** @type {{pane: Pane, begun: Draft, hint: Hint} | null} what the server is working on */
    this._asked = null;
  }

  get active() {
    return this._start !== null;
  }

  /** @param {Draft | null} draft */
  hint(draft) {
    return draft === null ? "viewer.hint.ask" : "";
  }

  /** @param {Pane} _pane @param {FramePoint} point */
  down(_pane, point) {
    this._start = point;
    this._end = point;
    return true;
  }

  /** @param {Pane} _pane @param {FramePoint} point */
  move(_pane, point) {
    if (this._start === null) return;
    this._end = point;
    this._desk.tell("draw");
  }

  /** @param {Pane} pane @param {FramePoint} point */
  up(pane, point) {
    const start = this._start;
    this.cancel();
    if (start === null) return;
    if (distance(start, point) < pane.pixels(CLICK)) this.request(pane, { click: start });
    else this.request(pane, { box: boxOf(start, point) });
  }

  cancel() {
    this._start = null;
    this._end = null;
  }

  /** Have the caliper that is drawn here outlined. @param {Pane} pane */
  fromCaliper(pane) {
    const draft = this._desk.draftOn(pane);
    if (!draft?.long) declined(t("viewer.ask.no_caliper"));
    else this.request(pane, { long: draft.long, short: draft.short });
  }

  /**
   * @param {Pane} pane
   * @param {Hint} hint
   */
  async request(pane, hint) {
    const { network } = this._desk.session;
    if (network === null) return declined(t("viewer.ask.no_network"));
    const begun = { ...this._desk.begun(pane), began_as: "network" };
    const asked = { pane, begun, hint };
    this._asked = asked;
    this._desk.tell("change");
    try {
      const answer = await this._desk.api.outline({ image: begun.image, frame: begun.frame, ...hint });
      if (this._asked === asked) this._offer(begun, answer, hint.click !== undefined);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      failed(problem);
    } finally {
      if (this._asked === asked) this._asked = null;
      this._desk.tell("change");
    }
  }

  /**
   * @param {Draft} begun as it was asked for
   * @param {{contour: FramePoint[] | null, measured: any, confidence: number | null, accepted: boolean, reason: string | null}} answer
   * @param {boolean} byClick whether the network was told one point alone
   */
  _offer(begun, { contour, measured, confidence, accepted, reason }, byClick) {
    if (contour === null) return declined(reason ?? t("viewer.ask.nothing"));
    this._desk.offered.proposal = { draft: withContour(begun, contour), measured, confidence, sure: accepted, byClick };
    if (measured === null) this._desk.live.ask(this._desk.offered.proposal.draft);
  }

  /** Where the server is working; null where it is not. @returns {Draft | null} */
  get asked() {
    return this._asked?.begun ?? null;
  }

  /** Whether the server is working on what a pane shows. @param {Pane} pane */
  isAsking(pane) {
    const { image, frame } = pane.place;
    return this._asked?.pane === pane && this._asked.begun.image === image.id && this._asked.begun.frame === frame;
  }

  /** Forget what was asked; false where nothing was. */
  clear() {
    const was = this._asked !== null;
    this._asked = null;
    return was;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../canvas/coordinates.js").View} view @param {Pane} pane */
  paint(context, view, pane) {
    const color = this._desk.colorOf(this._desk.lesion);
    if (this._start && this._end && this._desk.pane === pane) path(context, view, corners(boxOf(this._start, this._end)), { color, closed: true, dashed: true });
    if (this._asked === null || !this.isAsking(pane)) return;
    const { click, box } = this._asked.hint;
    if (click) circle(context, toPane(view, click), RADIUS, { color, dashed: true });
    if (box) path(context, view, corners(box), { color, closed: true, dashed: true });
  }
}

/** @type {(a: FramePoint, b: FramePoint) => [number, number, number, number]} top, left, bottom, right */
function boxOf(a, b) {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}

/** @type {(box: [number, number, number, number]) => FramePoint[]} */
function corners([top, left, bottom, right]) {
  return [[top, left], [top, right], [bottom, right], [bottom, left]];
}
