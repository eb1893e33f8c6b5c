/** Light or dark: the system's choice until somebody makes one, which this browser remembers. */

const KEPT = "lesion_measure.theme";

/** What is shown now. @returns {"light"|"dark"} */
export function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return document.documentElement.dataset.theme ?? dark;
}

/** Change to the other one, and keep it. */
export function switchTheme() {
  const other = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = other;
  localStorage.setItem(KEPT, other);
  document.dispatchEvent(new CustomEvent("theme-changed"));
}
