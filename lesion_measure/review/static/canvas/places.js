/** Which image and frame of a visit to show first, and which part of it. */

import { whole } from "./coordinates.js";

/** @typedef {import("../reading/types.js").ImageItem} ImageItem */
/** @typedef {import("./pane.js").Place} Place */

/** Everything that is drawn or said in a case, the reader's own first. @param {import("../reading/desk.js").Desk} desk */
function draftsOf({ book, offered }) {
  return [...book.entries, ...offered.earlier].map(({ draft }) => draft).filter((draft) => draft !== null);
}

/**
 * The frame of an image where something is drawn, the lesion in hand before others; else its first.
 * @param {import("../reading/desk.js").Desk} desk
 * @param {ImageItem} image
 */
export function frameDrawnOn(desk, image) {
  const here = draftsOf(desk).filter((draft) => draft.image === image.id);
  return (here.find(({ lesion }) => lesion === desk.lesion) ?? here[0])?.frame ?? 1;
}

/**
 * Where a lesion is drawn at a visit: on what is shown, or else where it was drawn first; null where it is not.
 * @param {import("../reading/desk.js").Desk} desk
 * @param {import("../reading/types.js").Visit} visit
 * @param {string} lesion
 * @param {Place} shown
 * @returns {Place | null}
 */
export function placeDrawnOn(desk, { images }, lesion, shown) {
  const mine = draftsOf(desk).filter((draft) => draft.lesion === lesion && images.some(({ id }) => id === draft.image));
  const first = mine.find(({ image, frame }) => image === shown.image.id && frame === shown.frame) ?? mine[0];
  const image = images.find(({ id }) => id === first?.image);
  return image && first ? { image, frame: first.frame } : null;
}

/** The part of an image that its regions cover. @param {ImageItem} image */
export function scanOf(image) {
  if (image.regions.length === 0) return whole(image);
  return {
    row_min: Math.min(...image.regions.map(({ row_min }) => row_min)),
    row_max: Math.max(...image.regions.map(({ row_max }) => row_max)),
    col_min: Math.min(...image.regions.map(({ col_min }) => col_min)),
    col_max: Math.max(...image.regions.map(({ col_max }) => col_max)),
  };
}

/** The first image that can be measured. @param {import("../reading/types.js").Visit} visit */
export function bestImage({ images }) {
  return images.find(({ spacing_mm }) => spacing_mm !== null) ?? images[0];
}
