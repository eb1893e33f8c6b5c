/** What a run would say of the child by these readings, what is not saved, and what an earlier run left to look at. */

import { fill, h } from "../dom.js";
import { percent, percentInterval } from "../format.js";
import { t } from "../texts.js";

export class Outcome {
  /** @param {import("../reading/desk.js").Desk} desk */
  constructor(desk) {
    this._desk = desk;
    this._unsaved = h("div", { class: "unsaved" });
    this._result = h("div", { class: "result" });
    this.element = h("section", { class: "outcome", "aria-label": t("viewer.outcome") }, this._unsaved, this._result, h("div", { class: "result" }, leftBy(desk.data.refusals)));
  }

  update() {
    const { book, results, locked } = this._desk;
    const failed = book.unsaved.filter(({ state }) => state === "failed");
    this._unsaved.hidden = failed.length === 0;
    this._unsaved.setAttribute("role", "alert");
    if (failed.length > 0) fill(this._unsaved, this._failures(failed));
    fill(this._result, locked && h("p", { class: "locked" }, t("viewer.locked")), results.problem ? h("p", { class: "wrong" }, results.problem.message) : this._words());
    this._result.classList.toggle("stale", !results.fresh);
  }

  /** @param {import("../reading/book.js").Entry[]} failed */
  _failures(failed) {
    const { book } = this._desk;
    return [
      h("strong", {}, t("viewer.unsaved", { count: failed.length })),
      h("p", {}, failed[0].problem?.message ?? ""),
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => failed.forEach((entry) => book.giveUp(entry)) }, t("viewer.give_up")),
        h("button", { type: "button", class: "main", onclick: () => book.retry() }, t("viewer.retry"))),
    ];
  }

  _words() {
    const { result } = this._desk.results;
    if (result === null) return null;
    return [
      result.verdict && h("p", { class: "verdict" }, h("strong", {}, result.verdict), result.certain !== null && h("span", { class: result.certain ? "certain" : "uncertain" }, t(result.certain ? "viewer.certain" : "viewer.uncertain"))),
      result.percent !== null && h("p", {}, h("b", {}, percent(result.percent, result.limits)), " ", h("small", { class: "quiet" }, result.percent_ci95 ? t("viewer.error_bar", { interval: percentInterval(result.percent_ci95, result.limits) }) : "")),
      result.explanation && h("p", { class: "quiet" }, result.explanation),
      result.needs.length > 0 && h("details", {}, h("summary", {}, t("viewer.needs", { count: result.needs.length })), h("ul", {}, result.needs.map((need) => h("li", {}, need)))),
    ];
  }
}

/** What an earlier run could not say, and why. @param {string[]} refusals */
function leftBy(refusals) {
  if (refusals.length === 0) return null;
  return h("details", {}, h("summary", {}, t("viewer.left", { count: refusals.length })), h("ul", {}, refusals.map((reason) => h("li", {}, reason))));
}
