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
  { scope: "viewer", action: "select", keys: ["v"] },
  { scope: "viewer", action: "ask", keys: ["a"] },
  { scope: "viewer", action: "caliper", keys: ["c"] },
  { scope: "viewer", action: "axes", keys: ["x"] },
  { scope: "viewer", action: "outline", keys: ["o"] },
  { scope: "viewer", action: "brush", keys: ["b"] },
  { scope: "viewer", action: "erase", keys: ["e"] },
  { scope: "viewer", action: "ruler", keys: ["r"] },
  { scope: "viewer", action: "from_caliper", keys: ["d"] },
  { scope: "viewer", action: "smaller", keys: ["["] },
  { scope: "viewer", action: "larger", keys: ["]"] },
  { scope: "viewer", action: "accept", keys: ["Enter"] },
  { scope: "viewer", action: "earlier", keys: ["y"] },
  { scope: "viewer", action: "escape", keys: ["Escape"] },
  { scope: "viewer", action: "remove", keys: ["Delete", "Backspace"] },
  { scope: "viewer", action: "undo", keys: ["Ctrl+z"] },
  { scope: "viewer", action: "redo", keys: ["Ctrl+Shift+z", "Ctrl+y"] },
  { scope: "viewer", action: "move", keys: ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] },
  { scope: "viewer", action: "move_far", keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"] },
  { scope: "viewer", action: "next_end", keys: ["q"] },
  { scope: "viewer", action: "previous_end", keys: ["Shift+q"] },
  { scope: "viewer", action: "lesion", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"] },
  { scope: "viewer", action: "new", keys: ["l"] },
  { scope: "viewer", action: "resolved", keys: ["Shift+r"] },
  { scope: "viewer", action: "not_found", keys: ["Shift+n"] },
  { scope: "viewer", action: "not_assessable", keys: ["Shift+x"] },
  { scope: "viewer", action: "comment", keys: ["Shift+m"] },
  { scope: "viewer", action: "next_frame", keys: ["."] },
  { scope: "viewer", action: "previous_frame", keys: [","] },
  { scope: "viewer", action: "play", keys: ["k"] },
  { scope: "viewer", action: "next_image", keys: ["PageDown"] },
  { scope: "viewer", action: "previous_image", keys: ["PageUp"] },
  { scope: "viewer", action: "next_pane", keys: ["s"] },
  { scope: "viewer", action: "layout", keys: ["m"] },
  { scope: "viewer", action: "fit", keys: ["f"] },
  { scope: "viewer", action: "zoom_in", keys: ["+", "="] },
  { scope: "viewer", action: "zoom_out", keys: ["-"] },
  { scope: "viewer", action: "reset", keys: ["0"] },
  { scope: "viewer", action: "brighter", keys: ["j"] },
  { scope: "viewer", action: "darker", keys: ["Shift+j"] },
  { scope: "viewer", action: "more_contrast", keys: ["u"] },
  { scope: "viewer", action: "less_contrast", keys: ["Shift+u"] },
  { scope: "viewer", action: "overlays", keys: ["h"] },
  { scope: "viewer", action: "ghost", keys: ["g"] },
  { scope: "viewer", action: "area", keys: ["i"] },
  { scope: "viewer", action: "position", keys: ["t"] },
];

const NAMES = { " ": "Space" };
/** @type {{scope: string, actions: Object<string, function(KeyboardEvent): *>, modal: boolean, edits: boolean, covers: boolean}[]} */
const bound = [];

/**
 * Listen to the keys of a scope. What is bound last is asked first; an action that returns false leaves the key to
 * others.
 *
 * @param {string} scope
 * @param {Object<string, function(KeyboardEvent): *>} actions
 * @param {{modal?: boolean, edits?: boolean, covers?: boolean}} [how] modal: nobody bound before hears a key, as in a
 *   dialog; edits: the actions change what is drawn; covers: nobody edits meanwhile, as beside an open panel.
 * @returns {function(): void} ends it.
 */
export function bind(scope, actions, { modal = false, edits = false, covers = false } = {}) {
  for (const action of Object.keys(actions)) {
    if (!KEYS.some((key) => key.scope === scope && key.action === action)) throw new Error(`no key: ${scope}.${action}`);
  }
  const entry = { scope, actions, modal, edits, covers };
  bound.push(entry);
  return () => {
    const place = bound.indexOf(entry);
    if (place >= 0) bound.splice(place, 1);
  };
}

/** Whether anybody listens to a scope now. @param {string} scope */
export const isHeard = (scope) => bound.some((each) => each.scope === scope);

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
  const covered = bound.some(({ covers }) => covers);
  for (const { scope, actions, modal, edits } of [...bound].reverse()) {
    if (edits && covered) continue;
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
