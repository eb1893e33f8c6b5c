/** What panels ask of readings: whose, of which lesion and visit, and in words. */

import { h } from "../dom.js";
import { NOTHING, fixed, percent } from "../format.js";
import { t } from "../texts.js";

const DRAWN = ["caliper", "outline"];
const natural = new Intl.Collator(undefined, { numeric: true }).compare;

/** Names of all lesions of a case, those only read by somebody included. @param {Case} data @returns {string[]} */
export function lesionsOf(data) {
  return [...new Set([...data.lesions, ...data.readings.map((reading) => reading.draft.lesion)])].sort(natural);
}

/** An image of a case, by its id. @param {Case} data @returns {ImageItem|undefined} */
export function imageOf(data, id) {
  return data.visits.flatMap((visit) => visit.images).find((image) => image.id === id);
}

/** The visit that an image of a case belongs to. @param {Case} data @param {string} id @returns {CaseVisit|undefined} */
export function visitOf(data, id) {
  return data.visits.find((visit) => visit.images.some((image) => image.id === id));
}

/** The id of the visit that a reading belongs to. @param {Case} data @param {Reading} reading */
export function visitIdOf(data, reading) {
  return visitOf(data, reading.draft.image)?.id ?? reading.visit;
}

/** Readings of one lesion at one visit. @returns {Reading[]} */
export function readingsAt(data, lesion, visit, keep = () => true) {
  return data.readings.filter((reading) => reading.draft.lesion === lesion && visitIdOf(data, reading) === visit.id && keep(reading));
}

/** What a reading says, e.g. `31.4 × 22.0 mm`, or that the lesion is gone. @param {Reading} reading @returns {string} */
export function sizeText({ draft, measured }) {
  if (!DRAWN.includes(draft.kind)) return t(`kind.${draft.kind}`);
  const axes = [measured.long_axis_mm, measured.short_axis_mm].filter((size) => size && size.value !== null);
  if (axes.length === 0) return NOTHING;
  return `${axes.map((size) => fixed(size.value)).join(" × ")} mm`;
}

/** What a percent change compares, where that is not the sizes beside it. @param {LesionResult} found @returns {string} */
export function comparedText({ percent: change, compared: { planes, baseline_mm: before, later_mm: later } }, limits = []) {
  const known = planes.filter((plane) => plane !== "unknown");
  const where = known.length > 0 ? known.map((plane) => t(`plane.${plane}`)).join(", ") : t("viewer.compared.images");
  return t("viewer.compared", { percent: percent(change, limits), planes: where, before: fixed(before), later: fixed(later) });
}

/** The plane that a reader says, else that of the image. @param {Case} data @param {Draft} draft @returns {string} */
export function planeOf(data, draft) {
  return draft.plane === "unknown" ? (imageOf(data, draft.image)?.plane ?? "unknown") : draft.plane;
}

/** The frame of a cine, in words; nothing where an image has one alone. @param {ImageItem|undefined} image @param {number} frame */
export const frameText = (image, frame) => (image && image.frames > 1 ? t("reading.frame", { frame }) : "");

/** A reading with its plane, its frame and what is wrong with it. @param {Case} data @param {Reading} reading */
export function readingLine(data, reading) {
  const { draft, measured } = reading;
  const where = [t(`plane.${planeOf(data, draft)}`), frameText(imageOf(data, draft.image), draft.frame)].filter(Boolean).join(" · ");
  const told = [measured.refusal, draft.reason].filter(Boolean);
  return h("p", { class: measured.refusal ? "own-reading wrong" : "own-reading" }, h("b", {}, sizeText(reading)),
    h("small", { class: "told" }, where),
    told.map((text) => h("small", { class: "told" }, text)));
}
