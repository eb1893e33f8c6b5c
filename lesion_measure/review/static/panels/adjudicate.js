/** Adjudication: both readings side by side and over one another, how far they differ, and the decision. */

import * as api from "../api.js";
import { h } from "../dom.js";
import { NOTHING, fixed } from "../format.js";
import { readerName } from "../names.js";
import { t } from "../texts.js";
import { overlays } from "./overlay.js";
import { imageOf, lesionsOf, planeOf, readingsAt, sizeText } from "./readings.js";

const SIZES = [["long_axis_mm", "mm", 1], ["short_axis_mm", "mm", 1], ["area_mm2", "mm²", 0]];

/**
 * @typedef {Object} Question
 * @property {string} lesion
 * @property {CaseVisit} visit
 * @property {string} where the plane or the image that they have in common
 * @property {Reading[]} given those of the readers, in the order of their names
 * @property {Reading|undefined} decided the adjudicator's own
 */

/** What there is to decide, what differs most first. @param {Case} data @param {Session} session @returns {Question[]} */
export function questions(data, session) {
  const asked = [];
  for (const lesion of lesionsOf(data)) {
    for (const visit of data.visits) {
      for (const here of alike(data, readingsAt(data, lesion, visit))) {
        const given = here.filter((reading) => reading.reader !== session.reader).sort((a, b) => a.reader.localeCompare(b.reader));
        if (given.length) asked.push({ lesion, visit, where: whereOf(data, given), given, decided: here.find((reading) => reading.reader === session.reader) });
      }
    }
  }
  return asked.sort((a, b) => apart(b) - apart(a));
}

/**
 * Readings of one lesion at one visit in groups that may be compared: of one plane, where it is known and no reader has
 * two of it; else of one image, and else of one frame.
 */
function alike(data, all) {
  const ways = [
    ({ draft }) => (planeOf(data, draft) === "unknown" ? draft.image : planeOf(data, draft)),
    ({ draft }) => draft.image,
    ({ draft }) => `${draft.image} ${draft.frame}`,
  ];
  const split = (readings, [way, ...finer]) => [...new Set(readings.map(way))].flatMap((key) => {
    const group = readings.filter((reading) => way(reading) === key);
    const isEachOnce = new Set(group.map(({ reader }) => reader)).size === group.length;
    return isEachOnce || finer.length === 0 ? [group] : split(group, finer);
  });
  return split(all, ways);
}

/** What readings that are compared have in common, in words. */
function whereOf(data, given) {
  const [first] = given;
  const images = new Set(given.map(({ draft }) => draft.image));
  const plane = planeOf(data, first.draft);
  return [plane !== "unknown" && t(`plane.${plane}`), images.size === 1 && imageOf(data, first.draft.image)?.label].filter(Boolean).join(" · ");
}

/** How far the first two readings are apart, in percent of their mean; infinity where they say different things. */
function apart({ given: [a, b] }) {
  if (!b) return 0;
  if (a.draft.kind !== b.draft.kind && (!a.measured.long_axis_mm || !b.measured.long_axis_mm)) return Infinity;
  return Math.abs(relative(a.measured.long_axis_mm, b.measured.long_axis_mm) ?? 0);
}

function relative(a, b) {
  if (!a || !b || a.value === null || b.value === null || a.value + b.value === 0) return null;
  return (200 * (b.value - a.value)) / (a.value + b.value);
}

function sizeRow(question, [key, unit, digits]) {
  const [a, b] = question.given.map((reading) => reading.measured[key]);
  const cell = (size) => h("td", { class: "n" }, size && size.value !== null ? `${fixed(size.value, digits)} ${unit}` : NOTHING);
  const share = relative(a, b);
  if (!a && !b) return null;
  return h("tr", {}, h("th", { scope: "row" }, t(`size.${key}`)), cell(a), b !== undefined && cell(b),
    b !== undefined && h("td", { class: "n" }, share === null ? NOTHING : [`${fixed(b.value - a.value, digits, true)} ${unit}`, h("small", {}, `${fixed(share, 1, true)} %`)]));
}

function table(question) {
  const { given } = question;
  const isPair = given.length > 1;
  const head = given.slice(0, 2).map((reading, place) => h("th", { scope: "col", class: "n" }, h("i", { class: `swatch reading-${place}`, "aria-hidden": "true" }), readerName(reading.reader)));
  const said = h("tr", {}, h("th", { scope: "row" }, t("adjudicate.says")), given.slice(0, 2).map((reading) => h("td", { class: "n" }, sizeText(reading), reading.draft.reason && h("small", {}, reading.draft.reason))), isPair && h("td"));
  return h("table", { class: "compared" }, h("thead", {}, h("tr", {}, h("td"), head, isPair && h("th", { scope: "col", class: "n" }, t("adjudicate.difference")))), h("tbody", {}, said, SIZES.map((size) => sizeRow(question, size))));
}

/** Take a reading as one's own: the decision that is there is changed, else one is added. */
async function take(frame, question, reading) {
  const draft = { ...reading.draft, began_as: reading.id, comment: "" };
  const { decided } = question;
  const why = t("adjudicate.why", { reader: readerName(reading.reader) });
  await frame.after(() => (decided ? api.changeReading(decided.id, { version: decided.version, draft, why }) : api.addReading(frame.data.id, draft)));
}

function decision(frame, question) {
  const { given, decided } = question;
  const chosen = decided && given.find((reading) => reading.id === decided.draft.began_as && sizeText(reading) === sizeText(decided));
  const own = () => frame.view.show({ image: given[0].draft.image, frame: given[0].draft.frame, lesion: question.lesion });
  const button = (reading) => h("button", { type: "button", disabled: frame.data.locked, "aria-pressed": String(reading === chosen), onclick: () => void take(frame, question, reading) }, t("adjudicate.take", { reader: readerName(reading.reader) }));
  return [
    h("p", { class: decided ? "decided" : "missing" }, decided ? t("adjudicate.decided", { size: sizeText(decided) }) : t("adjudicate.open")),
    h("div", { class: "actions" }, given.map(button), h("button", { type: "button", disabled: frame.data.locked, "aria-pressed": String(Boolean(decided) && !chosen), onclick: own }, t("adjudicate.own"))),
  ];
}

function one(frame, question) {
  const { lesion, visit, where } = question;
  return h("section", { class: "question" }, h("h3", {}, [lesion, visit.label, where].filter(Boolean).join(" · ")), overlays(frame.data, question), table(question), decision(frame, question));
}

/** The panel of somebody. @param {Session} session @returns {Panel} */
export const adjudicate = (session) => ({
  count: (data) => questions(data, session).filter((question) => !question.decided).length,
  draw: (frame) => {
    const asked = questions(frame.data, session);
    const none = frame.data.signatures.filter(({ reader, no_lesion }) => no_lesion && reader !== session.reader);
    const said = none.map(({ reader }) => h("p", { class: "notice" }, t("adjudicate.says_none", { reader: readerName(reader) })));
    if (asked.length === 0) return said.length > 0 ? said : [h("p", { class: "quiet" }, t("adjudicate.none"))];
    return [said, h("p", { class: "quiet small" }, t("adjudicate.how")), asked.map((question) => one(frame, question))];
  },
});
