"""Statistics that the cohort and the evaluation share: estimates, exact shares, ranks, bootstraps, agreement."""
