/** Whether a pane can be drawn on. */

import { declined } from "../announce.js";
import { t } from "../texts.js";

/**
 * Whether a pane shows what the reader would draw on. Else it is told why nothing is drawn: a press is never kept for a
 * picture that the reader has not seen yet.
 * @param {import("../canvas/pane.js").Pane} pane
 */
export function canDrawOn(pane) {
  if (pane.isComing) declined(t("viewer.coming"));
  else if (pane.bitmap === null) declined(t("viewer.no_picture"));
  else return true;
  return false;
}
