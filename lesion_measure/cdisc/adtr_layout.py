"""What ADTR holds: its parameters, its variables, and the dataset of them."""

from __future__ import annotations

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.dataset import Dataset, Origin, Rows, Variable, VariableType
from lesion_measure.cdisc.variables import DAY, STUDYID, USUBJID
from lesion_measure.records import Metric

LESION = {
    Metric.LONGEST_DIAMETER: ("LDIAM", "Longest Diameter (mm)"),
    Metric.SUM_OF_PRODUCTS: ("PPD", "Product of Perpendicular Diameters (mm2)"),
    Metric.VOLUME: ("VOLUME", "Volume (mL)"),
}
SUBJECT = {
    Metric.LONGEST_DIAMETER: ("MAXLDIAM", "Longest Diameter of the Lesion Largest at Baseline (mm)"),
    Metric.SUM_OF_DIAMETERS: ("SUMLDIAM", "Sum of Longest Diameters (mm)"),
    Metric.SUM_OF_PRODUCTS: ("SUMPPD", "Sum of Products of Perpendicular Diameters (mm2)"),
    Metric.VOLUME: ("SUMVOL", "Sum of Volumes (mL)"),
}
UNITS = {
    Metric.LONGEST_DIAMETER: "mm",
    Metric.SUM_OF_DIAMETERS: "mm",
    Metric.SUM_OF_PRODUCTS: "mm2",
    Metric.VOLUME: "mL",
}
LIVER_SIZE = {
    Metric.LONGEST_DIAMETER: ("LIVLDIAM", "Longest Diameter of the Liver (mm)"),
    Metric.SUM_OF_PRODUCTS: ("LIVPPD", "Product of the Liver's Diameters (mm2)"),
    Metric.VOLUME: ("LIVVOL", "Volume of the Liver (mL)"),
}
RESPONSE = ("OVRLRESP", "Overall Response by the Protocol's Rule")
BEST = ("BESTRESP", "Best Overall Response by the Protocol's Rule")

PARAMETERS = terms.Codelist(
    "Parameter code (ADTR)", "PARAMCD",
    terms=tuple(
        terms.own(code, name)
        for code, name in (*LESION.values(), *SUBJECT.values(), *LIVER_SIZE.values(), RESPONSE, BEST)
    ),
)  # fmt: skip
LEVELS = terms.Codelist(
    "Parameter category (ADTR)", "PARCAT1",
    terms=(
        terms.own("LESION", "One lesion"), terms.own("SUBJECT", "The subject as a whole"),
        terms.own("LIVER", "The liver itself"),
    ),
)  # fmt: skip

KEYS = ("STUDYID", "USUBJID", "PARAMCD", "TRLNKID", "BASETYPE", "AVISITN")
AT_BASELINE = "SIZE AT BASELINE"
VARIABLES = (
    STUDYID,
    USUBJID,
    Variable("ASEQ", "Analysis Sequence Number", VariableType.INTEGER, Origin.DERIVED),
    Variable("PARAMCD", "Parameter Code", codelist=PARAMETERS),
    Variable("PARAM", "Parameter"),
    Variable("PARCAT1", "Parameter Category 1", codelist=LEVELS),
    Variable("PARAMTYP", "Parameter Type", codelist=terms.PARAMETER_TYPES, comment="DERIVED for sums and verdicts"),
    Variable("TRLNKID", "Link ID", comment="TR.TRLNKID; empty for the subject as a whole"),
    Variable("AVISIT", "Analysis Visit", comment="VISIT in small letters; the number tells unscheduled ones apart"),
    Variable("AVISITN", "Analysis Visit (N)", VariableType.FLOAT, comment="VISITNUM of TR"),
    Variable("ADT", "Analysis Date", VariableType.DATE, Origin.DERIVED, "Date of the scan"),
    Variable("ADY", "Analysis Relative Day", VariableType.INTEGER, Origin.DERIVED, DAY),
    Variable("AVAL", "Analysis Value", VariableType.FLOAT, Origin.DERIVED,
             "TR.TRSTRESN, or what results.json compares"),
    Variable("AVALC", "Analysis Value (C)", origin=Origin.DERIVED, comment="RS.RSSTRESC for OVRLRESP",
             codelist=terms.RESPONSE_RESULTS),
    Variable("AVALSD", "SD of Measurement Error of AVAL", VariableType.FLOAT, Origin.DERIVED, "Unit of AVAL"),
    Variable("VOLMETH", "Volume Method", codelist=terms.VOLUME_METHOD_CODES,
             comment="Of both volumes of a change of one lesion or the liver; else of AVAL"),
    Variable("BASE", "Baseline Value", VariableType.FLOAT, Origin.DERIVED, "AVAL where ABLFL is Y, of its BASETYPE"),
    Variable("BASETYPE", "Baseline Type", origin=Origin.DERIVED,
             comment="First visit compared with this baseline, where visits are compared by other planes or methods"),
    Variable("CHG", "Change from Baseline", VariableType.FLOAT, Origin.DERIVED, "AVAL - BASE, as in results.json"),
    Variable("PCHG", "Percent Change from Baseline", VariableType.FLOAT, Origin.DERIVED, "100 (AVAL - BASE) / BASE"),
    Variable("PCHGLO", "Lower 95% Limit of PCHG, Meas. Error", VariableType.FLOAT, Origin.DERIVED,
             "Interval that measurement error alone gives PCHG; empty for a lesion stated to be absent"),
    Variable("PCHGHI", "Upper 95% Limit of PCHG, Meas. Error", VariableType.FLOAT, Origin.DERIVED, "As PCHGLO"),
    Variable("NADIR", "Smallest Value Before This Visit", VariableType.FLOAT, Origin.DERIVED,
             "Of the size that the rule looks at, baseline included"),
    Variable("PCHGNAD", "Percent Change from Nadir", VariableType.FLOAT, Origin.DERIVED, "100 (AVAL - NADIR) / NADIR"),
    Variable("CHGERRFL", "Change Exceeds Measurement Error Flag", origin=Origin.DERIVED, codelist=terms.YES_NO,
             comment="Y where the interval leaves out zero, or where there is none"),
    Variable("CHGREASN", "Reason No Change Is Given", origin=Origin.COLLECTED,
             comment="Code of the refusal in results.json; at visits after baseline"),
    Variable("ABLFL", "Baseline Record Flag", origin=Origin.DERIVED, comment="Y at the baseline visit",
             codelist=terms.YES_NO),
    Variable("ANL01FL", "Analysis Flag 01", origin=Origin.DERIVED, codelist=terms.YES_NO,
             comment="Y for the primary size of a subject that is not excluded, at baseline and the primary visit"),
    Variable("ANL02FL", "Analysis Flag 02", origin=Origin.DERIVED, codelist=terms.YES_NO,
             comment="Y for the overall response of a subject that is not excluded: the verdicts that are counted"),
    Variable("EXCLFL", "Excluded from the Analysis Flag", origin=Origin.COLLECTED, codelist=terms.YES_NO,
             comment="Y by the subjects table, the same in all records of a subject; empty where there was no table"),
    Variable("EXCLCRIT", "Exclusion Criteria Met", origin=Origin.COLLECTED,
             comment="The trial's criteria that the subjects table flags, separated by semicolons"),
    Variable("EXCLREAS", "Other Reason for Exclusion", origin=Origin.COLLECTED, comment="In the table's own words"),
    Variable("CRIT1", "Analysis Criterion 1", comment="Response by the rule of the run, and the limit of its size"),
    Variable("CRIT1FL", "Criterion 1 Evaluation Result Flag", origin=Origin.DERIVED, codelist=terms.YES_NO,
             comment="Y where the verdict is a response; only for the size that the rule looks at"),
    Variable("CRIT1CFL", "Criterion 1 Certain in Meas. Error Flag", origin=Origin.DERIVED, codelist=terms.YES_NO,
             comment="N where measurement error alone could change the verdict"),
    Variable("SRCDOM", "Source Data", comment="Domain of the value"),
    Variable("SRCVAR", "Source Variable", comment="Variable of the value"),
    Variable("SRCSEQ", "Source Sequence Number", VariableType.INTEGER, comment="TRSEQ or RSSEQ of the value"),
)  # fmt: skip


def analysis_dataset(rows: Rows) -> Dataset:
    """ADTR of these records."""
    return Dataset(
        name="ADTR",
        label="Tumor Results Analysis Dataset",
        standard=terms.ADAM,
        structure="One record per subject per parameter per lesion per analysis visit",
        keys=KEYS,
        variables=VARIABLES,
        rows=rows,
    )
