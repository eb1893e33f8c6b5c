/** Head and foot of a pane: which visit, image and frame; the strip of images; scrub and cine. */

import { fill, h } from "../dom.js";
import { day, fixed } from "../format.js";
import { keyOf } from "../keys.js";
import { t } from "../texts.js";
import { Cine } from "./cine.js";
import { icon } from "../panel/icons.js";
import { Strip } from "./strip.js";

export class PaneBar {
  /** @param {import("./pane.js").Pane} pane */
  constructor(pane) {
    this.pane = pane;
    this.cine = new Cine(pane, () => this.update());
    this.strip = new Strip(pane);
    this._image = h("span", { class: "pane-image" });
    this._zoom = h("output", { class: "pane-zoom" });
    this._window = h("output", { class: "pane-window" });
    this._count = h("output", { class: "pane-frame" });
    const { visit } = pane;
    this.head = h("header", { class: "pane-head" },
      h("h2", { title: visit.label }, visit.label), h("span", { class: "pane-when" }, day(visit.date), visit.day !== null && h("span", { class: "pane-day" }, " · ", t("viewer.day", { day: visit.day }))), this._image, this._window, this._zoom,
      this._button("fit", "fit", () => pane.fit()));
    this._play = this._button("play", "play", () => this.cine.toggle());
    this._scrub = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: 1, step: 1, "aria-label": t("viewer.frame"), oninput: () => pane.go(pane.wanted.image, Number(this._scrub.value)) }));
    this._frames = h("div", { class: "pane-frames" }, this._play, this._scrub, this._count);
    this._told = h("p", { class: "pane-told doubt" });
    this.foot = h("footer", { class: "pane-foot" }, this._told, this._frames, this.strip.element);
  }

  /**
   * @param {string} action in the table of keys
   * @param {string} picture
   * @param {() => void} run
   */
  _button(action, picture, run) {
    const key = keyOf("viewer", action);
    const title = t(`keys.viewer.${action}`);
    return h("button", { type: "button", class: "plain", title: key ? `${title} (${key})` : title, "aria-label": title, onclick: run }, icon(picture));
  }

  /** After another frame or image is shown. */
  update() {
    const { image, frame } = this.pane.place;
    const name = [image.label, image.plane !== "unknown" && t(`plane.${image.plane}`), image.spacing_mm === null && t("viewer.region.none")].filter(Boolean).join(" · ");
    fill(this._image, name);
    this._image.title = name;
    const told = [image.refusal, ...image.warnings].filter(Boolean);
    this._told.hidden = told.length === 0;
    fill(this._told, told.join(" "));
    this._frames.hidden = image.frames < 2;
    this._scrub.max = String(image.frames);
    this._scrub.value = String(this.pane.wanted.frame);
    fill(this._count, `${frame} / ${image.frames}`);
    fill(this._play, icon(this.cine.playing ? "pause" : "play"));
    this._play.setAttribute("aria-pressed", String(this.cine.playing));
    this.strip.update();
  }

  /** After zoom or window changed. */
  updateView() {
    const { view, window: shown } = this.pane;
    this._zoom.textContent = `${fixed(view.scale * 100, 0)} %`;
    const isPlain = shown.low === 0 && shown.high === 255;
    this._window.textContent = isPlain ? "" : t("viewer.window", { width: fixed(shown.high - shown.low, 0), level: fixed((shown.high + shown.low) / 2, 0) });
  }

  close() {
    this.cine.stop();
    this.strip.close();
  }
}
