"""From the results of a run to the trial's answer: statistics over the subjects, and agreement of readers.

Nothing is measured here. The flow::

    results.json -> lesion_measure.results     what the run found
    subjects.csv -> lesion_measure.tables.subjects    age, form, exclusions
    labs.csv     -> lesion_measure.tables.labs        AFP, PIVKA-II
    all three    -> analysis, record           paired, signed_ranks, responders, proportions, markers
    two raters   -> readers, agreement         bias, limits of agreement, ICC, repeatability
    all of it    -> files, page, figures       cohort.json, tables, cohort.html
    in order     -> command                    what the command line calls

docs/cohort.md says what each statistic is and how it is read.
"""
