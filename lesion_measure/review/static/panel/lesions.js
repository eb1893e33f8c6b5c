/** The lesions of the child: size at each visit, change, what is drawn where, and what can be said instead of a size. */

import { fill, h } from "../dom.js";
import { NOTHING, amount, fixed, interval, percent, percentInterval, volumeDigits } from "../format.js";
import { keyOf } from "../keys.js";
import { t } from "../texts.js";
import { carry } from "../tools/carry.js";
import { comparedText, frameText, sizeText } from "../panels/readings.js";
import { errorBar } from "./error_bar.js";
import { icon } from "./icons.js";

/** @typedef {import("../reading/desk.js").Desk} Desk */
/** @typedef {import("../reading/types.js").Visit} Visit */

export class Lesions {
  /**
   * @param {Desk} desk
   * @param {Record<string, () => void>} actions
   */
  constructor(desk, actions) {
    this._desk = desk;
    this._actions = actions;
    this._shown = desk.lesion;
    this._pressed = false;
    this._list = h("ol", { class: "lesion-list plain-list", onpointerdown: () => this._press() });
    const add = h("button", { type: "button", class: "plain", title: keyed("new"), "aria-label": t("keys.viewer.new"), onclick: actions.new }, icon("plus"));
    this.element = h("section", { class: "lesions", "aria-label": t("viewer.lesions") }, h("header", {}, h("h2", {}, t("viewer.lesions")), add), this._list);
  }

  /** Show what is new, and leave the rest in its place: a press that is under way must find its button again. */
  update() {
    if (this._pressed) return;
    const focused = document.activeElement?.getAttribute("data-focus");
    const old = [...this._list.children];
    const items = this._desk.lesions.map((lesion, index) => this._lesion(lesion, index));
    const same = items.map((item, index) => (old[index]?.isEqualNode(item) ? old[index] : item));
    if (same.length !== old.length || same.some((item, index) => item !== old[index])) fill(this._list, same);
    if (this._shown !== this._desk.lesion) this._list.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
    this._shown = this._desk.lesion;
    if (focused) /** @type {any} */ (this._list.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  _press() {
    this._pressed = true;
    const released = () => {
      this._pressed = false;
      // The click comes after this.
      setTimeout(() => this.update());
    };
    document.addEventListener("pointerup", released, { once: true });
    document.addEventListener("pointercancel", released, { once: true });
  }

  /** @param {string} lesion @param {number} index */
  _lesion(lesion, index) {
    const desk = this._desk;
    const isChosen = lesion === desk.lesion;
    const badge = h("span", { class: "badge" }, desk.numberOf(lesion));
    badge.style.backgroundColor = desk.colorOf(lesion);
    const name = h("button", {
      type: "button", class: "lesion-name", "data-lesion": lesion, "data-focus": `lesion ${lesion}`, "aria-pressed": String(isChosen), title: t("viewer.lesion.drag"), "aria-keyshortcuts": index < 9 ? String(index + 1) : null,
      onclick: () => desk.choose(lesion),
      onpointerdown: (/** @type {PointerEvent} */ event) => { if (event.button === 0 && !desk.locked) carry(desk, lesion, event); },
    }, badge, h("span", { class: "grow", title: lesion }, lesion));
    return h("li", { class: isChosen ? "lesion chosen" : "lesion" }, name, this._sizes(lesion), isChosen && this._readings(lesion), isChosen && this._statements());
  }

  /** Size and change at each visit. @param {string} lesion */
  _sizes(lesion) {
    const { data, results } = this._desk;
    const rows = data.visits.map((visit) => ({ visit, found: results.of(lesion, visit.id) })).filter(({ visit, found }) => found !== null || this._desk.entriesOf(lesion, visit.id).length > 0);
    if (rows.length === 0) return null;
    const most = Math.max(...rows.map(({ found }) => found?.longest_diameter_mm?.ci95?.[1] ?? found?.longest_diameter_mm?.value ?? 0));
    return h("div", { class: results.fresh ? "sizes" : "sizes stale" }, rows.map(({ visit, found }) => this._size(lesion, visit, found, most)));
  }

  /**
   * @param {string} lesion
   * @param {Visit} visit
   * @param {import("../reading/types.js").LesionResult | null} found
   * @param {number} most end of the error bars' scale in mm
   */
  _size(lesion, visit, found, most) {
    const diameter = found?.longest_diameter_mm ?? null;
    const stated = this._desk.entriesOf(lesion, visit.id).find(({ draft }) => draft && draft.long === null && draft.contour === null);
    const size = stated?.draft && !diameter?.value ? t(`kind.${stated.draft.kind}`) : amount(diameter, "mm");
    const bar = interval(diameter?.ci95);
    const change = found?.percent ?? null;
    const limits = this._desk.results.result?.limits;
    return h("div", { class: "size" },
      h("span", { class: "size-visit", title: visit.label }, visit.label),
      h("b", { class: "size-mm" }, size),
      h("span", { class: "size-change", title: percentInterval(found?.percent_ci95, limits) }, change === null ? "" : percent(change, limits)),
      h("span", { class: "size-bar" }, diameter?.ci95 && errorBar(diameter, most, this._desk.colorOf(lesion))),
      h("small", { class: "quiet" }, bar && t("viewer.error_bar", { interval: bar })),
      h("small", { class: "quiet size-volume" }, found?.volume_ml ? amount(found.volume_ml, "mL", volumeDigits(found.volume_ml.value)) : ""),
      found?.compared && h("small", { class: "quiet size-compared" }, comparedText(found, limits)));
  }

  /** What is drawn or stated of a lesion, frame by frame. @param {string} lesion */
  _readings(lesion) {
    const entries = this._desk.data.visits.flatMap((visit) => this._desk.entriesOf(lesion, visit.id).map((entry) => ({ visit, entry })));
    if (entries.length === 0) return h("p", { class: "quiet hint" }, this._desk.locked ? t("viewer.nothing") : t("viewer.begin", { tool: t(`keys.viewer.${this._desk.tool}`), key: keyOf("viewer", this._desk.tool) }));
    return h("ul", { class: "readings plain-list" }, entries.map(({ visit, entry }) => this._reading(visit, entry)));
  }

  /** @param {Visit} visit @param {import("../reading/book.js").Entry} entry */
  _reading(visit, entry) {
    const desk = this._desk;
    const draft = /** @type {import("../reading/types.js").Draft} */ (entry.draft);
    const image = visit.images.find(({ id }) => id === draft.image);
    const measured = desk.measuredOf(draft);
    const isDrawn = draft.long !== null || draft.contour !== null;
    const words = isDrawn && !measured ? NOTHING : sizeText({ draft, measured });
    const where = [image?.label, frameText(image, draft.frame)].filter(Boolean).join(" · ");
    const remove = h("button", { type: "button", class: "plain", "aria-label": t("viewer.remove", { where }), title: keyed("remove"), onclick: () => desk.remove(draft) }, icon("trash"));
    return h("li", { class: "reading", "data-state": entry.state },
      h("button", { type: "button", class: "plain reading-go", "data-focus": `go ${draft.image} ${draft.frame}`, onclick: () => desk.goTo(draft) },
        h("span", { class: "mark", role: "img", "aria-label": t(`viewer.state.${entry.state}`), title: t(`viewer.state.${entry.state}`) }),
        h("span", { class: "grow" }, h("small", { class: "quiet" }, `${visit.label} · ${where}`), h("span", { class: "reading-size" }, words, measured?.area_mm2?.value ? h("small", { class: "quiet" }, ` ${fixed(measured.area_mm2.value, 0)} mm²`) : null),
          (draft.reason || draft.comment) && h("small", { class: "said" }, [draft.reason, draft.comment].filter(Boolean).join(" · ")),
          measured?.refusal && isDrawn && h("small", { class: "wrong" }, measured.refusal),
          measured?.warnings.map((warning) => h("small", { class: "doubt" }, warning)),
          entry.problem && h("small", { class: "wrong" }, entry.problem.message))),
      !desk.locked && remove);
  }

  /** A comment goes with a reading. */
  get _canComment() {
    const { pane } = this._desk;
    return pane !== null && this._desk.draftOn(pane) !== null;
  }

  /** After another frame is shown. */
  pictureShown() {
    const comment = /** @type {HTMLButtonElement | null} */ (this._list.querySelector("[data-focus=comment]"));
    if (comment) comment.disabled = !this._canComment;
  }

  /** What can be said of the lesion on the frame in view. */
  _statements() {
    if (this._desk.locked) return null;
    const button = (/** @type {string} */ action) => h("button", { type: "button", "data-focus": action, title: keyed(action), disabled: action === "comment" && !this._canComment, onclick: this._actions[action] }, t(`viewer.say.${action}`));
    return h("div", { class: "statements", role: "group", "aria-label": t("viewer.say", { visit: this._desk.pane?.visit.label ?? "" }) },
      h("small", { class: "quiet" }, t("viewer.say", { visit: this._desk.pane?.visit.label ?? "" })),
      button("resolved"), button("not_found"), button("not_assessable"), button("comment"));
  }
}

/** @param {string} action */
function keyed(action) {
  return `${t(`keys.viewer.${action}`)} (${keyOf("viewer", action)})`;
}
