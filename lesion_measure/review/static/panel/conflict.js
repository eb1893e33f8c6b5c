/** Two versions of one reading, drawn one over the other: the reader says which holds. */

import { open } from "../dialog.js";
import { h } from "../dom.js";
import { moment } from "../format.js";
import { sizeText } from "../panels/readings.js";
import { t } from "../texts.js";
import { drawInset } from "../canvas/inset.js";
import { ghostOf } from "../reading/ghosts.js";

const SIDE = 320;

/**
 * Ask which of two versions holds. Closed without an answer, the one on this page stays unsaved, and is marked so.
 * @param {import("../reading/desk.js").Desk} desk
 * @param {import("../reading/book.js").Entry} entry
 */
export async function settleConflict(desk, entry) {
  const theirs = /** @type {import("../reading/types.js").Reading | null} */ (entry.problem?.current ?? null);
  const mine = await open(t("viewer.conflict"), (/** @type {(mine: boolean) => void} */ close) => [
    h("p", {}, t(theirs === null ? "viewer.conflict.gone" : "viewer.conflict.changed")),
    h("div", { class: "versions" },
      version(desk, t("viewer.conflict.mine"), entry.draft, entry.draft && desk.measuredOf(entry.draft), () => close(true)),
      version(desk, t("viewer.conflict.theirs", { when: moment(/** @type {any} */ (theirs)?.changed ?? null) }), theirs?.draft ?? null, theirs?.measured ?? null, () => close(false))),
  ], { wide: true });
  if (mine === undefined) desk.book.putOff(entry);
  else desk.book.choose(entry, mine);
}

/**
 * @param {import("../reading/desk.js").Desk} desk
 * @param {string} title
 * @param {import("../reading/types.js").Draft | null} draft null: removed
 * @param {import("../reading/types.js").Measured | null} measured
 * @param {() => void} take
 */
function version(desk, title, draft, measured, take) {
  const isDrawn = draft !== null && (draft.long !== null || draft.contour !== null);
  const words = draft === null ? t("viewer.removed") : isDrawn && !measured ? t("viewer.measuring") : sizeText({ draft, measured });
  return h("section", { class: "version" }, h("h3", {}, title), isDrawn && sketch(desk, draft), h("p", {}, h("strong", {}, words)), draft?.reason && h("p", {}, draft.reason),
    h("button", { type: "button", class: "main", onclick: take }, t("viewer.conflict.take")));
}

/** @param {import("../reading/desk.js").Desk} desk @param {import("../reading/types.js").Draft} draft */
function sketch(desk, draft) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { width: SIDE * 2, height: SIDE * 2, class: "sketch", "aria-hidden": "true" }));
  ghostOf(desk, draft).then((ghost) => {
    const context = canvas.getContext("2d");
    if (context === null || ghost === null) return;
    context.scale(2, 2);
    drawInset(context, { width: SIDE, height: SIDE }, ghost, SIDE - 2, 1);
  });
  return canvas;
}
