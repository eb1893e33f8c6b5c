/**
 * All keys of the page, in one table, and who listens to them.
 *
 * A key is written as `n`, `Shift+n`, `Ctrl+z` (Command on a Mac), `ArrowLeft`, `Space`, `?`. Letters are those of the
 * Latin alphabet on any keyboard.
 */

/**
 * @typedef {Object} Key
 * @property {string} scope where it works: `everywhere`, `worklist`, `case`, or a scope of the viewer's own
 * @property {string} action what it does; the text is `keys.SCOPE.ACTION`
 * @property {string[]} keys any of these
 */

/** @type {Key[]} */
export const KEYS = [
  { scope: "everywhere", action: "help", keys: ["?"] },
  { scope: "everywhere", action: "close", keys: ["Escape"] },
  { scope: "worklist", action: "down", keys: ["ArrowDown", "j"] },
  { scope: "worklist", action: "up", keys: ["ArrowUp", "k"] },
  { scope: "worklist", action: "first", keys: ["Home"] },
  { scope: "worklist", action: "last", keys: ["End"] },
  { scope: "worklist", action: "open", keys: ["Enter"] },
  { scope: "worklist", action: "next", keys: ["n"] },
  { scope: "worklist", action: "search", keys: ["/"] },
  { scope: "case", action: "next", keys: ["n"] },
  { scope: "case", action: "previous", keys: ["p"] },
  { scope: "case", action: "worklist", keys: ["w"] },
  { scope: "case", action: "sign", keys: ["Shift+s"] },
  { scope: "case", action: "comments", keys: ["Shift+c"] },
  { scope: "case", action: "audit", keys: ["Shift+a"] },
  { scope: "case", action: "adjudicate", keys: ["Shift+d"] },
  { scope: "case", action: "exports", keys: ["Shift+e"] },
  ...[
    ["select", "v"], ["ask", "a"], ["caliper", "c"], ["axes", "x"], ["outline", "o"], ["brush", "b"], ["erase", "e"], ["ruler", "r"],
    ["from_caliper", "d"], ["smaller", "["], ["larger", "]"],
    ["accept", "Enter"], ["earlier", "y"], ["escape", "Escape"], ["remove", "Delete", "Backspace"], ["undo", "Ctrl+z"], ["redo", "Ctrl+Shift+z", "Ctrl+y"],
    ["move", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"], ["next_end", "q"], ["previous_end", "Shift+q"],
    ["lesion", "1", "2", "3", "4", "5", "6", "7", "8", "9"], ["new", "l"], ["resolved", "Shift+r"], ["not_found", "Shift+n"], ["not_assessable", "Shift+x"], ["comment", "Shift+m"],
    ["next_frame", "."], ["previous_frame", ","], ["play", "k"], ["next_image", "PageDown"], ["previous_image", "PageUp"], ["next_pane", "s"], ["layout", "m"],
    ["fit", "f"], ["zoom_in", "+", "="], ["zoom_out", "-"], ["reset", "0"], ["brighter", "j"], ["darker", "Shift+j"], ["more_contrast", "u"], ["less_contrast", "Shift+u"],
    ["overlays", "h"], ["ghost", "g"], ["area", "i"], ["position", "t"],
  ].map(([action, ...keys]) => ({ scope: "viewer", action, keys })),
];

const NAMES = { " ": "Space" };
/** @type {{scope: string, actions: Object<string, function(KeyboardEvent): *>, modal: boolean}[]} */
const bound = [];

/**
 * Listen to the keys of a scope. What is bound last is asked first; an action that returns false leaves the key to
 * others.
 *
 * @param {string} scope
 * @param {Object<string, function(KeyboardEvent): *>} actions
 * @param {{modal?: boolean}} [how] modal: nobody bound before hears a key, as in a dialog.
 * @returns {function(): void} ends it.
 */
export function bind(scope, actions, { modal = false } = {}) {
  for (const action of Object.keys(actions)) {
    if (!KEYS.some((key) => key.scope === scope && key.action === action)) throw new Error(`no key: ${scope}.${action}`);
  }
  const entry = { scope, actions, modal };
  bound.push(entry);
  return () => {
    const place = bound.indexOf(entry);
    if (place >= 0) bound.splice(place, 1);
  };
}

/** The first key of an action, as the card shows it, or an empty text. @returns {string} */
export function keyOf(scope, action) {
  const row = KEYS.find((key) => key.scope === scope && key.action === action);
  return row ? shown(row.keys[0]) : "";
}

const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/** A key as people read it, e.g. `Shift+S`. @param {string} key */
export function shown(key) {
  return key.split("+").map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join("+");
}

/** A keyboard event as the table writes it. @param {KeyboardEvent} event */
export function written(event) {
  const letter = /^Key([A-Z])$/.exec(event.code ?? "");
  const latin = /^[ -~]$/.test(event.key);
  let key = NAMES[event.key] ?? (letter && !latin ? letter[1] : event.key);
  const isLetter = /^[A-Za-z]$/.test(key);
  if (isLetter) key = key.toLowerCase();
  const shift = event.shiftKey && (isLetter || key.length > 1);
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

function takesText(element) {
  return element.matches?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range])");
}

/** Enter and Space of a focused button or link belong to it. */
function pressesElement(event, key) {
  return (key === "Enter" || key === "Space") && event.target.closest?.("button, a, summary, input, label");
}

function heard(event) {
  if (event.isComposing || event.defaultPrevented) return;
  const key = written(event);
  if ((takesText(event.target) && key !== "Escape") || pressesElement(event, key)) return;
  for (const { scope, actions, modal } of [...bound].reverse()) {
    for (const [action, run] of Object.entries(actions)) {
      const row = KEYS.find((each) => each.scope === scope && each.action === action);
      if (row.keys.includes(key) && run(event) !== false) {
        event.preventDefault();
        return;
      }
    }
    if (modal) return;
  }
}

document.addEventListener("keydown", heard);
