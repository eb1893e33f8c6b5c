// Runs before the first paint, so that a page kept dark never flashes white. `appearance.js` writes what is read here.
const kept = localStorage.getItem("lesion_measure.theme");
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
