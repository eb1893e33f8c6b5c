/**
 * Every text that a person sees, in the language of the browser or the one chosen.
 *
 * A new language is one file beside `texts/en.js` with the same keys, named here. Of what comes from the
 * server, a request that is refused is worded here by its code; names, warnings and what cannot be measured are shown as
 * they come.
 */

import en from "./texts/en.js";
import zh from "./texts/zh.js";

const KEPT = "lesion_measure.language";

/** The languages, by their code, each under its own name. */
export const LANGUAGES = { en: { name: "English", texts: en }, zh: { name: "简体中文", texts: zh } };

const chosen = localStorage.getItem(KEPT);

/** The code of the language that is shown. */
export const language = chosen in LANGUAGES ? chosen : navigator.language.split("-")[0] in LANGUAGES ? navigator.language.split("-")[0] : "en";

const texts = LANGUAGES[language].texts;
const plural = new Intl.PluralRules(language);

/** Keep a language and show the page in it. @param {string} code */
export function choose(code) {
  localStorage.setItem(KEPT, code);
  location.reload();
}

/** Whether there is a text of this key. @param {string} key */
export function has(key) {
  return key in texts || `${key}.other` in texts;
}

/**
 * The text of a key. `{name}` in it is replaced by `values.name`; a key with `.one` and `.other` is chosen by
 * `values.count`.
 *
 * @param {string} key
 * @param {Object<string, string|number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const own = key in texts ? key : `${key}.${plural.select(Number(values.count))}`;
  const text = texts[own] ?? texts[`${key}.other`];
  if (text === undefined) throw new Error(`no text: ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
