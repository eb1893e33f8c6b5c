"""Agreement of readers: published worked examples, simulated readers, and the matching of two results folders."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats
from typer.testing import CliRunner

import make
from cohort_results import lesion, subject, write
from lesion_measure.cli import app
from lesion_measure.cohort.command import compare_readers, reader_lines
from lesion_measure.cohort.readers import LONG_AXIS, LONGEST, SHORT_AXIS, VOLUMES
from lesion_measure.config import Config
from lesion_measure.errors import InputError
from lesion_measure.measure.propagation import ratio_ci95
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Alternative,
    Enrolled,
    LesionMeasurement,
    Plane,
    Quantity,
    Source,
    SubjectResult,
    VolumeMethod,
)
from lesion_measure.stats.agreement import (
    Agreement,
    Pairs,
    agreement,
    icc_agreement,
    percent_of,
    repeatability_percent,
    within_subject_sd,
)

WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427.0])
WRIGHT_AGAIN = np.array([490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421.0])
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451.0])
MINI_AGAIN = np.array([525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443.0])
"""Peak expiratory flow in L/min of 17 subjects (Bland and Altman, Lancet 1986;1:307-310)."""

JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
"""Six targets, four judges (Shrout and Fleiss, Psychol Bull 1979;86:420-428, table 2)."""


def pairs(first: np.ndarray, second: np.ndarray, subjects: list[str] | None = None) -> Pairs:
    return Pairs(
        measure=LONG_AXIS, unit="mm", first_rater="reader A", second_rater="reader B", first=first, second=second,
        subjects=tuple(subjects or map(str, range(len(first)))),
    )  # fmt: skip


def agreed(one: Pairs) -> Agreement:
    found = agreement(one, 1)
    assert found is not None
    return found


class TestPublishedExamples:
    def test_limits_of_agreement_of_two_flow_meters(self) -> None:
        """Bias -2.1 (-22.0 to 17.8), SD 38.8; limits at 2 SD -79.7 and 75.5."""
        found = agreed(pairs(MINI, WRIGHT)).absolute
        assert (found.bias.value, found.bias.low, found.bias.high) == pytest.approx((-2.1, -22.0, 17.8), abs=0.05)
        assert found.sd == pytest.approx(38.8, abs=0.05)
        assert found.bias.value is not None
        assert (found.bias.value - 2 * found.sd, found.bias.value + 2 * found.sd) == pytest.approx(
            (-79.7, 75.5), abs=0.12
        )

    def test_intervals_of_the_limits_lie_about_the_published_approximation(self) -> None:
        """Bland and Altman's -114.3 to -45.1 is symmetric; the exact one reaches further out and less far in."""
        lower, upper = agreed(pairs(MINI, WRIGHT)).absolute.lower, agreed(pairs(MINI, WRIGHT)).absolute.upper
        assert lower.low is not None
        assert lower.high is not None
        assert upper.high is not None
        assert -127 < lower.low < -112.5
        assert -56 < lower.high < -43.5
        assert upper.high + lower.low == pytest.approx(2 * -2.1176, abs=0.001)

    @pytest.mark.parametrize(
        ("first", "second", "coefficient"), [(WRIGHT, WRIGHT_AGAIN, 43.2), (MINI, MINI_AGAIN, 56.4)]
    )
    def test_repeatability_of_each_meter(self, first: np.ndarray, second: np.ndarray, coefficient: float) -> None:
        """Published at 2 within-subject SD of a difference instead of 1.96."""
        found = agreed(pairs(first, second)).absolute.repeatability.value
        assert found is not None
        assert found * 2 / 1.96 == pytest.approx(coefficient, abs=0.15)

    def test_icc_of_four_judges(self) -> None:
        """ICC(2,1) = 0.29; pingouin 0.7.0 gives 0.289764 (0.02 to 0.76)."""
        found = icc_agreement(JUDGES)
        assert found.value == pytest.approx(0.289764, abs=5e-7)
        assert (found.low, found.high) == pytest.approx((0.02, 0.76), abs=0.005)

    def test_icc_of_the_flow_meters(self) -> None:
        """pingouin 0.7.0: 0.945928 (0.86 to 0.98)."""
        found = agreed(pairs(MINI, WRIGHT)).absolute.icc
        assert found.value == pytest.approx(0.945928, abs=5e-7)
        assert (found.low, found.high) == pytest.approx((0.86, 0.98), abs=0.005)


class TestSimulatedReaders:
    def test_what_was_put_in_comes_out(self) -> None:
        """Bias 4 %, each reader's own SD 6 %: 2000 lesions."""
        rng = np.random.default_rng(2)
        truth = np.exp(rng.normal(3.2, 0.4, 2000))
        first, second = (truth * bias * np.exp(rng.normal(0, 0.06, 2000)) for bias in (1.0, 1.04))
        found = agreed(pairs(first, second))
        assert percent_of(found.log.bias).value == pytest.approx(4, abs=0.4)
        assert found.log.random_sd == pytest.approx(0.06, abs=0.002)
        assert found.coefficient_of_variation == pytest.approx(
            math.hypot(0.06, math.log(1.04) / math.sqrt(2)), abs=0.002
        )
        expected_icc = 0.4**2 / (0.4**2 + 0.06**2 + math.log(1.04) ** 2 / 2)
        assert found.log.icc.value == pytest.approx(expected_icc, abs=0.004)

    def test_interval_of_the_within_sd_holds_the_truth(self) -> None:
        rng = np.random.default_rng(3)
        held = 0
        for sample in rng.normal(0, 2, (1500, 10, 2)):
            found = within_subject_sd(sample)
            assert found.low is not None
            assert found.high is not None
            held += found.low <= 2 <= found.high
        assert 0.935 <= held / 1500 <= 0.965

    def test_interval_of_the_icc_holds_the_truth(self) -> None:
        rng = np.random.default_rng(8)
        held = 0
        for _ in range(600):
            ratings = rng.normal(0, 2, (20, 1)) + rng.normal(0, 1, (20, 2))
            found = icc_agreement(ratings)
            assert found.low is not None
            assert found.high is not None
            held += found.low <= 0.8 <= found.high
        assert 0.92 <= held / 600 <= 0.98

    def test_several_lesions_of_one_child_widen_the_intervals(self) -> None:
        """Copying each pair five times adds no information: the bootstrap sees that, the exact way could not."""
        rng = np.random.default_rng(5)
        first = np.exp(rng.normal(3, 0.3, 15))
        second = first * np.exp(rng.normal(0, 0.08, 15))
        once = agreed(pairs(first, second)).log.bias
        copied = agreed(pairs(np.repeat(first, 5), np.repeat(second, 5), [str(i // 5) for i in range(75)])).log.bias
        assert once.low is not None
        assert once.high is not None
        assert copied.low is not None
        assert copied.high is not None
        assert copied.value == pytest.approx(once.value)
        assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.25)

    def test_the_bootstrap_starts_from_the_same_estimates(self) -> None:
        """Without clusters and with them, only the intervals differ."""
        apart, together = agreed(pairs(MINI, WRIGHT)), agreed(pairs(MINI, WRIGHT, [str(i // 2) for i in range(17)]))
        for one, other in ((apart.absolute, together.absolute), (apart.log, together.log)):
            for name in ("bias", "lower", "upper", "icc", "within_sd"):
                assert getattr(one, name).value == pytest.approx(getattr(other, name).value, rel=1e-9)
                assert getattr(other, name).low < getattr(other, name).value < getattr(other, name).high

    def test_the_coefficient_fed_back_gives_the_repeatability_as_the_error_bar_of_no_change(self) -> None:
        """A run with this coefficient calls exactly those changes real that lie beyond the repeatability."""
        rng = np.random.default_rng(6)
        first = np.exp(rng.normal(3, 0.3, 40))
        found = agreed(pairs(first, first * np.exp(rng.normal(0.02, 0.09, 40))))
        size = Quantity(value=30.0, sd=30.0 * found.coefficient_of_variation)
        assert repeatability_percent(found.log) == pytest.approx(ratio_ci95(size, size))

    def test_readers_who_never_differ(self) -> None:
        found = agreed(pairs(WRIGHT, WRIGHT))
        assert (found.absolute.icc.value, found.absolute.sd, found.coefficient_of_variation) == (1.0, 0.0, 0.0)

    def test_two_pairs_are_too_few(self) -> None:
        assert agreement(pairs(WRIGHT[:2], MINI[:2]), 1) is None


SIZES = (30.0, 22.0, 41.0, 17.5, 26.0)
ERRORS = (1.05, 0.97, 1.02, 0.9, 1.1)


def folder(path: Path, reader: str, factors: tuple[float, ...] = (1.0,) * 5, **changes: object) -> Path:
    """Five children with one lesion each, measured by one reader at both visits."""
    subjects = []
    for number, (size, factor) in enumerate(zip(SIZES, factors, strict=True), 1):
        one = subject(f"S{number}", [(size * factor, 0.7 * size * factor)])
        lesions = tuple(_by(m, reader, **changes) for m in one.lesions)
        subjects.append(replace(one, lesions=lesions))
    return write(path, subjects)


def _by(measured: LesionMeasurement, reader: str, **changes: object) -> LesionMeasurement:
    planes = tuple(replace(plane, reader=reader) for plane in measured.planes)
    return replace(measured, reader=reader, planes=planes, **changes)  # type: ignore[arg-type]


class TestTwoFolders:
    def test_every_size_is_paired_by_subject_visit_and_lesion(self, tmp_path: Path) -> None:
        found = compare_readers(folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R2", ERRORS), seed=1, out=None)
        by_measure = {one.pairs.measure: one.pairs for one in found.agreements}
        assert set(by_measure) == {LONG_AXIS, SHORT_AXIS, LONGEST, VOLUMES[VolumeMethod.ELLIPSOID]}
        longest = by_measure[LONGEST]
        assert (longest.first_rater, longest.second_rater) == ("reader R1", "reader R2")
        assert longest.second / longest.first == pytest.approx(np.repeat(ERRORS, 2))
        assert longest.clustered
        volumes = by_measure[VOLUMES[VolumeMethod.ELLIPSOID]]
        assert volumes.second / volumes.first == pytest.approx(np.repeat(ERRORS, 2) ** 3, rel=1e-5)

    def test_bias_of_the_matched_pairs(self, tmp_path: Path) -> None:
        found = compare_readers(folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R2", ERRORS), seed=1, out=None)
        longest = next(one for one in found.agreements if one.pairs.measure == LONGEST)
        assert percent_of(longest.log.bias).value == pytest.approx(100 * (stats.gmean(ERRORS) - 1))

    def test_the_same_reader_twice_is_told_apart_by_the_folders(self, tmp_path: Path) -> None:
        found = compare_readers(folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R1", ERRORS), seed=1, out=None)
        assert found.matching is not None
        assert found.matching.raters == ("reader R1 (a)", "reader R1 (b)")

    def test_what_is_not_comparable_is_counted_and_left_out(self, tmp_path: Path) -> None:
        first = folder(tmp_path / "a", "R1")
        others = [subject(f"S{n}", [(size, 0.7 * size)]) for n, size in enumerate(SIZES, 1)]
        gone = replace(others[0], lesions=(others[0].lesions[0], lesion("S1", ONE_MONTH, "L1", 0.0)))
        planes = (make.plane(22.0, plane=Plane.SAGITTAL),)
        turned = replace(others[1], lesions=(replace(others[1].lesions[0], planes=planes), others[1].lesions[1]))
        more = replace(others[2], lesions=(*others[2].lesions, lesion("S3", BASELINE, "L2", 9.0)))
        found = compare_readers(
            first, write(tmp_path / "b", [gone, turned, more, *others[3:]]), seed=1, out=None
        ).matching
        assert found is not None
        assert (found.lesions, found.alone, found.presence, found.planes_differ) == (10, (0, 1), 1, 1)
        counts = {one.pairs.measure: len(one.pairs.first) for one in found.agreements}
        assert (counts[LONGEST], counts[LONG_AXIS]) == (8, 8)

    def test_volumes_of_different_formulas_are_not_compared(self, tmp_path: Path) -> None:
        first = folder(tmp_path / "a", "R1")
        second = folder(tmp_path / "b", "R2", ERRORS, volume_method=VolumeMethod.ROTATION)
        found = compare_readers(first, second, seed=1, out=None)
        assert not {one.pairs.measure for one in found.agreements} & set(VOLUMES.values())
        assert any("no volume was compared" in line for line in found.settings)

    def test_folders_without_a_common_lesion_are_an_error(self, tmp_path: Path) -> None:
        other = write(tmp_path / "b", [subject("T1", [(20, 15)])])
        with pytest.raises(InputError, match="No two raters") as error:
            compare_readers(folder(tmp_path / "a", "R1"), other, seed=1, out=None)
        assert error.value.code == "no_pairs"


def drawn(path: Path, reader: str, calipers: np.ndarray, *, excluded: tuple[str, ...] = ()) -> Path:
    """One lesion a child at baseline, measured by calipers (n, 2) that the reader called long and short."""
    subjects = []
    for number, (long, short) in enumerate(calipers, 1):
        code = f"S{number}"
        plane = make.plane(max(long, short), min(long, short), reader=reader, axes_swapped=bool(short > long))
        measured = lesion(code, BASELINE, "L1", max(long, short), reader=reader, planes=(plane,))
        subjects.append(replace(subject(code, [(20, 15)]), lesions=(measured,)))
    write(path, subjects)
    if excluded:
        table = [Enrolled(subject=s.subject, excluded=("resection",) * (s.subject in excluded)) for s in subjects]
        write(path, subjects, enrolled=table)
    return path


class TestAsDrawn:
    """Two readers of round lesions: the longer of two calipers varies less than each of them."""

    TRUE = 20 * np.exp(np.random.default_rng(11).normal(0, 0.09, (2, 200, 2)))

    def test_the_coefficient_of_variation_is_that_of_the_calipers(self, tmp_path: Path) -> None:
        one, two = (drawn(tmp_path / name, name, own) for name, own in zip(("R1", "R2"), self.TRUE, strict=True))
        found = {a.pairs.measure: a for a in compare_readers(one, two, seed=1, out=None).agreements}
        for place, measure in enumerate((LONG_AXIS, SHORT_AXIS)):
            apart = np.log(self.TRUE[0, :, place] / self.TRUE[1, :, place])
            assert found[measure].coefficient_of_variation == pytest.approx(math.sqrt((apart**2).mean() / 2), rel=1e-5)
            assert found[measure].coefficient_of_variation == pytest.approx(0.09, rel=0.1)
        assert found[LONGEST].coefficient_of_variation < 0.08

    def test_a_caliper_called_short_that_is_longer_is_known_as_drawn(self) -> None:
        plane = replace(make.plane(21.0, 20.0), axes_swapped=True)
        assert plane.drawn[0].value == pytest.approx(20.0)
        assert make.plane(21.0, 20.0).drawn[0].value == pytest.approx(21.0)

    @pytest.mark.parametrize("where", [0, 1])
    def test_whom_either_table_excludes_is_left_out(self, tmp_path: Path, where: int) -> None:
        own = self.TRUE[:, :6].copy()
        own[1, 0] *= 3  # a mistake that must not count
        out = [("S1",) * (n == where) for n in range(2)]
        one, two = (drawn(tmp_path / f"R{n}", f"R{n}", own[n], excluded=out[n]) for n in range(2))
        found = compare_readers(one, two, seed=1, out=None)
        pairs_ = next(a.pairs for a in found.agreements if a.pairs.measure == LONG_AXIS)
        assert pairs_.subjects == ("S2", "S3", "S4", "S5", "S6")


def with_alternatives(code: str, size: float, factor: float) -> SubjectResult:
    """A child whose lesion the reader measured, and the model too."""
    one = subject(code, [(size, 0.7 * size)])
    lesions = []
    for measured in one.lesions:
        chosen = measured.longest_diameter_mm.value
        other = Alternative(
            source=Source.MODEL, reader="net", plane=Plane.TRANSVERSE, long_axis_mm=make.quantity(factor * chosen),
            difference_mm=(factor - 1) * chosen, difference_percent=100 * (factor - 1),
            drawn_long_mm=factor * chosen,
        )  # fmt: skip
        lone = replace(other, plane=Plane.CORONAL, difference_mm=None, difference_percent=None)
        lesions.append(replace(measured, alternatives=(other, lone)))
    return replace(one, lesions=tuple(lesions))


def test_one_folder_gives_reader_against_model(tmp_path: Path) -> None:
    out = write(
        tmp_path, [with_alternatives(f"S{n}", s, f) for n, (s, f) in enumerate(zip(SIZES, ERRORS, strict=True), 1)]
    )
    (found,) = compare_readers(out, None, seed=1, out=None).agreements
    assert (found.pairs.first_rater, found.pairs.second_rater) == ("reader R1", "model net")
    assert len(found.pairs.first) == 10
    assert found.pairs.second / found.pairs.first == pytest.approx(np.repeat(ERRORS, 2), rel=1e-5)
    compared = compare_readers(out, None, seed=1, out=None)
    assert compared.settings == []
    assert "10 of 10 diameters are compared with the network's" in compared.no_settings


class TestNoSettings:
    """A repeatability of nobody's disagreement would switch measurement error off in the next run."""

    @pytest.mark.parametrize(
        ("readers", "factors", "why"),
        [
            (("R1", "R2"), (1.0,) * 5, "10 differences of long axis in one plane are all 0"),
            (("R1", "R2"), (1.000001,) * 5, "10 differences of long axis in one plane are all 0"),
            (("R1", "R1"), (1.0,) * 5, "10 of 10 diameters are by the same rater on the same picture"),
            (("R1", "R1"), ERRORS, "10 of 10 diameters are by the same rater on the same picture"),
        ],
    )
    def test_of_one_reader_or_of_no_difference(
        self, tmp_path: Path, readers: tuple[str, str], factors: tuple[float, ...], why: str
    ) -> None:
        a, b = folder(tmp_path / "a", readers[0]), folder(tmp_path / "b", readers[1], factors)
        out = tmp_path / "out"
        out.mkdir()
        done = CliRunner().invoke(app, ["readers", str(a), str(b), "-o", str(out)])
        assert done.exit_code == 0
        assert why in done.stdout
        assert "diameter_cv" not in done.stdout
        assert not (out / "repeatability.yaml").exists()
        page = (out / "readers.html").read_text()
        assert why in page
        assert "diameter_cv" not in page
        document = json.loads((out / "agreement.json").read_text())
        assert document["settings"] == []
        assert why in document["no_settings"]

    def test_of_a_folder_and_itself(self, tmp_path: Path) -> None:
        a = folder(tmp_path / "a", "R1")
        assert compare_readers(a, a, seed=1, out=None).settings == []

    def test_one_pair_of_the_same_rater_is_enough(self, tmp_path: Path) -> None:
        """As where a network falls back on the other folder's calipers: such pairs thin the differences out."""
        a, b = folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R2", ERRORS)
        documents = [json.loads((path / "results.json").read_text()) for path in (a, b)]
        documents[1]["subjects"][0]["lesions"][0] = documents[0]["subjects"][0]["lesions"][0]
        (b / "results.json").write_text(json.dumps(documents[1]))
        assert "1 of 10 diameters is by the same rater" in compare_readers(a, b, seed=1, out=None).no_settings

    def test_one_reader_who_read_two_scans_has_settings(self, tmp_path: Path) -> None:
        """The same children scanned twice on one day: other pictures."""
        a, b = folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R1", ERRORS)
        text = (b / "results.json").read_text()
        document = json.loads(text)
        for one in document["subjects"]:
            for measured in one["lesions"]:
                for plane in measured["planes"]:
                    plane["sop_instance_uid"] += ".9"
        (b / "results.json").write_text(json.dumps(document))
        found = compare_readers(a, b, seed=1, out=None)
        assert found.no_settings == ""
        assert any("diameter_cv" in line for line in found.settings)


class TestCommand:
    def test_files_lines_and_settings(self, tmp_path: Path) -> None:
        a, b = folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R2", ERRORS)
        done = CliRunner().invoke(app, ["readers", str(a), str(b), "-o", str(tmp_path / "out")])
        assert done.exit_code == 0
        document = json.loads((tmp_path / "out" / "agreement.json").read_text())
        assert {"agreements", "matching", "settings"} <= set(document)
        with (tmp_path / "out" / "pairs.csv").open() as stream:
            assert len(list(csv.DictReader(stream))) == 40
        assert "Bland-Altman plot" in (tmp_path / "out" / "readers.html").read_text()
        text = "\n".join(
            line for line in done.stdout.splitlines() if line.startswith(("uncertainty:", "  rep", "    "))
        )
        settings = tmp_path / "my.yaml"
        settings.write_text(text[text.index("uncertainty:") :])
        config = Config.from_yaml(settings)
        diameter = next(one for one in document["agreements"] if one["pairs"]["measure"] == LONG_AXIS)
        fed_back = config.uncertainty.repeatability
        assert fed_back.diameter_cv == pytest.approx(diameter["log"]["within_sd"]["value"], abs=5e-5)
        assert fed_back.volume_cv == pytest.approx(3 * fed_back.diameter_cv, abs=2e-4)
        assert "reader R1 against reader R2: 10 diameters and 10 volumes of 5 subjects" in fed_back.source

    def test_json_goes_to_standard_output(self, tmp_path: Path) -> None:
        a, b = folder(tmp_path / "a", "R1"), folder(tmp_path / "b", "R2", ERRORS)
        done = CliRunner().invoke(app, ["readers", str(a), str(b), "--json"])
        assert json.loads(done.stdout)["matching"]["lesions"] == 10

    def test_names_of_readers_are_quoted_in_the_settings(self, tmp_path: Path) -> None:
        """A reader may be called anything: the lines stay YAML, the page stays HTML."""
        name = 'A "B": <script>'
        found = compare_readers(
            folder(tmp_path / "a", name), folder(tmp_path / "b", "R2", ERRORS), seed=1, out=tmp_path / "out"
        )
        source = yaml.safe_load("\n".join(found.settings))["uncertainty"]["repeatability"]["source"]
        assert source.startswith(f"reader {name} against")
        assert "<script" not in (tmp_path / "out" / "readers.html").read_text()
        assert any("reader R2 minus" in line for line in reader_lines(found))

    def test_a_folder_that_is_no_results_folder(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["readers", str(tmp_path)])
        assert done.exit_code == 1
        assert "no results.json" in done.stderr


SAMPLES = Path(__file__).parent.parent / "sample_dicoms"


def second_reader(path: Path, cv: float) -> Path:
    """The samples' calipers as another reader draws them: every line is off by this much (SD of its logarithm)."""
    rng = np.random.default_rng(12)
    with (SAMPLES / "calipers.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["reader"] = "reader-2"
        if row["axis"] == "absent":
            continue
        factor = math.exp(rng.normal(0, cv))
        for coordinate in ("row", "col"):
            start, end = (float(row[f"{which}_{coordinate}"]) for which in ("start", "end"))
            middle, half = (start + end) / 2, factor * (end - start) / 2
            row[f"start_{coordinate}"], row[f"end_{coordinate}"] = f"{middle - half:.3f}", f"{middle + half:.3f}"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run_samples(out: Path, *options: object) -> Path:
    done = CliRunner().invoke(app, [str(word) for word in ("run", SAMPLES, "-o", out, *options)])
    assert done.exit_code == 3, done.output  # one of the samples has no scale
    return out


def test_the_readers_agreement_becomes_the_error_bars_of_the_next_run(tmp_path: Path) -> None:
    """Two readers, two runs, their agreement, and a third run with the settings that were printed and written."""
    calipers = second_reader(tmp_path / "second.csv", 0.05)
    first = run_samples(tmp_path / "a", "--calipers", SAMPLES / "calipers.csv")
    second = run_samples(tmp_path / "b", "--calipers", calipers)
    done = CliRunner().invoke(app, ["readers", str(first), str(second), "-o", str(tmp_path / "agreement")])
    assert done.exit_code == 0, done.output
    settings = (tmp_path / "agreement" / "repeatability.yaml").read_text(encoding="utf-8")
    assert settings.strip() in done.stdout
    document = json.loads((tmp_path / "agreement" / "agreement.json").read_text())
    own = next(one["log"] for one in document["agreements"] if one["pairs"]["measure"] == LONG_AXIS)
    printed = yaml.safe_load(settings)["uncertainty"]["repeatability"]
    # one reader errs by 5 % and the other not at all: each is taken to have 5 % / sqrt(2)
    assert own["within_sd"]["low"] < 0.05 / math.sqrt(2) < own["within_sd"]["high"]
    third = run_samples(
        tmp_path / "c",
        "--calipers",
        SAMPLES / "calipers.csv",
        "--config",
        tmp_path / "agreement" / "repeatability.yaml",
    )
    assert "reader-1 against reader-2" in (third / "report.html").read_text()
    ways = [json.loads((folder / "results.json").read_text())["subjects"][0]["lesions"][0] for folder in (first, third)]
    for lesion_, cv in zip(ways, (0.089, printed["diameter_cv"]), strict=True):
        size = lesion_["longest_diameter_mm"]
        assert size["parts"]["repeatability"] == pytest.approx(cv * size["value"], rel=1e-4)
    assert ways[1]["longest_diameter_mm"]["sd"] < ways[0]["longest_diameter_mm"]["sd"]
