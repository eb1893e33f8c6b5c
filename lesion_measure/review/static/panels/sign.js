/** Sign-off: what is signed, what is missing, the statement; who signed, and opening again for a reason. */

import * as api from "../api.js";
import { askText } from "../dialog.js";
import { fill, h } from "../dom.js";
import { amount, interval, moment, percent, percentInterval, volumeDigits } from "../format.js";
import { keyOf } from "../keys.js";
import { readerName } from "../names.js";
import { t } from "../texts.js";
import { comparedText, lesionsOf, readingLine, readingsAt } from "./readings.js";

/** @param {CaseFrame} frame */
const isMine = (frame) => (reading) => reading.reader === frame.session.reader;

function sizes(result, lesion, visit) {
  const found = result.lesions.find((each) => each.lesion === lesion && each.visit === visit.id);
  if (!found) return null;
  const { longest_diameter_mm: longest, volume_ml: volume } = found;
  return [
    longest && h("b", {}, amount(longest, "mm")),
    longest?.ci95 && h("small", { class: "quiet" }, t("viewer.error_bar", { interval: interval(longest.ci95) })),
    volume && volume.value !== null && h("small", {}, amount(volume, "mL", volumeDigits(volume.value))),
    found.percent !== null && h("small", {}, percent(found.percent, result.limits)),
    found.compared && h("small", { class: "quiet of-planes" }, comparedText(found, result.limits)),
  ];
}

function lesionRows(frame, result, lesion) {
  const row = (visit) => {
    const mine = readingsAt(frame.data, lesion, visit, isMine(frame));
    const said = mine.length ? mine.map((reading) => readingLine(frame.data, reading)) : h("p", { class: "missing" }, t("sign.missing"));
    return h("tr", {}, h("th", { scope: "row" }, visit.label), h("td", {}, said), h("td", { class: "n" }, sizes(result, lesion, visit)));
  };
  return h("tbody", {}, h("tr", { class: "group" }, h("th", { colspan: 3, scope: "rowgroup" }, lesion)), frame.data.visits.map(row));
}

function missing(frame) {
  return lesionsOf(frame.data).flatMap((lesion) => frame.data.visits.filter((visit) => readingsAt(frame.data, lesion, visit, isMine(frame)).length === 0).map((visit) => `${lesion}, ${visit.label}`));
}

function whatIsSigned(frame, result) {
  const lesions = lesionsOf(frame.data);
  if (lesions.length === 0) return h("p", { class: "notice warn" }, t("sign.nothing"));
  return h("table", { class: "signed-table" }, h("caption", { class: "unseen" }, t("sign.what")),
    h("thead", {}, h("tr", {}, ["visit", "reading", "size"].map((key) => h("th", { scope: "col", class: key === "size" ? "n" : null }, t(`sign.column.${key}`))))),
    lesions.map((lesion) => lesionRows(frame, result, lesion)));
}

function answer(result) {
  if (result.verdict === null && result.needs.length === 0) return null;
  return h("section", { class: "notice" },
    result.verdict !== null && h("p", {}, h("b", {}, result.verdict, result.percent !== null && ` (${percent(result.percent, result.limits)})`), result.percent_ci95 && h("small", { class: "quiet" }, " ", percentInterval(result.percent_ci95, result.limits))),
    result.explanation && h("p", { class: "small" }, result.explanation),
    result.needs.length > 0 && h("ul", { class: "small" }, result.needs.map((need) => h("li", {}, need))));
}

/** The key of the statement that fits what is signed. @param {Reading[]} mine @param {boolean} isNone */
function statementOf(mine, isNone) {
  if (mine.length > 0) return "sign.statement.text";
  return isNone ? "sign.statement.none" : "sign.statement.unread";
}

/**
 * What must be ticked before a case is signed with something left out: places that are not read, or all of it. Of lesions
 * that others named and this reader did not read, the reader says one of two things.
 */
function ticks(mine, gaps, said) {
  const one = (kind, words, does = () => {}) => h("label", { class: "check warn" }, h("input", { type: kind, name: "left-out", required: true, onchange: does }), h("span", {}, words));
  const unread = [t("sign.gaps", { count: gaps.length }), h("small", { class: "quiet told" }, gaps.join("; "))];
  if (mine.length > 0) return gaps.length > 0 && one("checkbox", unread);
  if (gaps.length === 0) return one("checkbox", t("sign.none"));
  return h("fieldset", { class: "choice" }, h("legend", { class: "unseen" }, t("sign.left_out")), one("radio", unread, () => said(false)), one("radio", t("sign.none"), () => said(true)));
}

function form(frame, gaps) {
  const mine = frame.data.readings.filter(isMine(frame));
  const versions = Object.fromEntries(mine.map((reading) => [reading.id, reading.version]));
  let isNone = mine.length === 0 && gaps.length === 0;
  const statement = h("textarea", { rows: 3, maxlength: 2000, required: true }, t(statementOf(mine, isNone)));
  const says = (none) => {
    if (statement.value === t(statementOf(mine, isNone))) statement.value = t(statementOf(mine, none));
    isNone = none;
  };
  const open = h("div", { role: "alert" });
  const unseen = frame.view?.unseen() ?? [];
  const isFinished = () => {
    const left = frame.view?.unfinished() ?? [];
    fill(open, left.length > 0 && h("div", { class: "notice warn" }, h("p", {}, t("sign.unfinished")), h("ul", { class: "small" }, left.map((each) => h("li", {}, each)))));
    return left.length === 0;
  };
  isFinished();
  const send = async (event) => {
    event.preventDefault();
    if (!isFinished()) return;
    const said = gaps.length && !isNone ? `${statement.value.trim()} ${t("sign.gaps.said", { gaps: gaps.join("; ") })}` : statement.value.trim();
    last = { of: "", form: null }; // opened again, a case is signed by new ticks
    await frame.after(() => api.sign(frame.data.id, versions, said, isNone));
  };
  return h("form", { class: "sign-form", onsubmit: send },
    h("label", {}, h("span", {}, t("sign.statement")), statement),
    unseen.length > 0 && h("p", { class: "notice warn small" }, t("sign.unseen", { images: unseen.join("; ") })),
    ticks(mine, gaps, says),
    open,
    h("p", { class: "quiet small" }, t("sign.locks")),
    h("div", { class: "actions" }, h("button", { class: "main" }, t("sign.sign", { reader: frame.session.reader }))));
}

/** The form drawn last, and what it is of. */
let last = { of: "", form: null };

/** The form, with what the reader had ticked and written where it is drawn anew of the same readings. */
function keptForm(frame, gaps) {
  const of = JSON.stringify([frame.data.id, frame.data.readings.map(({ id, version }) => [id, version]), gaps]);
  const next = form(frame, gaps);
  if (of === last.of) carry(last.form, next);
  last = { of, form: next };
  return next;
}

function carry(before, now) {
  const ticked = [...before.querySelectorAll("input")].map(({ checked }) => checked);
  [...now.querySelectorAll("input")].forEach((input, place) => {
    if (!ticked[place]) return;
    input.checked = true;
    input.dispatchEvent(new Event("change"));
  });
  now.querySelector("textarea").value = before.querySelector("textarea").value;
}

function signatures(frame) {
  const one = (signature) => h("li", {}, h("b", {}, readerName(signature.reader)), " ", h("span", { class: "quiet" }, t(`role.${signature.role}`), " · ", moment(signature.at)), signature.no_lesion && h("p", {}, t("sign.says_none")));
  return h("section", { class: "notice good" }, h("h3", {}, t("sign.signed")), h("ul", { class: "plain-list" }, frame.data.signatures.map(one)));
}

async function reopen(frame) {
  const why = await askText({ title: t("sign.reopen"), label: t("sign.reopen.why"), action: t("sign.reopen"), hint: t("sign.reopen.hint") });
  if (why) await frame.after(() => api.reopen(frame.data.id, why));
}

function locked(frame) {
  const next = frame.around.next;
  return h("div", {}, h("p", {}, t("sign.locked")), h("div", { class: "actions" },
    h("button", { type: "button", onclick: () => void reopen(frame) }, t("sign.reopen")),
    next && h("button", { type: "button", class: "main", onclick: () => frame.go(next) }, t("case.next"), " ", h("kbd", {}, keyOf("case", "next")))));
}

/** What a run would say; where it refuses to say anything, the reason is what is needed. A signature does not wait for it. */
async function resultOf(id) {
  try {
    return await api.result(id);
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    return { lesions: [], verdict: null, needs: [problem.reason] };
  }
}

/** @type {Panel} */
export const sign = {
  draw: async (frame, isOld) => {
    const result = await resultOf(frame.data.id);
    if (isOld()) return [];
    return [
      frame.data.signatures.length > 0 && signatures(frame),
      frame.data.locked && locked(frame),
      lesionsOf(frame.data).length > 0 && answer(result),
      whatIsSigned(frame, result),
      !frame.data.locked && keptForm(frame, missing(frame)),
    ];
  },
};
