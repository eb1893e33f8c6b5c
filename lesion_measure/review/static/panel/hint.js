/** What to do next with the tool in hand, over the active pane; an offer takes its place. */

import { fill, h } from "../dom.js";
import { t } from "../texts.js";

export class Hint {
  /** @param {import("../reading/desk.js").Desk} desk @param {import("../canvas/pane.js").Pane} pane */
  constructor(desk, pane) {
    this._desk = desk;
    this._pane = pane;
    this._key = "";
    this.element = h("p", { class: "pane-hint", role: "status", hidden: true });
    pane.stage.append(this.element);
  }

  update() {
    const { pane, tools } = this._desk;
    const key = pane === this._pane && pane.bitmap !== null && pane.place.image.spacing_mm !== null ? tools.hintOn(pane) : "";
    if (key === this._key) return;
    this._key = key;
    this.element.hidden = key === "";
    fill(this.element, key && t(key));
  }
}
