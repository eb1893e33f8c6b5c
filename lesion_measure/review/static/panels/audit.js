/** The audit: who did what, when and why, with what was there before and after. */

import * as api from "../api.js";
import { h } from "../dom.js";
import { NOTHING, fixed, moment } from "../format.js";
import { readerName } from "../names.js";
import { has, t } from "../texts.js";
import { frameText, imageOf, visitOf } from "./readings.js";

const point = ([row, column]) => `(${row.toFixed(1)}, ${column.toFixed(1)})`;
const isPoint = (value) => Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "number");
const isEmpty = (value) => value === null || value === undefined || value === "";

/** Fields of a step that name things by codes of no use to a reader. */
const LEFT_OUT = new Set(["image", "began_as", "versions"]);

/** A value of a step as people read it. @param {*} value */
function told(key, value) {
  if (isEmpty(value)) return NOTHING;
  if (key.endsWith("_mm")) return `${fixed(value)} mm`;
  if (isPoint(value)) return point(value);
  if (Array.isArray(value) && value.every(isPoint)) return value.length === 2 ? value.map(point).join(" – ") : t("audit.points", { count: value.length });
  if (has(`${key}.${value}`)) return t(`${key}.${value}`);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What changed: field, before, after. @param {AuditEntry} entry */
function changes({ before, after }) {
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const differs = (key) => JSON.stringify(before?.[key] ?? null) !== JSON.stringify(after?.[key] ?? null);
  return keys.filter((key) => !LEFT_OUT.has(key) && differs(key) && !(isEmpty(before?.[key]) && isEmpty(after?.[key])));
}

function fieldText(key) {
  const known = [`audit.field.${key}`, `size.${key}`].find(has);
  return known ? t(known) : key;
}

function difference(entry) {
  const { before, after } = entry;
  const field = (key) => h("div", {}, h("dt", {}, fieldText(key)),
    h("dd", {}, before && !isEmpty(before[key]) && h("del", {}, told(key, before[key])), before && after && " ", after && h("ins", {}, told(key, after[key]))));
  const keys = changes(entry);
  return keys.length > 0 && h("dl", { class: "diff" }, keys.map(field));
}

/** Visit and image that a step is about, under the names that the page has for them. @param {Case} data @param {AuditEntry} entry */
function place(data, { before, after }) {
  const id = after?.image ?? before?.image;
  const frame = after?.frame ?? before?.frame;
  const image = id && imageOf(data, id);
  return image ? [visitOf(data, id).label, image.label, frameText(image, frame)].filter(Boolean).join(" · ") : "";
}

function step(data, entry) {
  const what = has(`audit.action.${entry.action}`) ? t(`audit.action.${entry.action}`) : entry.action;
  const about = entry.after?.lesion ?? entry.before?.lesion ?? "";
  return h("li", {}, h("p", {}, h("b", {}, what), about && ` ${about}`, h("small", { class: "told" }, place(data, entry)), h("small", { class: "told" }, `${readerName(entry.reader)} · `, h("time", { datetime: entry.at }, moment(entry.at)))),
    entry.why && h("p", { class: "said" }, t("audit.why", { why: entry.why })), difference(entry),
    h("small", { class: "quiet chain", title: entry.chain }, t("audit.step", { number: entry.number }), entry.chain && ` · ${entry.chain.slice(0, 12)}`));
}

/** @type {Panel} */
export const audit = {
  draw: async (frame) => {
    const steps = [...(await api.audit(frame.data.id))].sort((a, b) => b.number - a.number);
    return [
      h("p", { class: "quiet small" }, frame.session.blinded ? t("audit.own") : t("audit.how")),
      steps.length ? h("ol", { class: "plain-list audit" }, steps.map((entry) => step(frame.data, entry))) : h("p", { class: "quiet" }, t("audit.none")),
    ];
  },
};
