/** The page: who reads, then the worklist or a case by its opaque id (`#/case/ID`). */

import * as announce from "./announce.js";
import * as api from "./api.js";
import { openCaseFrame } from "./case.js";
import { h, fill } from "./dom.js";
import { bind } from "./keys.js";
import { showKeys } from "./keycard.js";
import { askWho } from "./login.js";
import { pageBar } from "./pagebar.js";
import { language, t } from "./texts.js";
import { openWorklist } from "./worklist.js";

const bar = h("header", { class: "bar" });
const main = h("main", { id: "main", tabindex: -1 });
/** @type {Session} */
let session;
/** What is shown when nothing is. @type {{close(): void, mayLeave(): Promise<boolean>}} */
const NOTHING = { close() {}, mayLeave: async () => true };
let shown = NOTHING;
/** The address of what is shown. */
let shownAt = "";
let asking = false;

/** The token of the address that was printed. It leaves the address, and so the history, before anything else. */
function tokenOfAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", location.pathname);
  return token;
}

async function firstSession() {
  const token = tokenOfAddress();
  try {
    return token ? await api.login({ token }) : await api.session();
  } catch (problem) {
    return askWho(main, token || problem.status !== 401 ? problem.reason : "");
  }
}

async function show() {
  if (!(await shown.mayLeave())) {
    history.replaceState(null, "", shownAt);
    return;
  }
  const [, kind, id] = location.hash.split("/");
  shown.close();
  window.scrollTo(0, 0);
  const opened = kind === "case" && /^[0-9a-f]{16,32}$/.test(id) ? openCaseFrame : openWorklist;
  shown = NOTHING;
  const place = location.hash;
  shownAt = location.pathname + place;
  try {
    const next = await opened({ bar, main, session, id });
    if (place === location.hash) shown = next;
    else next.close();
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status !== 401) fill(main, h("div", { class: "empty" }, h("h1", {}, problem.reason), h("p", {}, problem.remedy), h("a", { href: "#/" }, t("case.back"))));
  }
}

async function ended() {
  if (asking) return;
  asking = true;
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  shown.close();
  shown = NOTHING;
  fill(bar, pageBar({ session: null }));
  session = await askWho(main, t("login.ended"));
  asking = false;
  await show();
}

async function start() {
  document.documentElement.lang = language;
  document.title = t("title");
  document.body.append(h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip")), bar, main, ...announce.places());
  fill(bar, pageBar({ session: null }));
  bind("everywhere", { help: () => void showKeys() });
  asking = true;
  session = await firstSession();
  asking = false;
  document.addEventListener("session-ended", ended);
  addEventListener("hashchange", show);
  await show();
}

void start();
