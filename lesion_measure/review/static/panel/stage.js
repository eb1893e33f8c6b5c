/** The panes side by side: which visits are shown, and what the panes need. */

import { Problem } from "../api.js";
import { Pane } from "../canvas/pane.js";
import { fill, h } from "../dom.js";
import { onTheWay } from "../frames.js";
import { t } from "../texts.js";
import { Hint } from "./hint.js";
import { Offers } from "./offers.js";

/** @typedef {import("../reading/types.js").Visit} Visit */

const BESIDE = 2;

export class Stage {
  /** @param {import("../reading/desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    /** @type {Map<string, {pane: Pane, offers: Offers, hint: Hint}>} every pane that was shown, with its zoom and frame */
    this._made = new Map();
    this._visits = h("div", { class: "visits", role: "group", "aria-label": t("viewer.visits") });
    this._panes = h("div", { class: "panes" });
    this.element = h("div", { class: "stage" }, this._visits, this._panes);
    this._shown = firstVisits(desk.visits);
    this._show();
  }

  /** Show every visit, two, or the active one alone. */
  nextLayout() {
    const { visits } = this._desk;
    const active = this._desk.pane?.visit ?? visits[0];
    const count = this._shown.length;
    if (count === 1) this._shown = this._pair(active);
    else if (count < visits.length) this._shown = [...visits];
    else this._shown = [active];
    this._show();
  }

  /** Go to the pane to the right, or to the first. */
  nextPane() {
    const { panes, pane } = this._desk;
    if (panes.length === 0) return;
    const next = panes[(panes.indexOf(/** @type {Pane} */ (pane)) + 1) % panes.length];
    next.overlay.focus();
  }

  /** Have a visit on the page, in the place of the active one where there is no room. @param {Visit} visit */
  bring(visit) {
    if (this._shown.includes(visit)) return;
    const order = this._desk.visits;
    const leaves = this._shown.find((each) => each !== this._desk.pane?.visit) ?? this._shown[0];
    this._shown = [...this._shown.filter((each) => each !== leaves), visit].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    if (this._shown.length < BESIDE && order.length >= BESIDE) this._shown = this._pair(visit);
    this._show();
  }

  /** Load what is shown over the pictures on demand. */
  shownChanged() {
    if (this._desk.show.area) for (const pane of this._desk.panes) this._loadArea(pane);
  }

  /**
   * A pane shows another frame: load its area, and what will be asked for next.
   * @param {Pane} pane
   * @param {boolean} isNew whether it is another image
   */
  pictureShown(pane, isNew) {
    if (isNew && this._desk.show.area) this._loadArea(pane);
    this._loadAhead();
  }

  update() {
    for (const { pane, offers, hint } of this._made.values()) {
      pane.element.classList.toggle("active", pane === this._desk.pane);
      offers.update();
      hint.update();
      pane.bar.strip.update();
      pane.redraw();
    }
    this._chips();
  }

  redraw() {
    for (const { hint } of this._made.values()) hint.update();
    for (const pane of this._desk.panes) pane.redraw();
  }

  close() {
    for (const { pane } of this._made.values()) pane.close();
  }

  /** @param {Visit} active */
  _pair(active) {
    const { visits } = this._desk;
    const at = Math.max(0, Math.min(visits.indexOf(active), visits.length - BESIDE));
    return visits.slice(at, at + BESIDE);
  }

  _show() {
    this._desk.tools.leave();
    const made = this._shown.map((visit) => this._made.get(visit.id) ?? this._make(visit));
    this._desk.panes = made.map(({ pane }) => pane);
    fill(this._panes, made.length === 0 ? h("p", { class: "quiet" }, t("viewer.no_images")) : this._desk.panes.map(({ element }) => element));
    this._panes.style.setProperty("--panes", String(made.length));
    if (this._desk.pane === null || !this._desk.panes.includes(this._desk.pane)) this._desk.pane = this._desk.panes[0] ?? null;
    this._desk.tell("change");
  }

  /** @param {Visit} visit */
  _make(visit) {
    const pane = new Pane(this._desk, visit);
    const made = { pane, offers: new Offers(this._desk, pane), hint: new Hint(this._desk, pane) };
    this._made.set(visit.id, made);
    this._desk.made.push(pane);
    pane.start().then(() => pane.bar.strip.load());
    return made;
  }

  /** One button for each visit, where not all are in view. */
  _chips() {
    const { visits } = this._desk;
    this._visits.hidden = visits.length <= BESIDE;
    fill(this._visits, visits.map((visit) => h("button", { type: "button", "aria-pressed": String(this._shown.includes(visit)), onclick: () => this.bring(visit) }, visit.label)));
  }

  /** First the frames on the reader's way, then those beside, then the other images. */
  _loadAhead() {
    const { panes, pane, frames, visits } = this._desk;
    const order = [...panes].sort((a, b) => Number(b === pane) - Number(a === pane));
    const near = order.flatMap(({ place, direction }) => onTheWay(place.image, place.frame, direction));
    const shown = order.flatMap(({ visit }) => visit.images);
    const hidden = visits.filter((visit) => !this._shown.includes(visit)).map((visit) => visit.images[0]);
    frames.ahead([...near, ...[...shown, ...hidden].map((image) => ({ image: image.id, frame: 1 }))]);
  }

  /** @param {Pane} pane */
  async _loadArea(pane) {
    const { image } = pane.place;
    try {
      const { outlines } = await this._desk.api.area(image.id);
      if (pane.place.image === image) pane.area = outlines;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
    pane.redraw();
  }
}

/** Baseline and the visit after it, where the days are known; else the first two. @param {Visit[]} visits */
function firstVisits(visits) {
  const baseline = Math.max(0, visits.findIndex(({ day }) => day === 0));
  return visits.slice(Math.min(baseline, Math.max(0, visits.length - BESIDE))).slice(0, BESIDE);
}
