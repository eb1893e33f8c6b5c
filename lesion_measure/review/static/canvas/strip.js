/** The images of a visit as small pictures, with a dot in the colour of each lesion that is drawn on them. */

import { Problem } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../texts.js";

const WIDTH = 84;
const HEIGHT = 56;
const SHARP = 2;
/** It takes room, and every image has it. */
const SUFFIX = /\.dcm$/i;

export class Strip {
  /** @param {import("./pane.js").Pane} pane */
  constructor(pane) {
    this._pane = pane;
    this._closed = false;
    /** @type {import("../reading/types.js").ImageItem | null} */
    this._shown = null;
    /** @type {Map<string, {button: HTMLElement, dots: HTMLElement}>} */
    this._items = new Map();
    this.element = h("div", { class: "strip", role: "group", "aria-label": t("viewer.images") });
    const { images } = pane.visit;
    this.element.hidden = images.length < 2;
    for (const image of images) this.element.append(this._item(image));
  }

  /** @param {import("../reading/types.js").ImageItem} image */
  _item(image) {
    const dots = h("span", { class: "dots" });
    const canvas = h("canvas", { width: WIDTH * SHARP, height: HEIGHT * SHARP, "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "thumb", title: nameOf(image), "data-image": image.id, onclick: () => this._pane.open(image) },
      canvas, h("span", { class: "thumb-foot" }, h("span", { class: "thumb-name" }, image.label.replace(SUFFIX, ""))), image.frames > 1 && h("span", { class: "thumb-frames" }, t("viewer.frames", { count: image.frames })), dots);
    this._items.set(image.id, { button, dots });
    return button;
  }

  /** Load the small pictures, one after another. */
  async load() {
    for (const [id, { button }] of this._items) {
      if (this._closed || this.element.hidden) return;
      try {
        const bitmap = await this._pane.desk.frames.get(id, 1);
        if (!this._closed) drawSmall(button.querySelector("canvas"), bitmap);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        button.classList.add("refused");
      }
    }
  }

  /** After the image shown, or what is drawn, changed. */
  update() {
    const { place, desk } = this._pane;
    if (this._shown !== place.image) this._items.get(place.image.id)?.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    this._shown = place.image;
    for (const [id, { button, dots }] of this._items) {
      button.setAttribute("aria-pressed", String(id === place.image.id));
      const lesions = desk.lesions.filter((lesion) => desk.book.entries.some(({ draft }) => draft?.image === id && draft.lesion === lesion));
      fill(dots, lesions.map((lesion) => {
        const dot = h("i", {}, desk.numberOf(lesion));
        dot.style.backgroundColor = desk.colorOf(lesion);
        return dot;
      }));
    }
  }

  close() {
    this._closed = true;
  }
}

/** The whole name of an image, where it is cut or left out. @param {import("../reading/types.js").ImageItem} image */
function nameOf({ label, plane, frames }) {
  return [label, plane !== "unknown" && t(`plane.${plane}`), frames > 1 && t("viewer.frames", { count: frames })].filter(Boolean).join(" · ");
}

/** @param {HTMLCanvasElement | null} canvas @param {ImageBitmap} bitmap */
function drawSmall(canvas, bitmap) {
  const context = canvas?.getContext("2d");
  if (!canvas || !context) return;
  const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
