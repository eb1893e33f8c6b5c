// Draws, sorts and filters the rows of the index. Texts are set as texts: nothing that a file says becomes an element.
"use strict";
(() => {
  const STEP = 100, FOLDER = "children", MINUS = "\u2212";
  const data = JSON.parse(document.getElementById("rows").textContent);
  const names = ["subject", "page", "lesions", "days", "by", "status", "before", "after", "change", "interval", "exceeds",
    "verdict", "certain", "review", "excluded", "form", "entry", "rules"];
  const rows = data.rows.map((values) => Object.fromEntries(names.map((name, place) => [name, values[place]])));
  const number = (text) => (text ? parseFloat(text.replaceAll(MINUS, "-")) : NaN);
  const order = new Intl.Collator("en", { numeric: true });
  rows.sort((a, b) => order.compare(a.subject, b.subject));
  rows.forEach((row, place) => {
    row.place = place;
    row.small = row.subject.toLowerCase();
    row.page = row.page === 0 ? row.subject : row.page;
    row.percent = number(row.change);
    row.ends = row.interval ? row.interval.split(" to ").map(number) : null;
  });
  const by = (id) => document.getElementById(id);
  const make = (tag, classes, ...inside) => {
    const made = document.createElement(tag);
    if (classes) made.className = classes;
    made.append(...inside);
    return made;
  };
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  const state = { sort: "subject", down: false, view: "sizes", shown: STEP };
  let found = rows;

  // What is looked for, and in which order.
  const keys = {
    subject: (row) => row.place,
    before: (row) => number(row.before),
    after: (row) => number(row.after),
    change: (row) => row.percent,
    verdict: (row) => (row.excluded.length ? NaN : row.verdict < 0 ? NaN : row.verdict + (row.certain ? 0 : 0.5)),
    form: (row) => (row.form < 0 ? NaN : row.form),
  };
  const kinds = {
    review: (row) => row.review.length > 0,
    unsure: (row) => !row.excluded.length && row.verdict >= 0 && !row.certain,
    beyond: (row) => !row.excluded.length && row.change !== "" && row.exceeds === 1,
    unmeasured: (row) => row.change === "",
    excluded: (row) => row.excluded.length > 0,
  };
  const search = () => {
    const text = by("find").value.trim().toLowerCase(), verdict = by("verdict").value, reason = by("reason").value;
    const kind = kinds[by("which").value];
    found = rows.filter((row) => (!text || row.small.includes(text)) && (!kind || kind(row)) &&
      (verdict === "" || (!row.excluded.length && row.verdict === Number(verdict))) &&
      (reason === "" || row.review.includes(Number(reason))));
    const key = keys[state.sort], sign = state.down ? -1 : 1;
    found.sort((a, b) => {
      const one = key(a), other = key(b);
      if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other) || a.place - b.place;
      return sign * (one - other) || a.place - b.place;
    });
    by("clear").hidden = !(text || verdict || reason || kind);
    state.shown = STEP;
    draw();
  };

  // A row as elements.
  const svg = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const across = (percent) => 8 + (116 * (Math.min(Math.max(percent, -100), 100) + 100)) / 200;
  const strip = (row) => {
    const drawn = svg("svg", { class: "strip", width: 132, height: 20, viewBox: "0 0 132 20", "aria-hidden": "true" });
    const line = (name, x1, x2, y1, y2) => drawn.append(svg("line", { class: name, x1, x2, y1, y2 }));
    line("axis", 8, 124, 10, 10);
    line("axis", 66, 66, 1, 19);
    for (const limit of data.limits) line("limit", across(limit), across(limit), 1, 19);
    if (row.ends) line("range", across(row.ends[0]), across(row.ends[1]), 10, 10);
    if (row.percent > 100) drawn.append(svg("path", { class: "far", d: "M120 5V15L130 10Z" }));
    else if (row.percent < -100) drawn.append(svg("path", { class: "far", d: "M12 5V15L2 10Z" }));
    else {
      if (row.ends && row.ends[0] < -100) drawn.append(svg("path", { class: "range", d: "M7 6L2 10L7 14" }));
      if (row.ends && row.ends[1] > 100) drawn.append(svg("path", { class: "range", d: "M125 6L130 10L125 14" }));
      drawn.append(svg("circle", { cx: across(row.percent), cy: 10, r: 4 }));
    }
    return drawn;
  };
  const link = (row, classes, ...inside) => {
    const made = make("a", classes, ...inside);
    made.href = `${FOLDER}/${row.page}.html`;
    return made;
  };
  const head = (row) => {
    const cell = make("th", "", row.page === null ? row.subject : link(row, "", row.subject));
    cell.scope = "row";
    if (row.page !== null && state.view === "sizes") {
      const days = row.days === null ? "" : ` · ${plural(row.days, "day")}`;
      cell.append(make("small", "wrap", plural(row.lesions, "lesion") + days));
      if (data.by[row.by]) cell.append(make("small", "wrap", data.by[row.by]));
    }
    return cell;
  };
  const sure = (certain) => make("small", "", certain ? "certain" : "not certain");
  const answer = (row) => {
    const cell = make("td");
    if (row.excluded.length) {
      cell.append(make("span", "badge excluded", "excluded"));
      cell.append(make("small", "wrap", row.excluded.map((one) => data.excluded[one]).join("; ")));
    } else if (row.verdict < 0) cell.append(make("span", "small", "no verdict"));
    else {
      const [words, tone, mark] = data.verdicts[row.verdict];
      cell.append(make("span", `badge ${tone}${row.certain ? "" : " unsure"}`, `${mark} ${words}`), sure(row.certain));
    }
    if (row.review.length) cell.append(link(row, "badge review", "! needs review"));
    return cell;
  };
  const words = (row) => {
    const cell = make("td", "", data.status[row.status]);
    cell.colSpan = 4;
    return cell;
  };
  const views = {
    sizes: (row) => (row.change === "" ? [words(row), answer(row)] : [
      make("td", "n", row.before),
      make("td", "n", row.after),
      make("td", "n", make("b", "", `${row.change} %`), make("small", "", row.interval ? `${row.interval} %` : "no interval")),
      make("td", "strip-cell", strip(row), make("small", "", ["within error", "exceeds error", "a statement"][row.exceeds])),
      answer(row),
    ]),
    rules: (row) => [answer(row), ...row.rules.map(([verdict, certain]) => (verdict < 0
      ? make("td", "", make("span", "small", "no verdict")) : make("td", "", data.verdicts[verdict][0], sure(certain))))],
    entry: (row) => [make("td", "", row.form < 0 ? "–" : data.forms[row.form]),
      ...(row.entry.match(/.~?/g) || []).map((met) => {
        const said = { m: "met", n: "not met", "?": "not known" }[met[0]];
        const tone = { m: "good", n: "bad" }[met[0]] || "";
        if (met === "m") return make("td", "", said);
        return make("td", "", make("span", `badge ${tone}${met[1] ? " unsure" : ""}`, said), ...(met[1] ? [sure(false)] : []));
      })],
  };
  const rowOf = (row) => {
    const made = make("tr", "", head(row), ...views[state.view](row));
    if (row.page !== null) made.id = `subject-${row.page}`;
    return made;
  };

  // The page.
  const add = (from, to) => by("body").append(...found.slice(from, to).map(rowOf));
  const told = () => {
    const left = found.length - state.shown;
    by("shown").textContent = found.length === rows.length ? plural(rows.length, "subject")
      : `${found.length.toLocaleString("en")} of ${plural(rows.length, "subject")}`;
    by("more").hidden = left <= 0;
    by("next").textContent = `Show ${Math.min(STEP, left)} more`;
    by("all").textContent = `Show all ${found.length.toLocaleString("en")}`;
  };
  const draw = () => {
    by("body").replaceChildren();
    add(0, state.shown);
    told();
  };
  const extend = (to) => {
    add(state.shown, to);
    state.shown = Math.max(state.shown, to);
    told();
  };
  const mark = () => {
    for (const button of document.querySelectorAll("#list [data-sort]")) {
      const own = button.dataset.sort === state.sort;
      if (own) button.parentElement.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else button.parentElement.removeAttribute("aria-sort");
    }
  };
  const clear = () => {
    for (const id of ["find", "verdict", "which", "reason"]) by(id).value = "";
    search();
  };
  const seek = () => { // back from a child's page, at its row
    const page = decodeURIComponent(location.hash.slice(1)).replace(/^subject-/, "");
    if (!location.hash.startsWith("#subject-")) return;
    if (!found.some((row) => row.page === page)) clear();
    const place = found.findIndex((row) => row.page === page);
    if (place < 0) return;
    if (place >= state.shown) extend(STEP * Math.ceil((place + 1) / STEP));
    const row = by(`subject-${page}`);
    row.classList.add("here");
    row.scrollIntoView({ block: "center", behavior: "instant" });
  };
  const options = (id, values) => by(id).append(...values.map(([value, text]) => {
    const made = make("option", "", text);
    made.value = value;
    return made;
  }));
  options("verdict", [...data.verdicts.map(([text], place) => [place, text]), [-1, "no verdict"]]);
  options("reason", data.review.map((code, place) => [place, code.replaceAll("_", " ")]));
  by("reasons").hidden = data.review.length < 2;
  by("columns").hidden = by("view").options.length < 2;
  by("find").addEventListener("input", search);
  for (const id of ["verdict", "which", "reason"]) by(id).addEventListener("change", search);
  by("clear").addEventListener("click", clear);
  by("view").addEventListener("change", () => {
    state.view = by("view").value;
    for (const line of document.querySelectorAll("#list thead tr")) line.hidden = line.dataset.view !== state.view;
    draw();
  });
  by("list").tHead.addEventListener("click", (event) => {
    const sort = event.target.closest("[data-sort]")?.dataset.sort;
    if (!sort) return;
    Object.assign(state, { sort, down: sort === state.sort && !state.down });
    mark();
    search();
  });
  by("next").addEventListener("click", () => extend(state.shown + STEP));
  by("all").addEventListener("click", () => extend(found.length));
  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      clear();
      by("reason").value = String(data.review.indexOf(button.dataset.review));
      search();
      by("subjects").scrollIntoView();
    });
  }
  addEventListener("beforeprint", () => extend(found.length)); // paper shows all that is looked for
  addEventListener("hashchange", seek);
  by("tools").hidden = by("list").hidden = false;
  mark();
  search();
  seek();
})();
