"""Settings of what a study's description says of its visit."""

from __future__ import annotations

from pydantic import Field, model_validator

from lesion_measure.config.section import Section, Words


class Descriptions(Section):
    """Words of StudyDescription that name a visit (docs/visits.md, "Descriptions").

    They are looked for whole and in any case; a hyphen is a blank. They are plain words, not expressions: letters and
    single blanks.
    """

    baseline_words: Words = Field(
        ("baseline", "base line", "pretreatment", "pre treatment", "before treatment"),
        description="Words that mean a scan before the treatment. 'screening' is left out, since examinations at any "
        "time are called so; add it where the site writes it for the visit.",
    )
    day_words: Words = Field(("day", "days", "tag", "tage", "tagen"), description="Words that count days.")
    week_words: Words = Field(
        ("week", "weeks", "wk", "wks", "woche", "wochen"), description="Words that count weeks: '4 weeks', 'week 4'."
    )
    month_words: Words = Field(
        ("month", "months", "mo", "monat", "monate", "monaten"),
        description="Words that count months. A letter M before its number (M1) does so, too.",
    )
    follow_words: Words = Field(
        ("after", "post", "follow up", "followup", "fu", "nach"),
        description="Words with which a description speaks of a scan after baseline, and does not name itself one.",
    )
    other_words: Words = Field(
        (
            "compare", "compared", "comparison", "vs", "versus", "from", "since", "prior", "previous", "ago", "in",
            "against", "relative", "to", "than", "every", "each", "alle", "gegen", "old", "age", "aged", "alt",
            "infant", "newborn", "neonate", "neonatal", "baby", "child", "boy", "girl", "male", "female", "preterm",
            "gestation", "gestational", "ga", "corrected", "säugling", "neugeborenes", "kind", "year",
            "years", "yr", "yrs", "yo", "jahr", "jahre", "jahren", "ssw",
        ),
        description="Words with which a description speaks of another scan or of an age. Then it names no visit.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _plain_words(self) -> Descriptions:
        every = [word for name in type(self).model_fields for word in getattr(self, name)]
        if odd := [word for word in every if not all(part.isalpha() for part in word.split(" "))]:
            raise ValueError(f"'{odd[0]}' is not words of letters with single blanks between them")
        return self
