/** The lesion in hand as it was drawn at another visit, for the inset of a pane. */

import { Problem } from "../api.js";
import { sizeText } from "../panels/readings.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("../canvas/pane.js").Pane} Pane */
/** @typedef {import("../canvas/inset.js").Ghost} Ghost */

/**
 * The drawing to show beside a pane: of the visit before it, or else of the nearest after; in the same plane if there is.
 * @param {import("./desk.js").Desk} desk
 * @param {Pane} pane
 * @returns {Draft | null}
 */
function drawnElsewhere(desk, pane) {
  const { visits } = desk.data;
  const here = visits.findIndex(({ id }) => id === pane.visit.id); // the case may have been loaded anew since
  const order = [...visits.slice(0, here).reverse(), ...visits.slice(here + 1)];
  for (const visit of order) {
    const drafts = desk.entriesOf(desk.lesion, visit.id).flatMap(({ draft }) => (draft && (draft.long || draft.contour) ? [draft] : []));
    const samePlane = drafts.find(({ plane }) => plane === pane.place.image.plane);
    if (drafts.length > 0) return samePlane ?? drafts[0];
  }
  return null;
}

/**
 * A drawing with its picture; null where the server refuses the picture.
 * @param {import("./desk.js").Desk} desk
 * @param {Draft} draft
 * @returns {Promise<Ghost | null>}
 */
export async function ghostOf(desk, draft) {
  const image = desk.imageOf(draft.image);
  if (!image) return null;
  const measured = desk.measuredOf(draft);
  const spacing = image.spacing_mm;
  try {
    return {
      draft,
      image,
      bitmap: await desk.frames.get(draft.image, draft.frame),
      tall: spacing === null ? 1 : spacing[0] / spacing[1],
      number: desk.numberOf(draft.lesion),
      color: desk.colorOf(draft.lesion),
      lines: [desk.visitOf(draft.image)?.label ?? "", ...(measured ? [sizeText({ draft, measured })] : [])],
    };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return null;
  }
}

/**
 * Put the right ghost beside each pane.
 * @param {import("./desk.js").Desk} desk
 */
export async function placeGhosts(desk) {
  for (const pane of desk.panes) {
    const draft = drawnElsewhere(desk, pane);
    const ghost = draft && (await ghostOf(desk, draft));
    // Another lesion may have been chosen, or this one changed, while the picture was waited for.
    if (drawnElsewhere(desk, pane) !== draft) continue;
    pane.ghost = ghost;
    pane.redraw();
  }
}
