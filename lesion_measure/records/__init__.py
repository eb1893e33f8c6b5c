"""The records that travel from stage to stage: frozen, typed, unit-suffixed.

Conventions held everywhere:

- points are ``(row, column)`` with pixel centres at integer coordinates; spacing is ``(row_mm, column_mm)``;
- DICOM's ``(x, y)`` and 0-based region corners are turned into rows and columns once, in `studies.load`;
- frame numbers are 1-based, as in DICOM (PS3.3 C.7.6.6) and on every viewer's screen;
- what cannot be measured is a `Refusal`, never 0 or NaN.

::

    refusal       why there is no number; what keeps a verdict from being certain
    images        files, regions, images, studies, as their headers tell them; points and scan planes
    visits        which study is which visit
    calibration   millimetres per pixel
    quantity      a number and its error
    frames        what readers and the network draw on one frame, and how it looks
    origin        which DICOM object a caliper comes from
    drawn         what SR, PR and SEG objects hold of readers' drawings
    found         what is in an input: studies, objects, and why other files are neither
    measurement   one lesion on one frame, and at one visit; how it came by its name
    statuses      what became of it
    comparison    change, verdicts, the words of RECIST 1.1
    subject       the child and its disease: enrolment, targets, burden, entry criteria
    run           one child's and the whole run's results
"""

from lesion_measure.records.calibration import PRINTED_SCALE, RESCALED, SHALLOW, CalibratedRegion, Calibration
from lesion_measure.records.comparison import (
    Assessment,
    Change,
    Metric,
    Response,
    ResponseCourse,
    SecondaryVerdict,
    Status,
)
from lesion_measure.records.drawings import Drawing, Drawings, DrawnObject
from lesion_measure.records.found import StudyList, Unread
from lesion_measure.records.frames import (
    LIVER,
    Appearance,
    Axis,
    Caliper,
    CaliperPair,
    DrawnLesion,
    LesionMask,
    Look,
    MeasuredCaliper,
    PromptedOutline,
    StoredMask,
    is_liver,
    is_unnamed,
    shown_name,
    unnamed,
)
from lesion_measure.records.images import (
    SORTED_PLANES,
    UNSORTED_PLANES,
    Derivation,
    FileState,
    Image,
    Instance,
    Location,
    NamedVisit,
    OtherDates,
    Plane,
    Point,
    Point3,
    PrintedScale,
    Region,
    Spacing,
    StatedPlane,
    Study,
)
from lesion_measure.records.measurement import (
    CUT_OFF,
    Alternative,
    Body,
    LesionMeasurement,
    NamedBy,
    Naming,
    PlaneMeasurement,
    Source,
    VolumeEstimate,
    VolumeMethod,
    Way,
)
from lesion_measure.records.origin import ObjectKind, Origin
from lesion_measure.records.quantity import NORMAL_975, Quantity
from lesion_measure.records.refusal import NO_SCANS, Doubt, Refusal, Sight
from lesion_measure.records.run import Provenance, RunResult, Scan, SubjectResult
from lesion_measure.records.statuses import Fate, LesionGroup, LesionStatus
from lesion_measure.records.subject import (
    DAYS_PER_MONTH,
    EXCLUSIONS,
    Burden,
    Criterion,
    Disease,
    Enrolled,
    Form,
    Met,
    NonTarget,
    TargetChoice,
)
from lesion_measure.records.visits import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    TRIAL,
    UNDATED,
    ImageLabel,
    Schedule,
    SubjectVisits,
    TimePoint,
    in_words,
    is_undated,
    unscheduled_day,
    unscheduled_name,
)

__all__ = [
    "BASELINE",
    "CUT_OFF",
    "DAYS_PER_MONTH",
    "EXCLUSIONS",
    "LIVER",
    "NORMAL_975",
    "NO_SCANS",
    "ONE_MONTH",
    "PRINTED_SCALE",
    "RESCALED",
    "SCREENING",
    "SHALLOW",
    "SORTED_PLANES",
    "TRIAL",
    "UNDATED",
    "UNSORTED_PLANES",
    "Alternative",
    "Appearance",
    "Assessment",
    "Axis",
    "Body",
    "Burden",
    "CalibratedRegion",
    "Calibration",
    "Caliper",
    "CaliperPair",
    "Change",
    "Criterion",
    "Derivation",
    "Disease",
    "Doubt",
    "Drawing",
    "Drawings",
    "DrawnLesion",
    "DrawnObject",
    "Enrolled",
    "Fate",
    "FileState",
    "Form",
    "Image",
    "ImageLabel",
    "Instance",
    "LesionGroup",
    "LesionMask",
    "LesionMeasurement",
    "LesionStatus",
    "Location",
    "Look",
    "MeasuredCaliper",
    "Met",
    "Metric",
    "NamedBy",
    "NamedVisit",
    "Naming",
    "NonTarget",
    "ObjectKind",
    "Origin",
    "OtherDates",
    "Plane",
    "PlaneMeasurement",
    "Point",
    "Point3",
    "PrintedScale",
    "PromptedOutline",
    "Provenance",
    "Quantity",
    "Refusal",
    "Region",
    "Response",
    "ResponseCourse",
    "RunResult",
    "Scan",
    "Schedule",
    "SecondaryVerdict",
    "Sight",
    "Source",
    "Spacing",
    "StatedPlane",
    "Status",
    "StoredMask",
    "Study",
    "StudyList",
    "SubjectResult",
    "SubjectVisits",
    "TargetChoice",
    "TimePoint",
    "Unread",
    "VolumeEstimate",
    "VolumeMethod",
    "Way",
    "in_words",
    "is_liver",
    "is_undated",
    "is_unnamed",
    "shown_name",
    "unnamed",
    "unscheduled_day",
    "unscheduled_name",
]
