/** One visit on the page: its images and frames, the picture, and what is drawn on it. */

import { Problem } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../texts.js";
import { fitted, onFrame, toFrame, toPane, whole, zoomedAt } from "./coordinates.js";
import { around, between } from "./geometry.js";
import { listen } from "./gestures.js";
import { drawLayers } from "./layers.js";
import { AS_STORED, Windowed, cleared, drawPicture } from "./picture.js";
import { PaneBar } from "./pane_bar.js";
import { same } from "../reading/book.js";
import { endsOf } from "../reading/drafts.js";
import { bestImage, frameDrawnOn, placeDrawnOn, scanOf } from "./places.js";

/** @typedef {import("../reading/types.js").ImageItem} ImageItem */
/** @typedef {import("./coordinates.js").FramePoint} FramePoint */
/** @typedef {{image: ImageItem, frame: number}} Place */

const GREY = 255;

export class Pane {
  /**
   * @param {import("../reading/desk.js").Desk} desk
   * @param {import("../reading/types.js").Visit} visit
   */
  constructor(desk, visit) {
    this.desk = desk;
    this.visit = visit;
    const image = bestImage(visit);
    /** @type {Place} what is shown */
    this.place = { image, frame: 1 };
    /** @type {Place} what is asked for; the same once its frame is here */
    this.wanted = this.place;
    /** @type {1 | -1} */
    this.direction = 1;
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    this.size = { width: 1, height: 1 };
    this.view = { x: 0, y: 0, scale: 1, tall: 1 };
    this.window = { ...AS_STORED };
    this.windowed = new Windowed();
    /** @type {FramePoint | null} where the pointer, or the cross of the keys, is */
    this.pointer = null;
    /** @type {FramePoint | null} what the magnifier shows */
    this.magnified = null;
    this.byKeys = false;
    /** @type {{lesion: string, x: number, y: number, width: number, height: number}[]} labels, to be dragged */
    this.tags = [];
    /** @type {import("./inset.js").Ghost | null} */
    this.ghost = null;
    /** @type {FramePoint[][]} outlines of the insonated area */
    this.area = [];
    this._queued = 0;
    this.picture = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "picture", "aria-hidden": "true" }));
    this.overlay = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "overlay", tabindex: 0, role: "application", "aria-label": t("viewer.pane", { visit: visit.label }) }));
    this.note = h("div", { class: "pane-note", role: "status" });
    this.stage = h("div", { class: "pane-stage" }, this.picture, this.overlay, this.note);
    this.bar = new PaneBar(this);
    this.element = h("section", { class: "pane", "aria-label": visit.label }, this.bar.head, this.stage, this.bar.foot);
    this._unlisten = listen(this.desk, this);
    this.overlay.addEventListener("focus", () => this.desk.lookAt(this));
    this._observer = new ResizeObserver(([entry]) => this._resized(entry));
    this._observer.observe(this.stage);
  }

  /** Height of a pixel over its width. */
  get tall() {
    const spacing = this.place.image.spacing_mm;
    return spacing === null ? 1 : spacing[0] / spacing[1];
  }

  /**
   * Whether the picture that the reader asked for is still to come: none is here yet, or one of another image. A press
   * would not be on what the reader means. Of a cine, the frame that is shown is the one that is meant.
   */
  get isComing() {
    const isEmpty = this.bitmap === null && this.wanted !== this.place;
    return isEmpty || this.wanted.image !== this.place.image || this.size.width <= 1;
  }

  /** Show that a frame is on its way. */
  _wait() {
    this.stage.setAttribute("aria-busy", "true");
    if (this.bitmap === null) fill(this.note, h("span", { class: "coming" }, t("loading")));
  }

  /** What to draw of the frame; null before it is here. */
  get shown() {
    return this.bitmap && this.windowed.of(this.bitmap, this.window);
  }

  /** Show the first picture: where the lesion in hand is drawn, or else the first image that can be measured. */
  start() {
    return this.follow(this.desk.lesion) ?? this.open(this.wanted.image);
  }

  /**
   * Show a frame of an image as soon as it is here. What is asked for later wins.
   * @param {ImageItem} image
   * @param {number} frame
   */
  async go(image, frame) {
    const number = Math.min(image.frames, Math.max(1, frame));
    if (image !== this.place.image || number !== this.place.frame) this.desk.tools.leave(this);
    const wanted = { image, frame: number };
    this.direction = image === this.wanted.image && number < this.wanted.frame ? -1 : 1;
    this.wanted = wanted;
    const here = this.desk.frames.here(image.id, number);
    if (here !== null) return this._take(wanted, here);
    this._wait();
    try {
      const bitmap = await this.desk.frames.get(image.id, number);
      if (this.wanted === wanted) this._take(wanted, bitmap);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (this.wanted === wanted) this._refuse(wanted, problem);
    }
  }

  /** Stay on what is shown while it is drawn on: the cine stops, and a frame on its way is no longer asked for. */
  stay() {
    this.bar.cine.stop();
    if (this.wanted === this.place) return;
    this.wanted = this.place;
    this.stage.setAttribute("aria-busy", "false");
    this.bar.update();
  }

  /** @param {number} by */
  step(by) {
    return this.go(this.wanted.image, this.wanted.frame + by);
  }

  /** The image after, or before, the one shown. @param {1 | -1} by */
  turn(by) {
    const { images } = this.visit;
    const next = images[images.indexOf(this.wanted.image) + by];
    if (next !== undefined) void this.open(next);
  }

  /** Show an image at the frame where something is drawn, else at its first. @param {ImageItem} image */
  open(image) {
    return this.go(image, frameDrawnOn(this.desk, image));
  }

  /** Show where a lesion is drawn, unless it is drawn on what is shown. @param {string} lesion */
  follow(lesion) {
    const target = placeDrawnOn(this.desk, this.visit, lesion, this.place);
    if (target === null || (this.bitmap !== null && same(target, this.place))) return null;
    return this.go(target.image, target.frame);
  }

  /**
   * @param {Place} place
   * @param {ImageBitmap} bitmap
   */
  _take(place, bitmap) {
    const isNew = place.image !== this.place.image || this.bitmap === null;
    this.place = place;
    this.bitmap = bitmap;
    this.stage.setAttribute("aria-busy", "false");
    fill(this.note);
    if (isNew) {
      this.window = { ...AS_STORED };
      this.area = [];
      this.home();
    }
    this.desk.pictureShown(this, isNew);
    this.redraw();
    this.bar.update();
  }

  /**
   * @param {Place} place
   * @param {Problem} problem
   */
  _refuse(place, problem) {
    this.place = place;
    this.bitmap = null;
    this.stage.setAttribute("aria-busy", "false");
    fill(this.note, h("strong", {}, problem.reason), h("span", {}, problem.remedy));
    this.redraw();
    this.bar.update();
  }

  /** Show the scan as large as it fits. */
  home() {
    this.view = this._homeView;
    this.redraw();
  }

  get _homeView() {
    return fitted(scanOf(this.place.image), this.size, this.tall);
  }

  /** Show the scan as large as it fits; where it does already, the whole frame. */
  fit() {
    const { view } = this;
    this.home();
    if (same(view, this.view)) this.view = fitted(whole(this.place.image), this.size, this.tall);
  }

  /** As the image was at first. */
  reset() {
    this.window = { ...AS_STORED };
    this.home();
  }

  /** @param {number} factor @param {[number, number]} [at] */
  zoom(factor, at = [this.size.width / 2, this.size.height / 2]) {
    this.view = zoomedAt(this.view, at, factor);
    this.redraw();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.redraw();
  }

  /**
   * Brighter and more contrast, in grey values.
   * @param {number} brighter
   * @param {number} contrast
   */
  adjust(brighter, contrast) {
    const width = Math.max(8, Math.min(2 * GREY, this.window.high - this.window.low - contrast));
    const middle = Math.max(0, Math.min(GREY, (this.window.high + this.window.low) / 2 - brighter));
    this.window = { low: middle - width / 2, high: middle + width / 2 };
    this.redraw();
  }

  /** Where an event is, as a point of the frame. @param {{clientX: number, clientY: number}} event @returns {FramePoint} */
  pointOf(event) {
    return toFrame(this.view, this.cssOf(event));
  }

  /** Where an event is on the frame, or nearest to it. @param {{clientX: number, clientY: number}} event */
  placeOf(event) {
    return onFrame(this.place.image, this.pointOf(event));
  }

  /** @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  cssOf({ clientX, clientY }) {
    const { left, top } = this.overlay.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** How many pixels of the frame a distance on the screen is. @param {number} css */
  pixels(css) {
    return css / this.view.scale;
  }

  /** The middle of what is shown. @returns {FramePoint} */
  get middle() {
    return toFrame(this.view, [this.size.width / 2, this.size.height / 2]);
  }

  /** Have a drawing within the pane. @param {import("../reading/types.js").Draft} draft */
  reveal(draft) {
    const points = draft.contour ?? endsOf(draft);
    if (points.length === 0) return;
    const [top, left, bottom, right] = around(points);
    const [x, y] = toPane(this.view, between([top, left], [bottom, right]));
    if (x < 0 || y < 0 || x > this.size.width || y > this.size.height) this.pan(this.size.width / 2 - x, this.size.height / 2 - y);
  }

  redraw() {
    if (this._queued === 0) this._queued = requestAnimationFrame(() => this._draw());
  }

  _draw() {
    this._queued = 0;
    const { picture, overlay, view, place } = this;
    const shown = this.shown;
    const under = cleared(picture, this.size);
    if (shown !== null) drawPicture(under, shown, view, place.image);
    drawLayers(cleared(overlay, this.size), this.desk, this);
    this.bar.updateView();
  }

  /** @param {ResizeObserverEntry} entry */
  _resized(entry) {
    const { width, height } = entry.contentRect;
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio;
    for (const canvas of [this.picture, this.overlay]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const middle = this.middle;
    const isHome = this.size.width === 1 || same(this.view, this._homeView);
    this.size = { width, height };
    const [x, y] = toPane(this.view, middle);
    if (isHome) this.home();
    else this.pan(width / 2 - x, height / 2 - y);
    // At once: a canvas is empty after its size has changed, and would be shown so.
    cancelAnimationFrame(this._queued);
    this._draw();
  }

  close() {
    cancelAnimationFrame(this._queued);
    this.bar.close();
    this._observer.disconnect();
    this._unlisten();
    this.element.remove();
  }
}
