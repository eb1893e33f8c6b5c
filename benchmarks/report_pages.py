"""The report's pages in a real Chromium: how soon an index opens, sorts and filters, and what axe-core says of all.

    python benchmarks/report_pages.py OUT [--children 3600] [--axe axe.min.js]

OUT holds a finished run, whose children's rows are taken again and again. Times are the page's own (performance.now),
medians of five. With ``--axe`` the index, a child's page and the cohort's page are checked by axe-core, light and dark;
the exit code is 1 where a finding is serious or critical.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from review_pages import launched

from lesion_measure.config import Config
from lesion_measure.records import Provenance
from lesion_measure.report import Overview, write_index
from lesion_measure.report.rows import child_rows
from lesion_measure.results import Results, read_results

REPEATS = 5
SERIOUS = ("serious", "critical")
TIMED = {
    "sort by change": "document.querySelector('[data-sort=change]').click()",
    "filter by verdict": "const s = document.getElementById('verdict'); s.selectedIndex = 1 + s.selectedIndex % 2; "
    "s.dispatchEvent(new Event('change'))",
    "find a code": "const f = document.getElementById('find'); f.value = f.value ? '' : '99'; "
    "f.dispatchEvent(new Event('input'))",
}
"""What a person does, and what it is on the page; the time runs until the page is laid out anew."""


def many(results: Results, children: int) -> Overview:
    """The rows of a run, again and again under other codes."""
    rows = child_rows(results.subjects, Config())
    codes = (f"CHILD-{number:05}" for number in range(children))
    return Overview(
        rows=tuple(replace(rows[n % len(rows)], subject=c, page=c) for n, c in enumerate(codes)), refusals=()
    )


def measured(browser: Browser, page_file: Path) -> None:
    """Print the size of an index, and how long it takes to open and to work with."""
    print(f"{'size of report.html':<22}{page_file.stat().st_size / 1e6:8.3f} MB")
    opened: list[float] = []
    for _ in range(REPEATS):
        page = browser.new_page()
        page.goto(page_file.as_uri())
        opened.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        page.close()
    print(f"{'open':<22}{statistics.median(opened):8.0f} ms")
    page = browser.new_page()
    page.goto(page_file.as_uri())
    for name, action in TIMED.items():
        laid_out = "document.body.offsetHeight; return performance.now() - start;"
        script = f"() => {{ const start = performance.now(); {action}; {laid_out} }}"
        times = [page.evaluate(script) for _ in range(REPEATS)]
        print(f"{name:<22}{statistics.median(times):8.1f} ms")
    page.close()


def findings(page: Page, axe: str, state: str) -> list[str]:
    """What axe-core says of a page, printed; the impacts."""
    page.evaluate(axe)
    answer: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    for each in answer["violations"]:
        places = "; ".join(str(node["target"][0]) for node in each["nodes"][:3])
        print(f"{each['impact']:<10}{state}: {each['id']}: {each['help']} ({places})")
    return [each["impact"] for each in answer["violations"]]


def checked(browser: Browser, pages: dict[str, Path], axe: str) -> bool:
    """Whether axe-core finds nothing serious on these pages."""
    found: list[str] = []
    for name, path in pages.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # axe's script is not ours
            page = context.new_page()
            page.goto(path.as_uri())
            found += findings(page, axe, f"{name}, {scheme}")
            context.close()
    print(f"{2 * len(pages)} states, {len(found)} findings")
    return not any(impact in SERIOUS for impact in found)


def main() -> int:
    """Measure, and check where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--children", type=int, default=3600)
    parser.add_argument("--axe", type=Path)
    given = parser.parse_args()
    results = read_results(given.out)
    made = Provenance(
        package_version=results.package_version, config_sha256=results.config_sha256, model=None, model_sha256=None,
        model_settings_sha256=None, inputs={}, versions={}, started="", seconds={}, command="",
    )  # fmt: skip
    with launched() as browser, tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_index(many(results, given.children), out, Config(), made)
        measured(browser, out / "report.html")
        if given.axe is None:
            return 0
        first = child_rows(results.subjects[:1], Config())[0]
        pages = {
            "index": out / "report.html",
            "child": given.out / "children" / f"{first.page}.html",
            "cohort": given.out / "cohort" / "cohort.html",
        }
        sure = checked(browser, {name: path for name, path in pages.items() if path.is_file()}, given.axe.read_text())
    return 0 if sure else 1


if __name__ == "__main__":
    sys.exit(main())
