"""The texts of the page: all in one place, whole in every language, and readable in both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lesion_measure.review
from contrast import contrast

STATIC = Path(lesion_measure.review.__file__).parent / "static"
MODULES = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "texts")
ENTRY = re.compile(r'^  (?:"([^"]+)"|(\w+)): "((?:[^"\\]|\\.)*)",$', re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)


def texts(language: str) -> dict[str, str]:
    """Key and text of a language's file, every line of which must be one of either."""
    body = (STATIC / "texts" / f"{language}.js").read_text(encoding="utf-8").partition("export default {\n")[2]
    found = {quoted or plain: text for quoted, plain, text in ENTRY.findall(body)}
    lines = [line for line in body.splitlines() if line.strip() and not line.strip().startswith("//")]
    assert len(found) == len(lines) - 1, "a key twice, or a line that is no entry"
    return found


ENGLISH = texts("en")


def code(module: Path) -> str:
    """A module without its comments."""
    return COMMENT.sub("", module.read_text(encoding="utf-8"))


def test_both_languages_say_the_same_with_the_same_values() -> None:
    chinese = texts("zh")
    assert chinese.keys() == ENGLISH.keys()
    for key, text in ENGLISH.items():
        assert sorted(PLACEHOLDER.findall(chinese[key])) == sorted(PLACEHOLDER.findall(text)) or key.endswith(".one"), (
            key
        )
        assert text.strip(), key
        assert chinese[key].strip(), key


def test_the_chinese_is_chinese_with_the_terms_of_the_field_and_its_own_punctuation() -> None:
    chinese = texts("zh")
    same_in_both = {key for key, text in chinese.items() if not re.search("[\u4e00-\u9fff]", text)}
    assert all(chinese[key].replace("：", ": ") == ENGLISH[key] for key in same_in_both)
    assert not [key for key, text in chinese.items() if re.search("[\u4e00-\u9fff][,;:?!()]", text)]
    assert (chinese["size.long_axis_mm"], chinese["size.short_axis_mm"]) == ("长径", "短径")
    assert chinese["worklist.column.cases.lesions"] == "病灶"


def known(key: str) -> bool:
    return key in ENGLISH or f"{key}.other" in ENGLISH


def test_every_text_that_a_module_asks_for_is_there_and_every_one_is_asked_for() -> None:
    asked: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for module in MODULES:
        source = code(module)
        literals = set(LITERAL.findall(source))
        for key in re.findall(r'\b(?:t|has)\("([^"]+)"', source):
            assert known(key), f"{module.name}: {key}"
        asked |= {literal for literal in literals if known(literal)}
        patterns += [
            re.compile(re.sub(r"\\\$\\\{.*?\\\}", r"[\\w.]+", re.escape(template)) + r"(\.one|\.other)?")
            for template in re.findall(r"`([\w.]*\$\{[^`]*)`", source)
            if re.fullmatch(r"[\w.]*(\$\{[^}]+\}[\w.]*)+", template) and "." in template
        ]
    told = {key.removesuffix(".one").removesuffix(".other") for key in ENGLISH}
    unused = {key for key in told - asked if not any(pattern.fullmatch(key) for pattern in patterns)}
    assert not unused


def test_what_the_server_refuses_is_worded_by_its_code_in_english_as_there() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in STATIC.parent.rglob("*.py"))
    worded = {key.split(".")[1] for key in ENGLISH if key.startswith("refused.")}
    assert len(worded) > 20
    for what in ("case", "image"):  # the server puts these words together
        assert f'unknown("{what}")' in sources
        assert ENGLISH[f"refused.no_{what}"] == f"There is no such {what}."
    assert f'LockedError("{ENGLISH["refused.signed"]}", remedy="{ENGLISH["refused.signed.remedy"]}")' in sources
    for key in worded - {"no_case", "no_image", "signed"}:
        near = [sources[at.start() - 300 : at.end() + 300] for at in re.finditer(f'"{key}"', sources)]
        texts = [ENGLISH[f"refused.{key}"], ENGLISH.get(f"refused.{key}.remedy", "")]
        texts = ["" if text == "Look at what is kept now." else text for text in texts]
        assert any(all(text in each for text in texts) for each in near), key


def key_rows() -> list[tuple[str, str, list[str]]]:
    """Scope, action and keys of the table: its own rows, and the viewer's short ones."""
    source = code(STATIC / "keys.js")
    whole = re.findall(r'\{ scope: "(\w+)", action: "(\w+)", keys: \[([^\]]+)\]', source)
    short = re.findall(r'\["(\w+)", ("[^\]]+")\]', source.partition("...[")[2].partition("].map(")[0])
    return [(*row, LITERAL.findall(keys)) for *row, keys in whole + [("viewer", *row) for row in short]]


def test_every_key_has_its_text_and_means_one_thing() -> None:
    rows = key_rows()
    assert {scope for scope, _, _ in rows} == {"everywhere", "worklist", "case", "viewer"}
    assert all(known(f"keys.{scope}.{action}") for scope, action, _ in rows)
    for page in ({"everywhere", "worklist"}, {"everywhere", "case", "viewer"}):
        keys = [key for scope, _, keys in rows if scope in page for key in keys]
        # closing is asked of whatever was opened last
        twice = {key for key in keys if keys.count(key) > 1} - {"Escape"}
        assert not twice


TECHNICAL = re.compile(
    r"Esc|Escape|Segoe UI|Enter|Tab|Space|Home|End|Delete|Backspace|Page(Up|Down)|Arrow\w+|"
    r"Shift|Alt|Control|Ctrl|Meta|(Shift|Alt|Ctrl)\+.*|"
    r"[A-Z][a-z]+(-[A-Z][a-z]+)+|Accept|GET|POST|PUT|DELETE|AbortError|[A-Z][a-z]+Error|English"
)


def visible_literals(source: str) -> Iterator[str]:
    """Literals that read like words for people, or stand where only words for people stand."""
    for literal in LITERAL.findall(source):
        if re.match(r"[A-Z][a-z]", literal) and not TECHNICAL.fullmatch(literal):
            yield literal
    named = re.compile(
        r'(?:"?(?:aria-label|title|placeholder|alt)"?: |(?:textContent|title|innerText) = )"([^"]*[A-Za-z][^"]*)"'
    )
    yield from named.findall(source)
    yield from re.findall(r'h\("\w+", \{[^{}]*\}, "([^"]*[A-Za-z][^"]*)"', source)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(STATIC)))
def test_no_module_says_anything_itself(module: Path) -> None:
    assert not list(visible_literals(code(module)))


def test_the_search_for_literal_words_finds_them() -> None:
    assert list(visible_literals('h("p", {}, "saved")')) == ["saved"]
    assert list(visible_literals('{ "aria-label": "close" }')) == ["close"]
    assert list(visible_literals('say("Not saved")')) == ["Not saved"]
    assert not list(visible_literals('h("p", { class: "quiet" }, t("saved.saved")); bind("Escape")'))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_of_every_colour_can_be_read_on_every_ground(theme: int) -> None:
    pairs = re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", (STATIC / "css" / "theme.css").read_text()
    )
    colours = {name: both[theme] for name, *both in pairs}
    for ground in ("ground", "panel", "raised", "hover", "accent-soft"):
        for ink in ("ink", "quiet", "accent", "good", "warn", "bad", "info", "differ", "none"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}"
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for edge in ("edge", "focus"):
        assert contrast(colours[edge], colours["panel"]) >= 3, edge


def test_each_animation_is_stated_once_and_each_that_is_used_is_stated() -> None:
    """Of two of one name the later holds in every sheet: one hid dialogs as they opened, and none took the focus."""
    sheets = "\n".join(path.read_text(encoding="utf-8") for path in sorted((STATIC / "css").glob("*.css")))
    stated = re.findall(r"@keyframes ([\w-]+)", sheets)
    assert len(stated) == len(set(stated))
    assert set(re.findall(r"animation: ([\w-]+)", sheets)) == set(stated)
