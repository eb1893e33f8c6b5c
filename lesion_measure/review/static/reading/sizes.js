/** Sizes in words, as the server told them. Where it has not answered yet, a dash stands for the number. */

import { interval } from "../format.js";
import { sizeText } from "../panels/readings.js";
import { t } from "../texts.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").Measured} Measured */

const LINE = /\S.{0,44}\S(?=\s|$)|\S+/g;

/**
 * What stands beside a drawing: the sizes, then the error bar.
 * @param {Draft} draft
 * @param {Measured | null} measured
 * @returns {string[]}
 */
export function sizeLines(draft, measured) {
  if (draft.long === null && draft.contour === null) return [t(`kind.${draft.kind}`)];
  if (measured === null) return [t("viewer.measuring")];
  if (measured.refusal !== null && !measured.long_axis_mm) return [t("viewer.no_size"), ...wrapped(measured.refusal)];
  const long = measured.long_axis_mm;
  return [sizeText({ draft, measured }), ...(long?.ci95 ? [t("viewer.error_bar", { interval: interval(long.ci95) })] : [])];
}

/** A sentence as lines of a label. @param {string} text @returns {string[]} */
function wrapped(text) {
  return text.match(LINE) ?? [];
}
