/** Drafts as a reader changes them: every function gives a new one. */

import { onFrame } from "../canvas/coordinates.js";
import { shifted } from "../canvas/geometry.js";

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").FramePoint} FramePoint */
/** @typedef {import("./types.js").Line} Line */

const STEPS_PER_PIXEL = 1000;

/**
 * A draft that says nothing yet.
 * @param {{image: {id: string, plane: string}, frame: number}} place
 * @param {string} lesion
 * @returns {Draft}
 */
export function emptyDraft({ image, frame }, lesion) {
  return {
    image: image.id,
    frame,
    lesion,
    plane: image.plane,
    kind: "caliper",
    long: null,
    short: null,
    contour: null,
    reason: "",
    comment: "",
    began_as: "",
  };
}

/** @type {(draft: Draft, long: Line, short: Line | null) => Draft} */
export function withAxes(draft, long, short) {
  return {
    ...draft,
    kind: "caliper",
    long: /** @type {Line} */ (long.map(rounded)),
    short: short && /** @type {Line} */ (short.map(rounded)),
    contour: null,
    reason: "",
  };
}

/** @type {(draft: Draft, contour: FramePoint[]) => Draft} */
export function withContour(draft, contour) {
  return { ...draft, kind: "outline", long: null, short: null, contour: contour.map(rounded), reason: "" };
}

/** @type {(draft: Draft, kind: import("./types.js").Kind, reason: string) => Draft} */
export function withStatement(draft, kind, reason) {
  return { ...draft, kind, long: null, short: null, contour: null, reason };
}

/**
 * The ends of a caliper in their order: long 0, 1, short 0, 1.
 * @param {Draft} draft
 * @returns {FramePoint[]}
 */
export function endsOf(draft) {
  return [...(draft.long ?? []), ...(draft.short ?? [])];
}

/**
 * A caliper with one end elsewhere.
 * @param {Draft} draft
 * @param {number} index in `endsOf`
 * @param {FramePoint} to
 * @returns {Draft}
 */
export function withEnd(draft, index, to) {
  const ends = endsOf(draft).map((end, each) => (each === index ? to : end));
  const long = /** @type {Line} */ (ends.slice(0, 2));
  return withAxes(draft, long, ends.length === 4 ? /** @type {Line} */ (ends.slice(2)) : null);
}

/**
 * A drawing moved as it is.
 * @param {Draft} draft
 * @param {FramePoint} by
 * @returns {Draft}
 */
export function movedBy(draft, by) {
  if (draft.contour !== null) return withContour(draft, draft.contour.map((point) => shifted(point, by)));
  const [a, b, c, d] = endsOf(draft).map((end) => shifted(end, by));
  return withAxes(draft, [a, b], c === undefined ? null : [c, d]);
}

/**
 * A draft with all its points on the pixels of a frame: what is drawn beyond its edge ends there.
 * @param {Draft} draft
 * @param {import("../canvas/coordinates.js").FrameSize} frame
 * @returns {Draft}
 */
export function within(draft, frame) {
  const bring = (/** @type {FramePoint} */ point) => onFrame(frame, point);
  return {
    ...draft,
    long: draft.long && /** @type {Line} */ (draft.long.map(bring)),
    short: draft.short && /** @type {Line} */ (draft.short.map(bring)),
    contour: draft.contour && draft.contour.map(bring),
  };
}

/** A place to a thousandth of a pixel: no reader means more, and the audit stays short. @type {(point: FramePoint) => FramePoint} */
function rounded([row, column]) {
  return [Math.round(row * STEPS_PER_PIXEL) / STEPS_PER_PIXEL, Math.round(column * STEPS_PER_PIXEL) / STEPS_PER_PIXEL];
}
