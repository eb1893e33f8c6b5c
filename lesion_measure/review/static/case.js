/**
 * The frame of a case: its header, the panels beside the viewer, and the way to the next case.
 *
 * What the viewer and this frame promise one another: `viewer.js` exports `openCase(root, caseData, session)`, which
 * answers `{book, unfinished(), unseen(), settle(), close(), resume(), redraw(caseData), show({image, frame, lesion})}`, and may export `prepare(caseData)`,
 * which loads first frames of a case that is likely next. After each write that was kept the viewer sends `case-changed` from
 * `root`; the frame then loads the case again for its header and panels. After a write of a panel's own (signing,
 * adjudication) the frame calls `redraw` with the case as it is now.
 */

import * as api from "./api.js";
import { answered, failed, keeping } from "./announce.js";
import { forget, neighbours, prefetch, seenWorklist, take } from "./cases.js";
import { h, fill } from "./dom.js";
import { bind, keyOf } from "./keys.js";
import { mayLeave } from "./leaving.js";
import { pageBar } from "./pagebar.js";
import { panelsFor } from "./panels/all.js";
import { stateBadge } from "./states.js";
import { t } from "./texts.js";

/** Waits before the case is loaded again, so that a drag of many writes asks once. */
const SETTLED_MS = 200;

export class CaseFrame {
  /** @param {{bar: HTMLElement, main: HTMLElement, session: Session}} page @param {Case} data */
  constructor(page, data, around) {
    Object.assign(this, page, { data, around, panel: null, isBehind: false, isWriting: false, loading: null, asked: 0, told: 0, opened: 0, drawn: 0, isOpening: false });
    this.root = h("div", { class: "viewer" });
    this.side = h("aside", { class: "drawer", hidden: true });
    this.root.addEventListener("case-changed", () => this.changed());
  }

  async open() {
    this.panels = panelsFor(this.session);
    fill(this.main, h("div", { class: "case" }, this.root, this.side));
    this.head();
    const toggles = Object.fromEntries(Object.keys(this.panels).map((name) => [name, () => void this.toggle(name)]));
    this.unbind = bind("case", { ...toggles, next: () => this.go(this.around.next), previous: () => this.go(this.around.previous), worklist: () => this.go("") });
    const viewer = await import("./viewer.js");
    this.view = await viewer.openCase(this.root, this.data, this.session);
    if (this.around.next) void prefetch(this.around.next).then((data) => viewer.prepare?.(data), () => {});
  }

  /** Whether the case may be left: everything is saved, or lost by choice. @returns {Promise<boolean>} */
  mayLeave() {
    this.view?.settle();
    return mayLeave(this.book);
  }

  close() {
    clearTimeout(this.waiting);
    this.closed = true;
    this.unbind?.();
    this.uncover?.();
    this.view?.close();
  }

  /** The reader's edits; undefined before the viewer is there. */
  get book() {
    return this.view?.book;
  }

  /** Go on after the reader has logged in again: what waited is sent, and the case loaded anew. */
  resume() {
    this.view.resume();
    void this.reload();
  }

  /** Leave for a case, or for the worklist where the id is empty. False where there is none. */
  go(id) {
    if (id === null) return false;
    location.hash = id ? `#/case/${id}` : "#/";
    return true;
  }

  head() {
    const { data, around } = this;
    const focused = this.bar.contains(document.activeElement) && document.activeElement.dataset.panel;
    const step = (to, sign, action) => h("button", { type: "button", class: "plain", disabled: to === null, "aria-label": t(`case.${action}`), title: `${t(`case.${action}`)} (${keyOf("case", action)})`, onclick: () => this.go(to) }, sign);
    const visits = t("case.visits", { count: data.visits.length });
    fill(this.bar, pageBar({ session: this.session, middle: [
      step(around.previous, "‹", "previous"),
      h("div", { class: "who" }, h("h1", {}, data.label), h("small", { class: "quiet" }, t("case.place", { place: around.place + 1, count: around.count }), " · ", visits)),
      step(around.next, "›", "next"),
      stateBadge(data.state),
      h("nav", { class: "panels", "aria-label": t("case.panels") }, Object.entries(this.panels).map(([name, panel]) => this.tab(name, panel))),
    ] }));
    if (focused) this.bar.querySelector(`[data-panel=${focused}]`).focus();
  }

  tab(name, panel) {
    const count = panel.count?.(this.data) ?? 0;
    return h("button", { type: "button", class: name === "sign" ? "main" : null, "data-panel": name, "aria-expanded": String(this.panel === name), title: keyOf("case", name), onclick: () => void this.toggle(name) }, t(`panel.${name}`), count > 0 && h("b", { class: "count" }, count));
  }

  /** Open a panel, or close it where it is open. What is signed is what is kept at that moment. */
  async toggle(name) {
    this.panel = this.panel === name ? null : name;
    this.head();
    this.side.hidden = this.panel === null;
    this.uncover?.();
    this.uncover = undefined;
    if (this.panel === null) {
      this.side.replaceChildren();
      this.bar.querySelector(`[data-panel=${name}]`).focus();
      return;
    }
    // While a panel is open, Esc closes it before it lets go of anything drawn.
    this.uncover = bind("everywhere", { close: () => void this.toggle(this.panel) }, { covers: true });
    const turn = (this.opened += 1);
    this.isOpening = true;
    this.blank(name);
    this.view?.settle();
    await answered();
    this.isBehind ||= name === "sign";
    await this.settled();
    if (turn !== this.opened) return;
    this.isOpening = false;
    await this.draw();
    this.side.querySelector("h2")?.focus();
  }

  /** The heading of a panel, with what closes it. */
  title(name) {
    return h("header", {}, h("h2", { tabindex: -1 }, t(`panel.${name}`)), h("button", { type: "button", class: "plain", "aria-label": t("dialog.close"), onclick: () => void this.toggle(name) }, "✕"));
  }

  /** A panel that was asked for stands there at once, before its content: never that of another one. */
  blank(name) {
    this.side.className = `drawer ${name}`;
    this.side.setAttribute("aria-label", t(`panel.${name}`));
    fill(this.side, this.title(name), h("p", { class: "loading", role: "status" }, t("loading")));
  }

  /** Draw the open panel anew. What is drawn for a panel or a case that is no longer shown, or after a later one, is old. */
  async draw() {
    const { panel: name, data } = this;
    if (name === null) return;
    const turn = (this.drawn += 1);
    const isLast = () => turn === this.drawn && this.panel === name && !this.closed;
    const content = await this.content(name, () => !isLast() || this.data !== data);
    if (!isLast()) return;
    if (this.data === data) fill(this.side, this.title(name), content);
    else await this.draw();
  }

  /** What a panel shows, or why it shows nothing. `isOld` tells a panel that waited whether it is still asked for. */
  async content(name, isOld) {
    try {
      return h("div", { class: "within" }, await this.panels[name].draw(this, isOld));
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      return h("p", { class: "wrong", role: "alert" }, problem.reason, " ", problem.remedy);
    }
  }

  changed() {
    this.isBehind = true;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => void this.settled(), SETTLED_MS);
  }

  /** Once the case is known as it is after every write that was kept. */
  async settled() {
    if (this.isBehind) {
      this.isBehind = false;
      this.loading = this.reload();
    }
    await this.loading;
  }

  /** Load the case again, for the header and the open panel. An answer that comes after that to a later question is old. */
  async reload() {
    forget();
    const turn = (this.asked += 1);
    try {
      const data = await api.caseOf(this.data.id);
      if (this.closed || turn < this.told) return;
      this.told = turn;
      this.data = data;
      this.head();
      // What opens waits for the case as it is then, and shows no older one meanwhile.
      if (this.panel !== null && !this.isOpening && !this.side.contains(document.activeElement?.closest("textarea, input"))) await this.draw();
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      failed(problem);
    }
  }

  /** Show a case that was loaded ahead as it is now, where somebody has changed it since. */
  async renew() {
    const before = JSON.stringify(this.data);
    await this.reload();
    if (!this.closed && JSON.stringify(this.data) !== before) this.view.redraw(this.data);
  }

  /**
   * Do a write of a panel, then show the case as it is now everywhere. A second press meanwhile, as of a double click, does
   * nothing: the panel is of the case before the first.
   *
   * @param {function(): Promise<*>} write
   */
  async after(write) {
    if (this.isWriting) return;
    this.isWriting = true;
    try {
      await keeping(write());
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      failed(problem);
    } finally {
      document.activeElement?.blur?.();
      await this.reload();
      this.isWriting = false;
    }
    this.view?.redraw(this.data);
    this.side.querySelector("h2")?.focus();
  }
}

/** Show a case. @param {{bar: HTMLElement, main: HTMLElement, session: Session, id: string}} page */
export async function openCaseFrame(page) {
  document.title = `${t("case.title")} · ${t("title")}`;
  await seenWorklist();
  const { data, wasAhead } = await take(page.id);
  const frame = new CaseFrame(page, data, await neighbours(page.id));
  await frame.open();
  if (wasAhead) void frame.renew();
  return frame;
}
