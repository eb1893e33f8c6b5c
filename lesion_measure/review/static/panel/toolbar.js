/** The tools, one key each, and what is shown over the pictures. */

import { fill, h } from "../dom.js";
import { keyOf } from "../keys.js";
import { t } from "../texts.js";
import { icon } from "./icons.js";

export const TOOLS = ["select", "ask", "caliper", "axes", "outline", "brush", "erase", "ruler"];
export const SHOWN = /** @type {const} */ (["overlays", "ghost", "area", "position"]);

export class Toolbar {
  /**
   * @param {import("../reading/desk.js").Desk} desk
   * @param {Record<string, () => void>} actions what the keys do as well
   */
  constructor(desk, actions) {
    this._desk = desk;
    this._actions = actions;
    this.element = h("nav", { class: "viewer-tools", "aria-label": t("viewer.tools") });
    /** @type {Map<string, HTMLElement>} */
    this._buttons = new Map();
    const group = (/** @type {readonly string[]} */ names) => h("div", { class: "tool-group", role: "group" }, names.map((name) => this._button(name)));
    fill(this.element, group(TOOLS), group(["undo", "redo"]), group([...SHOWN, "layout", "reset"]));
  }

  /** @param {string} name */
  _button(name) {
    const key = keyOf("viewer", name);
    const title = t(`keys.viewer.${name}`);
    const button = h("button", { type: "button", class: "tool", "data-tool": name, title: `${title} (${key})`, "aria-label": `${title} (${key})`, "aria-keyshortcuts": key, onclick: () => this._actions[name]() },
      icon(name), key.length === 1 && h("kbd", { "aria-hidden": "true", "data-key": key }));
    this._buttons.set(name, button);
    return button;
  }

  update() {
    const { tool, show, book, session, locked } = this._desk;
    const press = (/** @type {string} */ name, /** @type {boolean} */ on) => this._buttons.get(name)?.setAttribute("aria-pressed", String(on));
    const allow = (/** @type {string} */ name, /** @type {boolean} */ on) => {
      /** @type {any} */ (this._buttons.get(name)).disabled = !on;
    };
    for (const name of TOOLS) press(name, tool === name);
    for (const name of SHOWN) press(name, show[name]);
    for (const name of TOOLS) allow(name, name === "select" || name === "ruler" || !locked);
    if (session.network === null) allow("ask", false);
    allow("undo", book.canUndo && !locked);
    allow("redo", book.canRedo && !locked);
  }
}
