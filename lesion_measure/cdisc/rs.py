"""SDTM RS: the verdict of the response rule on each subject and what it follows from, as the measuring program gave it.

RS may hold what a data collection tool derived, not what the sponsor derives later (SDTMIG 3.4, RS assumption 3); these
verdicts come with the measurements, so they stand here, marked as derived. The best response of all visits is for the
analysis (assumption 3a) and stands in ADTR.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Origin, Value, Variable
from lesion_measure.cdisc.domain import Domain, Record
from lesion_measure.cdisc.supplemental import Extra
from lesion_measure.cdisc.tr import link_group
from lesion_measure.cdisc.variables import identifiers, timing, visit_values
from lesion_measure.cdisc.words import not_done, reason_words
from lesion_measure.records import BASELINE, Assessment, Refusal, Status
from lesion_measure.results import NamedRule

KEYS = ("STUDYID", "USUBJID", "RSTESTCD", "VISITNUM")
VARIABLES = (
    *identifiers("RS"),
    Variable("RSLNKGRP", "Link Group ID",
             comment="TRLNKGRP of the visit's records in TR, at the target response, which rests on them; without one, "
             "at the overall response"),
    Variable("RSTESTCD", "Assessment Short Name", codelist=terms.RESPONSE_TESTS),
    Variable("RSTEST", "Assessment Name", codelist=terms.RESPONSE_TEST_NAMES),
    Variable("RSCAT", "Category for Assessment", codelist=terms.RESPONSE_CATEGORIES),
    Variable("RSSCAT", "Subcategory", origin=Origin.PROTOCOL, comment="Name of the rule", codelist=terms.RULES),
    Variable("RSORRES", "Result or Finding in Original Units", origin=Origin.DERIVED,
             comment="Verdict in the rule's own words"),
    Variable("RSSTRESC", "Character Result/Finding in Std Format", codelist=terms.RESPONSE_RESULTS,
             comment="CDISC's term where there is one, else RSORRES in capitals"),
    Variable("RSSTAT", "Completion Status", codelist=terms.NOT_DONE),
    Variable("RSREASND", "Reason Not Done", origin=Origin.COLLECTED,
             comment="Why there is no verdict. More than 200 characters go on in SUPPRS (SDTMIG 4.5.3.2)"),
    Variable("RSDRVFL", "Derived Flag", codelist=terms.YES_NO, comment="Y: derived by the measuring program"),
    Variable("RSEVAL", "Evaluator", codelist=terms.EVALUATORS,
             comment="Whose measurements the assessment rests on; the program applied the rule (RSDRVFL)"),
    *timing("RS", "Assessment", "Date of the later scan"),
)  # fmt: skip

EXTRAS = {"RSMETRIC": "Size That the Rule Looks At", "RSCERTN": "Verdict Certain in Measurement Error"}
NO_VERDICT = Refusal(
    code="no_verdict", reason="The size that the rule looks at has no change from baseline.", subject=None,
    visit=None, lesion=None,
)  # fmt: skip


def responses_domain() -> Domain:
    """RS and SUPPRS, without records."""
    return Domain(
        "RS", "Disease Response and Clin Classification",
        structure="One record per response assessment per time point per subject",
        keys=KEYS, variables=VARIABLES, labels=EXTRAS,
    )  # fmt: skip


def response_records(course: Course, rule: NamedRule, *, study: str, people: terms.Evaluator) -> Iterator[Record]:
    """Each assessment of one subject and its parts. The primary visit has an overall response even if none is given."""

    def record(visit: str, test: str, result: Mapping[str, Value], more: Sequence[Extra]) -> Record:
        row: dict[str, Value] = {
            "STUDYID": study,
            "DOMAIN": "RS",
            "USUBJID": course.usubjid,
            "RSTESTCD": test,
            "RSTEST": terms.ASSESSMENTS[test],
            "RSCAT": terms.PROTOCOL_CRITERIA,
            "RSSCAT": rule.name.upper(),
            "RSEVAL": _evaluator(course, visit, people),
            **result,
            **visit_values(visit, course.date(visit), "RS", course),
        }
        return row, more

    linked = set()
    for assessment in course.record.assessments:
        for test, word in _parts(assessment, rule):
            link = _link(course, assessment.visit) if test == "TRGRESP" else {}
            linked |= {assessment.visit} if link else set()
            yield record(assessment.visit, test, link | _result(word), [])
    for visit, (result, more) in _overall(course, rule):
        yield record(visit, "OVRLRESP", ({} if visit in linked else _link(course, visit)) | result, more)


def _link(course: Course, visit: str) -> dict[str, Value]:
    """One record of a visit links to TR, to which RELREC calls RS the side of one."""
    return {"RSLNKGRP": link_group(course, visit)}


def _evaluator(course: Course, visit: str, people: terms.Evaluator) -> str:
    """Whose measurements of baseline and of the visit are compared; people's, where there is none."""
    compared = (m for m in course.record.lesions if m.visit in (BASELINE, visit))
    return terms.evaluator_of(frozenset(m.source for m in compared), people)


def _parts(assessment: Assessment, rule: NamedRule) -> Iterator[tuple[str, str]]:
    """What the overall response of a time point follows from, each as (test, result in the rule's words)."""
    if assessment.target is not None:
        yield "TRGRESP", status_word(assessment.target, rule)
    if assessment.non_target is not None:
        yield "NTRGRESP", status_word(assessment.non_target, rule)
    if assessment.new_lesions or assessment.doubtful_lesions:
        yield "NEWLPROG", "UNEQUIVOCAL" if assessment.new_lesions else "EQUIVOCAL"


def status_word(status: Status, rule: NamedRule) -> str:
    """A status in the rule's own words."""
    return {
        Status.CR: rule.complete_name,
        Status.PR: rule.response_name,
        Status.SD: rule.stable_name,
        Status.PD: rule.progression_name,
        Status.NON_CR_NON_PD: "neither complete response nor progression",
        Status.NE: "not evaluable",
    }[status]


def _result(word: str) -> dict[str, Value]:
    return {"RSORRES": word, "RSSTRESC": standard_response(word), "RSDRVFL": "Y"}


def standard_response(category: str) -> str:
    """A verdict as a term: CDISC's where there is one."""
    return terms.RESPONSES.get(category, category.upper())


def _overall(course: Course, rule: NamedRule) -> Iterator[tuple[str, tuple[dict[str, Value], list[Extra]]]]:
    """The overall response of each visit: the verdict at the primary one, at the others what was assessed."""
    for assessment in course.record.assessments:
        if assessment.visit != course.primary:
            certain = [] if assessment.certain is None else [Extra("RSCERTN", "Y" if assessment.certain else "N")]
            yield assessment.visit, (_result(status_word(assessment.overall, rule)), certain)
    if course.primary is not None:
        yield course.primary, _verdict(course, course.primary)


def _verdict(course: Course, visit: str) -> tuple[dict[str, Value], list[Extra]]:
    response = course.record.response
    if response is None:
        return not_done("RS", reason_words(_why(course, visit)))
    extras = [
        Extra("RSMETRIC", response.metric.replace("_", " ").upper()),
        Extra("RSCERTN", "Y" if response.certain else "N"),
    ]
    return _result(response.category), extras


def _why(course: Course, visit: str) -> Refusal:
    """That the visit is not there; else the first thing that waits for review of it, or of what it is compared with."""
    if visit not in course.record.visits:
        return course.why(visit)
    review = course.record.review
    asked = (r for wanted in (visit, BASELINE, None) for r in review if r.visit == wanted)
    return next(asked, NO_VERDICT)
