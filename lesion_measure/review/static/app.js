/** The page: who reads, then the worklist or a case by its opaque id (`#/case/ID`). */

import * as announce from "./announce.js";
import * as api from "./api.js";
import { openCaseFrame } from "./case.js";
import { confirm } from "./dialog.js";
import { h, fill } from "./dom.js";
import { bind } from "./keys.js";
import { showKeys } from "./keycard.js";
import { askAgain, askWho, offer } from "./login.js";
import { pageBar } from "./pagebar.js";
import { language, t } from "./texts.js";
import { openWorklist } from "./worklist.js";

/** What is shown when nothing is. */
const NOTHING = { close() {}, mayLeave: async () => true };
const bar = h("header", { class: "bar" });
const main = h("main", { id: "main", tabindex: -1 });
/** @type {Session} */
let session;
/** What is open; a case has a `book` of edits and can `resume` after somebody has logged in again. */
let shown = NOTHING;
/** The part of the address that is shown. */
let place = "";
let turns = 0;
/** Whether it is being found out who reads. */
let asking = true;
/** Whether the reader is asked to stay. */
let leaving = false;

/** The token of the address that was printed. It leaves the address, and so the history, before anything else. */
function tokenOfAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) setPlace(place);
  return token;
}

/** Marks entries of the history that were shown: one that is come to with it was gone back to. */
const SEEN = { seen: true };

/** Write an address without going there. @param {string} hash */
const setPlace = (hash) => history.replaceState(SEEN, "", location.pathname + hash);

/** Put back the address of what is shown; whoever came by Back can go back again. */
function putBack() {
  if (history.state === null) setPlace(place);
  else history.pushState(SEEN, "", location.pathname + place);
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
  const turn = (turns += 1);
  place = location.hash;
  setPlace(place);
  const [, kind, id] = place.split("/");
  shown.close();
  window.scrollTo(0, 0);
  const opened = kind === "case" && /^[0-9a-f]{16,32}$/.test(id) ? openCaseFrame : openWorklist;
  shown = NOTHING;
  try {
    const next = await opened({ bar, main, session, id });
    if (turn === turns) shown = next;
    else next.close();
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status !== 401) fill(main, h("div", { class: "empty" }, h("h1", {}, problem.reason), h("p", {}, problem.remedy), h("a", { href: "#/" }, t("case.back"))));
  }
}

/** The address has changed: a token, or another page. A case stays until its edits are saved, or lost by choice. */
async function moved() {
  const token = tokenOfAddress();
  if (token !== null) return void (offer(token) || asking || (await goOn(() => sessionBy(token))));
  const wanted = location.hash;
  if (wanted === place || (asking && session === undefined)) return;
  if (!asking && shown.book === undefined) return show();
  putBack();
  if (!asking && (await leaves())) {
    setPlace(wanted);
    await show();
  }
}

async function leaves() {
  if (leaving) return false;
  leaving = true;
  const may = await shown.mayLeave();
  leaving = false;
  return may;
}

/** The session that a token opens; where it opens none, the one that there is. @param {string} token */
async function sessionBy(token) {
  try {
    return await api.login({ token });
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    announce.failed(problem);
    return sessionNow();
  }
}

/** The browser's session, which another tab may have begun; null where there is none. */
async function sessionNow() {
  try {
    return await api.session();
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    return null;
  }
}

const isSame = (now) => ["reader", "role", "blinded"].every((key) => now[key] === session[key]);

/** How many edits only this page has. */
const unsaved = () => shown.book?.unsaved.length ?? 0;

/**
 * Find out who reads now, and go on: the same reader with what is open, another with the page anew.
 *
 * @param {function(): Promise<Session|null>} first whoever is known without asking
 */
async function goOn(first) {
  if (asking) return;
  asking = true;
  shown.book?.hold();
  let now = await first();
  while (now === null || (!isSame(now) && unsaved() > 0 && !(await losesAs(now)))) {
    now = await askAgain(unsaved() > 0 ? t("login.ended.unsaved", { reader: session.reader, count: unsaved() }) : t("login.ended"));
  }
  const resumes = isSame(now) && shown.book !== undefined;
  if (resumes) Object.assign(session, now);
  else session = now;
  asking = false;
  if (resumes) shown.resume();
  else await show();
}

/** Edits of one reader are never sent as another's: that one gives them up, or lets the first log in. */
const losesAs = (now) => confirm({
  title: t("viewer.unsaved", { count: unsaved() }),
  text: t("login.other", { other: now.reader, reader: session.reader }),
  action: t("login.lose"),
  cancel: t("login.again.as", { reader: session.reader }),
});

async function logOut() {
  if (asking || !(await leaves())) return;
  asking = true;
  try {
    await api.logout();
  } catch (problem) {
    asking = false;
    if (!(problem instanceof api.Problem)) throw problem;
    if (problem.status !== 401) return announce.failed(problem);
  }
  shown.close();
  setPlace("");
  location.reload();
}

async function start() {
  document.documentElement.lang = language;
  document.title = t("title");
  document.body.append(h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip")), bar, main, ...announce.places());
  fill(bar, pageBar({ session: null }));
  bind("everywhere", { help: () => void showKeys() });
  addEventListener("hashchange", moved);
  session = await firstSession();
  asking = false;
  document.addEventListener("session-ended", () => void goOn(sessionNow));
  document.addEventListener("log-out", logOut);
  await show();
}

void start();
