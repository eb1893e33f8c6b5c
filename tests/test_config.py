"""Settings: defaults, files, what is refused, and that every one of them is documented."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from lesion_measure.config import Config, EmptyEvidence, Entry, PlannedVisit, Protocol, Repeatability, Rule, Targets
from lesion_measure.errors import ConfigError
from lesion_measure.lab.training import TrainSettings
from lesion_measure.records import TRIAL, Metric
from scripts import script


@pytest.fixture(scope="module")
def maker(project_dir: Path) -> ModuleType:
    """docs/make_settings.py as a module."""
    return script(project_dir / "docs" / "make_settings.py")


def test_the_documented_settings_are_those_of_the_code(maker: ModuleType, project_dir: Path) -> None:
    assert (project_dir / "docs" / "settings.md").read_text(encoding="utf-8") == maker.page()
    assert (project_dir / "configs" / "default.yaml").read_text(encoding="utf-8") == maker.yaml_text()
    assert (project_dir / "docs" / "training_settings.md").read_text(encoding="utf-8") == maker.training_page()


def test_every_setting_has_a_meaning(maker: ModuleType) -> None:
    for name, kind, values in maker.sections():
        for key, _, info in maker.settings(kind, values):
            assert info.description, f"{name}.{key} is not documented"
    for kind in (Rule, Targets, EmptyEvidence):
        for key, info in kind.model_fields.items():
            assert info.description, f"{kind.__name__}.{key} is not documented"
    for kind in maker.training_sections():
        for key, _, info in maker.training_settings(kind):
            assert info.description, f"{kind.__name__}.{key} is not documented"


def test_the_default_file_is_the_default(project_dir: Path) -> None:
    assert Config.from_yaml(project_dir / "configs" / "default.yaml") == Config()


PROTOCOLS = {"nct04406870.yaml": 16, "recist_adult.yaml": 16, "follow_up.yaml": 9}
"""The protocol files, and how many settings each has at least."""


def test_every_run_configuration_is_read(project_dir: Path) -> None:
    """The files in configs/ are those of a run, but for two of a training; a key that does not exist is an error."""
    training = {"train.yaml", "smoke.yaml"}
    names = {path.name for path in (project_dir / "configs").glob("*.yaml")}
    assert names >= {*PROTOCOLS, *training, "default.yaml"}
    for name in names - training:
        Config.from_yaml(project_dir / "configs" / name)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_line_of_a_protocol_has_its_words(project_dir: Path, name: str) -> None:
    """A clinician reads the comments: each setting has one right above it, and the file says what it is."""
    lines = (project_dir / "configs" / name).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# Protocol of ")
    assert all(len(line) <= 120 for line in lines)
    settings = [n for n, line in enumerate(lines) if re.match(r" *\w+: *\S", line)]
    assert len(settings) >= PROTOCOLS[name]
    assert [lines[n] for n in settings if not lines[n - 1].lstrip().startswith("# ")] == []


def test_the_protocol_file_is_the_trial_and_every_value_of_it_is_there(project_dir: Path) -> None:
    config = Config.from_yaml(project_dir / "configs" / "nct04406870.yaml")
    rule = config.comparison.applied_rule
    assert (rule.response_percent, rule.response_at_limit, rule.metric) == (-30, True, Metric.SUM_OF_DIAMETERS)
    assert config.protocol == Config().protocol
    assert config.protocol.historical_rate == pytest.approx(15 / 26, abs=5e-4)
    assert config.protocol.timetable() == Config().protocol.timetable() == TRIAL
    text = (project_dir / "configs" / "nct04406870.yaml").read_text(encoding="utf-8")
    written = set(re.findall(r"^ *(\w+):", text, re.MULTILINE)) | set(re.findall(r"[{,] ?(\w+):", text))
    assert written >= {*Protocol.model_fields, *Entry.model_fields}
    assert written >= {*Repeatability.model_fields, *PlannedVisit.model_fields, "primary_metric", "rule"}


def test_a_schedule_has_any_number_of_visits_or_none(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    late = [f"{{name: m{n}, day: {30 * n}, window: [{30 * n - 9}, {30 * n + 9}]}}" for n in range(1, 13)]
    path.write_text(schedule(*late))
    table = Config.from_yaml(path).protocol.timetable()
    assert table is not None
    assert (table.earlier, table.later, table.primary) == ((), tuple(f"m{n}" for n in range(1, 13)), None)
    assert (table.label("m2"), table.epoch("m2"), table.point("m2").window) == ("m2", "", (51, 69))
    for nothing in ("null", "[]"):
        path.write_text(f"protocol:\n  schedule: {nothing}\n")
        assert Config.from_yaml(path).protocol.timetable() is None


def test_another_trial_is_another_file(project_dir: Path) -> None:
    config = Config.from_yaml(project_dir / "configs" / "recist_adult.yaml")
    rule = config.comparison.applied_rule
    assert (rule.progression_percent, rule.progression_min_mm, rule.targets.most_per_organ) == (20, 5, 2)
    assert config.protocol.entry == Entry(age_months=None, prior_shrinkage_percent=None, exclusions=())
    table = config.protocol.timetable()
    assert table is not None
    assert (table.later, table.primary) == (("week_4", "week_8", "week_12"), "week_4")


def schedule(*points: str) -> str:
    """A protocol of baseline and these time points."""
    lines = ["{name: baseline, day: 0, window: [0, 0]}", *points]
    return "protocol:\n  schedule:\n" + "".join(f"    - {line}\n" for line in lines)


def test_what_a_file_leaves_out_keeps_its_default_and_the_hash_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("limits:\n  zip_depth: 2\n")
    config = Config.from_yaml(path)
    assert (config.limits.zip_depth, config.limits.zip_ratio) == (2, 200)
    assert config.sha256() != Config().sha256()
    path.write_text("{}")
    assert Config.from_yaml(path).sha256() == Config().sha256()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("visit: {}", "'visit'"),
        ("limits:\n  window: 3", "'limits.window'"),
        ("visits:\n  one_month_days: 28", "visits are named in protocol.schedule"),
        (schedule("{name: month_1, day: 30, window: [45, 14]}"), "day 30 of month_1 lies outside its window"),
        (schedule("{name: month_1, day: 60, window: [14, 45]}"), "day 60 of month_1 lies outside its window"),
        (schedule("{name: Month 1, day: 30, window: [14, 45]}"), "'protocol.schedule.1.name'"),
        (schedule("{name: day_30, day: 30, window: [14, 45]}"), "'day_30' is kept for visits beside"),
        (schedule("{name: undated, day: 30, window: [14, 45]}"), "'undated' is kept for visits beside"),
        (schedule("{name: later, day: 1" + "0" * 25 + ", window: [14, 45]}"), "'protocol.schedule.1.day'"),
        (schedule("{name: month_1, day: 30}"), "'protocol.schedule.1.window'"),
        (schedule("{name: early, day: -30, window: [-40, -20]}"), "early has to come after baseline"),
        (schedule("{name: early, day: 0, window: [0, 9]}"), "early has to come after baseline"),
        (
            schedule("{name: one, day: 30, window: [14, 45]}", "{name: two, day: 60, window: [45, 75]}"),
            "two has to come after one, and their windows may share no day",
        ),
        (
            schedule(
                "{name: one, day: 3, window: [3, 3], words: [M_1]}", "{name: two, day: 4, window: [4, 4], words: [m 1]}"
            ),
            "the word 'm1' means two visits",
        ),
        (
            schedule("{name: one, day: 3, window: [3, 3]}", "{name: one, day: 4, window: [4, 4]}"),
            "'one' means two visits",
        ),
        (
            schedule(*(f"{{name: n{d}, day: {d}, window: [{d}, {d}], primary: true}}" for d in (3, 4))),
            "one visit of the schedule at most is primary",
        ),
        ("protocol:\n  schedule:\n    - {name: month_1, day: 30, window: [14, 45]}", "is called baseline"),
        ("protocol:\n  schedule:\n    - {name: baseline, day: 0, window: [0, 3]}", "baseline is day 0"),
        ("protocol:\n  schedule:\n    - {name: early, day: -3, window: [-3, -3], primary: true}", "not after baseline"),
        ("protocol:\n  entry:\n    age_months: [36, 1]", "youngest"),
        ("protocol:\n  entry:\n    exclusions: [fever]", "'protocol.entry.exclusions.0'"),
        ("protocol:\n  age_groups_months: [14, 6]", "ascend"),
        (
            "comparison:\n  rules:\n    trial:\n      response_percent: -30\n      when: always",
            "'comparison.rules.trial.when'",
        ),
        ("comparison:\n  rule: best", "'best' is not one of"),
        ("segment:\n  threshold: 1.5", "'segment.threshold'"),
        ("calibration:\n  max_depth_mm: .nan", "'calibration.max_depth_mm'"),
        ("[1, 2]", "mapping"),
        ("a: [", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        Config.from_yaml(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("segment:\n  treshold: 0.4", "'segment.treshold' does not exist; did you mean 'threshold'?"),
        # the right key is then missing, of which pydantic speaks first
        (
            "comparison:\n  rules:\n    trial:\n      response_percnt: -30",
            "'comparison.rules.trial.response_percnt' does not exist; did you mean 'response_percent'?",
        ),
        (
            "comparison:\n  rules:\n    trial:\n      response_percent: -30\n      targets:\n        mots: 5",
            "'comparison.rules.trial.targets.mots' does not exist; did you mean 'most'?",
        ),
        (
            "disappearance:\n  evidence:\n    visit: 80",
            "'disappearance.evidence.visit' does not exist; did you mean 'visits'?",
        ),
        (
            "comparison:\n  rule: trail",
            "Setting 'comparison': rule 'trail' is not one of recist_style, trial, volume, who; did you mean 'trial'?",
        ),
        (
            "comparison:\n  rule: zzz",
            "rule 'zzz' is not one of recist_style, trial, volume, who.",
        ),
        ("disappearance:\n  by_network: true", "Setting 'disappearance': by_network needs evidence: how many visits"),
        ("zip_depth: 2", "'zip_depth' does not exist here; 'limits.zip_depth' does"),
        ("report:\n  colour: red", "'report.colour' does not exist; there is title, image_width_px, blank"),
        ("qqq: 1", "Setting 'qqq' does not exist; there is planes, calibration,"),
        ("segmnt: {}\nvisit: {}", "'segmnt' does not exist; did you mean 'segment'? Line 2: Setting 'visit'"),
        ("".join(f"k{n}: 1\n" for n in range(9)), "; and 4 more."),
    ],
)
def test_a_misspelled_key_is_named_with_its_file_and_the_nearest_one(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Config.from_yaml(path)
    assert complaint in caught.value.reason
    assert str(caught.value).startswith(str(path))


def test_a_misspelled_setting_of_a_training_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("epoch: 3")
    with pytest.raises(ConfigError, match="'epoch' does not exist"):
        TrainSettings.from_yaml(path)


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.from_yaml(tmp_path / "none.yaml")


def written(folder: Path, **files: str) -> Path:
    """Settings files by their name; the path of the one that is called ``top``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "top.yaml"


class TestExtends:
    """A file over those that it extends."""

    def test_sections_are_joined_and_the_later_file_counts(self, tmp_path: Path) -> None:
        top = written(
            tmp_path,
            deep="segment: {threshold: 0.3, min_lesion_mm: 4}\nreport: {title: deep}",
            base="extends: deep.yaml\nreport: {title: base}",
            top="segment: {threshold: 0.4}\nextends: base.yaml",
        )
        config = Config.from_yaml(top)
        assert (config.segment.threshold, config.segment.min_lesion_mm, config.report.title) == (0.4, 4, "base")

    def test_lists_are_taken_whole(self, tmp_path: Path) -> None:
        top = written(tmp_path, base="notes: [a, b]\nlicences: {x: one}", top="extends: base.yaml\nnotes: [c]")
        settings = TrainSettings.from_yaml(top)
        assert (settings.notes, settings.licences) == (("c",), {"x": "one"})

    def test_another_architecture_takes_no_settings_of_the_first(self, tmp_path: Path) -> None:
        base = "automatic: {network: {channels: [4, 8], strides: [2]}, prompted_share: 0.3}"
        top = written(tmp_path, base=base, top="extends: base.yaml\nautomatic: {network: {_target_: EfficientUNet}}")
        automatic = TrainSettings.from_yaml(top).automatic
        assert automatic.network.channels == (128, 64, 48)
        assert automatic.prompted_share == 0.3

    def test_a_file_that_comes_with_the_program(self, tmp_path: Path, project_dir: Path) -> None:
        shipped = Config.from_yaml(project_dir / "configs/nct04406870.yaml")
        top = written(tmp_path, top="extends: nct04406870\nreport: {title: mine}")
        config = Config.from_yaml(top)
        assert config.report.title == "mine"
        assert config.comparison == shipped.comparison

    @pytest.mark.parametrize(
        ("files", "complaint"),
        [
            ({"top": "extends: base.yaml", "base": "extends: top.yaml"}, "in a ring"),
            ({"top": "extends: top.yaml"}, "in a ring"),
            ({"top": "extends: none.yaml"}, "no file 'none.yaml'"),
            ({"top": "extends: [a, b]"}, "must be the name of a file"),
            ({"top": "extends: ../out.yaml"}, "leads out of"),
            ({"top": "extends: /etc/hostname"}, "leads out of"),
            (
                {"top": "extends: base.yaml", "base": "segment: {treshold: 1}"},
                "base.yaml, line 1: Setting 'segment.tre",
            ),
            ({"top": "extends: base.yaml", "base": "a: ["}, "not valid YAML"),
        ],
    )
    def test_what_is_refused(self, tmp_path: Path, files: dict[str, str], complaint: str) -> None:
        (tmp_path / "out.yaml").write_text("{}")
        with pytest.raises(ConfigError) as caught:
            Config.from_yaml(written(tmp_path / "in", **files))
        assert complaint in str(caught.value)

    def test_a_link_does_not_lead_out(self, tmp_path: Path) -> None:
        (tmp_path / "out.yaml").write_text("{}")
        top = written(tmp_path / "in", top="extends: base.yaml")
        (tmp_path / "in/base.yaml").symlink_to(tmp_path / "out.yaml")
        with pytest.raises(ConfigError, match="leads out of"):
            Config.from_yaml(top)

    def test_a_long_chain_ends(self, tmp_path: Path) -> None:
        files = {f"f{n}": f"extends: f{n + 1}.yaml" for n in range(30)}
        with pytest.raises(ConfigError, match="More than 10"):
            Config.from_yaml(written(tmp_path, top="extends: f0.yaml", **files))


class TestSet:
    """Single settings of the command line: typed and refused as those of a file."""

    def settings(self, *changes: str, text: str = "{}", folder: Path) -> TrainSettings:
        return TrainSettings.from_yaml(written(folder, top=text), changes)

    def test_a_change_gives_what_the_file_would(self, tmp_path: Path) -> None:
        text = "automatic: {finetune: {epochs: 3}, longer: [{epochs: 1}, {epochs: 2, batch_size: 2}]}"
        changes = ("automatic.longer.1.epochs=9", "seed=5", "automatic.finetune.set_weights={a.b: 0.5}", "notes=[x]")
        changed = self.settings(*changes, text=text, folder=tmp_path)
        same = (
            "automatic: {finetune: {epochs: 3, set_weights: {a.b: 0.5}}, longer: [{epochs: 1}, "
            "{epochs: 9, batch_size: 2}]}\nseed: 5\nnotes: [x]"
        )
        assert changed == self.settings(text=same, folder=tmp_path)

    def test_an_entry_that_a_list_does_not_have(self, tmp_path: Path) -> None:
        text = "automatic: {finetune: {epochs: 3}, longer: [{epochs: 1}]}"
        with pytest.raises(ConfigError, match="the list has 1 entries"):
            self.settings("automatic.longer.1.epochs=9", text=text, folder=tmp_path)

    def test_without_a_file(self) -> None:
        made = TrainSettings.from_yaml(None, ["automatic.finetune.epochs=2"])
        assert made.automatic.finetune is not None
        assert made.automatic.finetune.epochs == 2

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ("seed=one", "--set seed: Setting 'seed': Input should be a valid integer"),
            ("sed=1", "--set sed: Setting 'sed' does not exist; did you mean 'seed'?"),
            ("seed", "'seed' sets nothing"),
            ("=1", "sets nothing"),
            ("seed=[", "--set seed is not valid YAML"),
            ("seed=0300", "another number in YAML"),
            ("automatic.longer.0.epochs=1", "Setting 'automatic.longer'"),
            ("notes=!!python/name:os.system", "the tag"),
        ],
    )
    def test_what_is_refused(self, tmp_path: Path, change: str, complaint: str) -> None:
        with pytest.raises(ConfigError) as caught:
            self.settings(change, folder=tmp_path)
        assert complaint in caught.value.reason
