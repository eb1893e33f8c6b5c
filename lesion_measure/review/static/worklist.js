/** The worklist: children, their visits or their lesions by state; sorted, filtered, searched; one key to the next. */

import { freshWorklist, keepOrder, prefetch } from "./cases.js";
import { h, fill } from "./dom.js";
import { fixed, moment } from "./format.js";
import { bind, keyOf } from "./keys.js";
import { readerName } from "./names.js";
import { pageBar } from "./pagebar.js";
import { STATES, stateBadge, stateChip } from "./states.js";
import { t } from "./texts.js";

const LEVELS = ["cases", "visits", "lesions"];
const natural = new Intl.Collator(undefined, { numeric: true }).compare;

/** What is shown, kept while the page is open: nobody finds another list after a case. */
const view = { level: "cases", states: new Set(), text: "", sort: "order", down: false, at: null };

/**
 * @typedef {Object} Row
 * @property {CaseItem} item
 * @property {number} order place in reading order
 * @property {string} name what the row is about, beside its case
 * @property {string} state
 * @property {VisitItem} [visit]
 */

/** @param {Worklist} list @param {string} level @returns {Row[]} */
function rowsOf(list, level) {
  const rows = [];
  list.cases.forEach((item, order) => {
    if (level === "cases") rows.push({ item, order, name: "", state: item.state });
    if (level === "visits") item.visits.forEach((visit) => rows.push({ item, order, visit, name: visit.label, state: visit.state }));
    if (level === "lesions") item.lesions.forEach((lesion) => rows.push({ item, order, name: lesion.name, state: lesion.state }));
  });
  return rows;
}

const visitWhen = (visit) => [visit.date, visit.day !== null && t("visit.day", { day: visit.day })].filter(Boolean).join(" · ");

/** Columns by level: key, what sorts, what a cell holds. */
const COLUMNS = {
  label: { by: (a, b) => natural(a.item.label, b.item.label), cell: (row) => h("a", { href: `#/case/${row.item.id}`, tabindex: -1 }, row.item.label) },
  name: { by: (a, b) => natural(a.name, b.name), cell: (row) => row.name },
  state: { by: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state), cell: stateCell },
  visits: { by: (a, b) => a.item.visits.length - b.item.visits.length, cell: (row) => row.item.visits.map((visit) => stateChip(visit.label, visit.state, visitWhen(visit))) },
  lesions: { by: (a, b) => a.item.lesions.length - b.item.lesions.length, cell: (row) => (row.item.lesions.length ? row.item.lesions.map((lesion) => stateChip(lesion.name, lesion.state)) : h("span", { class: "quiet" }, t("worklist.no_lesion"))) },
  when: { by: (a, b) => natural(a.visit.date ?? "", b.visit.date ?? ""), cell: (row) => visitWhen(row.visit) },
  images: { by: (a, b) => a.visit.images - b.visit.images, cell: (row) => row.visit.images },
  changed: { by: (a, b) => natural(a.item.changed ?? "", b.item.changed ?? ""), cell: changedCell },
};
const SHOWN = { cases: ["label", "state", "visits", "lesions", "changed"], visits: ["label", "name", "when", "images", "state"], lesions: ["label", "name", "state", "visits", "changed"] };

/** What asks for a look at a case, in words: what readers differ on, then what a run left. @param {CaseItem} item */
function reasons({ differs, why }) {
  const differing = ({ lesion, visit, sizes_mm: sizes }) => t(sizes.length ? "worklist.differ.sizes" : "worklist.differ.there", { lesion, visit, sizes: sizes.map((size) => `${fixed(size)} mm`).join(", ") });
  return [...differs.map(differing), ...why];
}

function stateCell(row) {
  const why = view.level === "cases" && row.state !== "signed" ? reasons(row.item) : [];
  return [stateBadge(row.state), why.length > 0 && h("small", { class: "why", title: why.join("\n") }, h("span", {}, why[0]), why.length > 1 && h("span", {}, t("worklist.more", { count: why.length - 1 })))];
}

function changedCell({ item }) {
  if (item.signed_by.length) return [t("worklist.signed_by", { names: item.signed_by.map(readerName).join(", ") }), h("small", {}, moment(item.changed))];
  return h("span", { class: "quiet" }, moment(item.changed));
}

function matching(rows) {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = ({ item, name }) => [item.label, name, ...item.visits.map((visit) => visit.label), ...item.lesions.map((lesion) => lesion.name), ...item.signed_by.map(readerName)].join(" ").toLowerCase();
  return rows.filter((row) => (view.states.size === 0 || view.states.has(row.state)) && words.every((word) => holds(row).includes(word)));
}

function sorted(rows) {
  const by = view.sort === "order" ? (a, b) => a.order - b.order : COLUMNS[view.sort].by;
  const turn = view.down ? -1 : 1;
  return [...rows].sort((a, b) => turn * by(a, b) || a.order - b.order);
}

function counted(rows) {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
  rows.forEach((row) => (counts[row.state] += 1));
  return counts;
}

/** A bar of all cases by state. @param {Object<string, number>} counts @param {number} total */
export function progressBar(counts, total) {
  const shown = ["signed", "measured", "disagreement", "needs_review", "refused", "to_measure"].filter((state) => counts[state]);
  const parts = shown.map((state) => {
    const part = h("span", { class: state, title: `${t(`state.${state}`)}: ${counts[state]}` });
    part.style.flexGrow = counts[state];
    return part;
  });
  return h("div", { class: "progress", role: "img", "aria-label": t("worklist.progress", { done: counts.signed ?? 0, count: total }) }, parts);
}

class Worklist {
  /** @param {{bar: HTMLElement, main: HTMLElement, session: Session}} page @param {Object} list */
  constructor(page, list) {
    Object.assign(this, page, { list });
    this.head = h("div", { class: "summary" });
    this.filters = h("div", { class: "filters" });
    this.body = h("tbody");
    this.table = h("table", { class: "worklist", "aria-label": t("worklist.title") });
    this.found = h("p", { class: "quiet found", role: "status" });
    this.search = h("input", { type: "search", value: view.text, placeholder: t("worklist.search"), "aria-label": t("worklist.search"), title: keyOf("worklist", "search"), oninput: () => this.searched(), onkeydown: (event) => this.leaveSearch(event) });
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("focusin", (event) => this.focused(event.target.closest("tr")));
  }

  open() {
    fill(this.bar, pageBar({ session: this.session }));
    fill(this.main, h("div", { class: "page" }, this.head, h("div", { class: "tools" }, this.levels(), this.search), this.filters, h("div", { class: "sheet" }, this.table), this.found, h("footer", { class: "quiet small" }, t("research"), ` ${t("title")} ${this.session.version}`)));
    this.unbind = bind("worklist", { down: () => this.move(1), up: () => this.move(-1), first: () => this.move(-Infinity), last: () => this.move(Infinity), open: () => this.openRow(), next: () => this.next(), search: () => this.search.focus() });
    this.draw();
    this.rowAt()?.focus({ preventScroll: false });
  }

  close() {
    this.unbind();
  }

  async mayLeave() {
    return true;
  }

  levels() {
    const button = (level) => h("button", { type: "button", "aria-pressed": String(level === view.level), "data-level": level, onclick: () => this.change({ level, states: new Set(), sort: "order", down: false, at: null }) }, t(`worklist.level.${level}`));
    return h("div", { class: "segments", role: "group", "aria-label": t("worklist.levels") }, LEVELS.map(button));
  }

  change(to) {
    Object.assign(view, to);
    this.main.querySelectorAll("[data-level]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.level === view.level)));
    this.draw();
  }

  searched() {
    this.change({ text: this.search.value, at: null });
  }

  leaveSearch(event) {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    this.rowAt()?.focus();
  }

  draw() {
    const rows = rowsOf(this.list, view.level);
    this.rows = sorted(matching(rows));
    keepOrder([...new Set(this.rows.map((row) => row.item.id))]);
    fill(this.head, this.summary());
    fill(this.filters, this.stateFilters(counted(rows), rows.length));
    fill(this.table, this.header(), this.body);
    fill(this.body, this.rows.map((row, place) => this.line(row, place)));
    fill(this.found, this.rows.length === rows.length ? "" : t("worklist.found", { shown: this.rows.length, all: rows.length }));
    if (this.rows.length === 0) fill(this.body, h("tr", {}, h("td", { colspan: 9, class: "nothing" }, rows.length ? t("worklist.none_match") : t("worklist.empty"))));
  }

  summary() {
    const cases = this.list.cases;
    const counts = counted(rowsOf(this.list, "cases"));
    const total = (level) => t(`worklist.count.${level}`, { count: rowsOf(this.list, level).length });
    const next = this.nextCase();
    return [
      h("div", { class: "title" }, h("h1", {}, t("worklist.title")), h("p", { class: "quiet" }, LEVELS.map(total).join(" · ")),
        h("button", { type: "button", class: "main", disabled: !next, onclick: () => this.next() }, t("worklist.next"), " ", h("kbd", {}, keyOf("worklist", "next")))),
      progressBar(counts, cases.length),
      h("p", { class: "quiet small" }, t("worklist.progress", { done: counts.signed, count: cases.length })),
    ];
  }

  stateFilters(counts, total) {
    const toggle = (state) => {
      const states = new Set(view.states);
      if (!states.delete(state)) states.add(state);
      this.change({ states, at: null });
      this.filters.querySelector(`[data-state=${state}]`)?.focus();
    };
    const one = (state) => h("button", { type: "button", class: "filter", "data-state": state, disabled: counts[state] === 0 && !view.states.has(state), "aria-pressed": String(view.states.has(state)), onclick: () => toggle(state) }, stateBadge(state), h("b", {}, counts[state]));
    const all = h("button", { type: "button", class: "filter", "aria-pressed": String(view.states.size === 0), onclick: () => this.change({ states: new Set(), at: null }) }, t("worklist.all"), h("b", {}, total));
    return [all, ...STATES.map(one)];
  }

  header() {
    const cell = (key) => {
      const now = view.sort === key;
      const sort = () => {
        this.change(now && view.down ? { sort: "order", down: false } : { sort: key, down: now });
        this.table.querySelector(`[data-sort=${key}]`).focus();
      };
      return h("th", { scope: "col", class: `column-${key}`, "aria-sort": now ? (view.down ? "descending" : "ascending") : null }, h("button", { type: "button", "data-sort": key, onclick: sort }, t(`worklist.column.${view.level}.${key}`), h("i", { "aria-hidden": "true" }, now ? (view.down ? "▾" : "▴") : "")));
    };
    return h("thead", {}, h("tr", {}, SHOWN[view.level].map(cell)));
  }

  line(row, place) {
    const cells = SHOWN[view.level].map((key, at) => h(at === 0 ? "th" : "td", { class: `column-${key}`, scope: at === 0 ? "row" : null }, COLUMNS[key].cell(row)));
    const link = cells[0].firstChild;
    link.tabIndex = this.isAt(row, place) ? 0 : -1;
    return h("tr", { "data-place": place }, cells);
  }

  isAt(row, place) {
    return view.at === null || !this.rows[view.at] ? place === 0 : place === view.at;
  }

  rowAt() {
    return this.body.querySelector("a[tabindex='0']");
  }

  focused(line) {
    if (!line?.dataset.place) return;
    const before = this.rowAt();
    if (before) before.tabIndex = -1;
    view.at = Number(line.dataset.place);
    line.querySelector("a").tabIndex = 0;
    void prefetch(this.rows[view.at].item.id);
  }

  move(by) {
    if (this.rows.length === 0) return;
    const inList = this.body.contains(document.activeElement);
    const to = Math.min(this.rows.length - 1, Math.max(0, (view.at ?? 0) + (inList || !Number.isFinite(by) ? by : 0)));
    this.body.children[to].querySelector("a").focus();
  }

  clicked(event) {
    const line = event.target.closest("tr[data-place]");
    if (!line || getSelection().toString()) return;
    view.at = Number(line.dataset.place);
    this.openRow();
  }

  openRow() {
    const row = this.rows[view.at ?? 0];
    if (row) location.hash = `#/case/${row.item.id}`;
  }

  nextCase() {
    const open = this.rows.filter(({ item }) => item.state !== "signed");
    return open[0]?.item ?? null;
  }

  next() {
    const item = this.nextCase();
    if (!item) return false;
    location.hash = `#/case/${item.id}`;
    return true;
  }
}

/** Show the worklist. @param {{bar: HTMLElement, main: HTMLElement, session: Session}} page @returns {Promise<{close(): void}>} */
export async function openWorklist(page) {
  if (!page.main.firstChild) fill(page.main, h("p", { class: "loading", role: "status" }, t("loading")));
  document.title = `${t("worklist.title")} · ${t("title")}`;
  const worklist = new Worklist(page, await freshWorklist());
  worklist.open();
  const next = worklist.nextCase();
  if (next) void prefetch(next.id);
  return worklist;
}
