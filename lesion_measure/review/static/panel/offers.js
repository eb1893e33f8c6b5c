/** What is on offer for the lesion in hand, over the pane where it is drawn: the network's outline, an earlier reading. */

import { fill, h } from "../dom.js";
import { chance } from "../format.js";
import { keyOf } from "../keys.js";
import { sizeText } from "../panels/readings.js";
import { t } from "../texts.js";

export class Offers {
  /** @param {import("../reading/desk.js").Desk} desk @param {import("../canvas/pane.js").Pane} pane */
  constructor(desk, pane) {
    this._desk = desk;
    this._pane = pane;
    this._said = "";
    this.element = h("div", { class: "offer", hidden: true });
    pane.stage.append(this.element);
  }

  update() {
    const proposal = this._desk.offered.proposalOn(this._pane);
    const earlier = this._desk.offered.earlierOn(this._pane);
    const asking = this._desk.tools.ask.isAsking(this._pane);
    const said = JSON.stringify([proposal, earlier, asking, this._desk.lesion]);
    if (said === this._said) return;
    this._said = said;
    this.element.hidden = proposal === null && earlier === null && !asking;
    if (asking) fill(this.element, h("span", { class: "busy" }), h("span", {}, t("viewer.ask.working")));
    else if (proposal !== null) fill(this.element, this._proposal(proposal));
    else if (earlier !== null) fill(this.element, this._earlier(earlier));
  }

  /** @param {import("../reading/offered.js").Proposal} proposal */
  _proposal(proposal) {
    const doubt = doubtOf(proposal);
    return [
      this._badge(), h("span", { class: "grow" }, h("b", {}, t("viewer.ask.outline")), doubt && h("small", { class: proposal.sure ? "quiet" : "doubt" }, doubt)),
      button("discard", "escape", () => this._desk.offered.discard()),
      button("accept", "accept", () => this._desk.offered.accept()),
    ];
  }

  /** @param {import("../reading/types.js").Earlier} earlier */
  _earlier({ source, measured, draft, shows }) {
    const { bitmap } = this._pane;
    return [
      this._badge(), bitmap !== null && shows.length > 0 && h("span", { class: "parts" }, shows.map((part) => cut(bitmap, part))), h("span", { class: "grow" }, h("b", {}, t("viewer.earlier")), " ", source, h("small", { class: "quiet" }, sizeText({ draft, measured }))),
      button("accept", "earlier", () => this._desk.offered.takeEarlier()),
    ];
  }

  _badge() {
    const badge = h("span", { class: "badge" }, this._desk.numberOf(this._desk.lesion));
    badge.style.backgroundColor = this._desk.colorOf(this._desk.lesion);
    return badge;
  }
}

/**
 * What to look at before an outline is accepted. After a click its size is, whatever the chance that it is right.
 * @param {import("../reading/offered.js").Proposal} proposal
 */
function doubtOf({ confidence, sure, byClick }) {
  if (confidence === null) return byClick ? t("viewer.ask.by_click") : "";
  const said = byClick ? "viewer.ask.by_click_chance" : sure ? "viewer.ask.confidence" : "viewer.ask.unsure";
  return t(said, { percent: chance(confidence) });
}

/**
 * A part of a frame as it is, without what is drawn over it.
 * @param {ImageBitmap} bitmap @param {[number, number, number, number]} part first and last row, first and last column
 */
function cut(bitmap, [top, bottom, left, right]) {
  const canvas = h("canvas", { width: right - left + 1, height: bottom - top + 1, role: "img", "aria-label": t("viewer.burnt_in") });
  canvas.getContext("2d")?.drawImage(bitmap, -left, -top);
  return canvas;
}

/**
 * @param {"accept" | "discard"} what
 * @param {string} action in the table of keys
 * @param {() => void} run
 */
function button(what, action, run) {
  return h("button", { type: "button", class: what === "accept" ? "main" : null, onclick: run }, t(`viewer.${what}`), " ", h("kbd", { "aria-hidden": "true" }, keyOf("viewer", action)));
}
