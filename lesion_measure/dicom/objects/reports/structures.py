"""Of what a report measures: a liver lesion, the liver itself, another structure, or nobody says.

Codes are many, private schemes are more, and some meanings are not English. So the meaning that stands beside a code
decides, word by word, and codes of anatomy are known besides. What is none of the liver's lesions never becomes a
lesion's caliper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from lesion_measure.dicom.objects.reports.tree import Code


class Structure(StrEnum):
    """What is measured."""

    LESION = "lesion"
    LIVER = "liver"
    OTHER = "other"
    UNSAID = "unsaid"


_LESION = frozenset(
    """
    lesion lesions mass masses nodule nodules tumor tumors tumour tumours neoplasm neoplasms hemangioma hemangiomas
    haemangioma haemangiomas hemangioendothelioma haemangioendothelioma cyst cysts metastasis metastases adenoma
    adenomas carcinoma hcc hepatoblastoma fnh abscess hamartoma
    """.split()  # noqa: SIM905
)
_LIVER = frozenset("liver hepatic hepar hepatis intrahepatic lobe lobes segment segments couinaud".split())  # noqa: SIM905
_OTHER = frozenset(
    """
    kidney kidneys renal spleen splenic gallbladder pancreas pancreatic aorta aortic vein veins vena cava ivc portal
    artery arteries vessel vessels duct ducts ductus cbd chd bile biliary bladder ureter urethra uterus uterine ovary
    ovaries ovarian follicle follicles endometrium endometrial myometrium cervix fetal fetus foetal foetus gestational
    biparietal bpd femur humerus heart cardiac ventricle ventricular atrium atrial septum septal valve mitral tricuspid
    pulmonary lung lungs thyroid parathyroid isthmus prostate testis testes testicle testicular epididymis lymph node
    nodes breast adrenal appendix bowel intestine stomach esophagus oesophagus colon rectum wall lumen stenosis plaque
    carotid vertebra vertebral spine spinal brain bone muscle tendon skull placenta placental amniotic yolk ascites
    pleura pleural effusion diaphragm catheter needle stent
    """.split()  # noqa: SIM905
)
_BESIDE = frozenset("left right l r upper lower the of a and".split())  # noqa: SIM905
# Anatomy in SNOMED CT that an examination of a child's abdomen measures besides; SRT codes say it by themselves.
_OTHER_CODES = frozenset(
    """
    64033007 9846003 18639004 78961009 28231008 15776009 15825003 7832008 32764006 8993003 76015000 79741001 28273000
    64131007 89837001 35039007 15497006 41216001 69748006 80891009 23451007 59441001 76752008 40689003 69695003
    30315005 71854001 66754008 39607008 12738006
    """.split()  # noqa: SIM905
)
_LIVER_CODES = frozenset(["10200004", "T-62000"])
_LESION_CODES = frozenset(["52988006", "4147007", "27925004", "108369006", "M-01100", "M-03000", "M-03010", "M-80000"])
_TOPOGRAPHY, _LIVER_TOPOGRAPHY, _REGIONS = "T-", "T-62", "T-D"
_WORD = re.compile(r"[^\W\d_]+")
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])")


def of_what(things: Iterable[Code], sites: Iterable[Code], label: str = "") -> Structure:
    """What findings, headings and concepts (``things``), finding sites and a reader's label speak of, together.

    A site names the place of a lesion, a thing is what was measured: so the liver as a site is no measurement of it.

    >>> lesion, liver = Code("52988006", "SCT", "Lesion"), Code("10200004", "SCT", "Liver")
    >>> [str(of_what(*each)) for each in (([lesion], [liver]), ([liver], []), ([], [liver]))]
    ['lesion', 'liver', 'unsaid']
    """
    what = set[str]().union(*(_words(code) for code in things))
    where = set[str]().union(*(_words(code) for code in sites))
    called = _words(Code(meaning=label))
    everything = what | where | called
    lesion, liver = bool(everything & _LESION), bool(everything & _LIVER)
    names_other = called & _OTHER and not called - _OTHER - _BESIDE
    if where & _OTHER or names_other or (everything & _OTHER and not (lesion and liver)):
        return Structure.OTHER
    if lesion:
        return Structure.LESION
    return Structure.LIVER if what & _LIVER else Structure.UNSAID


def names_lesion(text: str) -> bool:
    """Whether words speak of a lesion."""
    return bool(_words(Code(meaning=text)) & _LESION)


def _words(code: Code) -> set[str]:
    """The words of a code's meaning, and one for what the code itself is known to mean."""
    words = set(_WORD.findall(_JOINT.sub(" ", code.meaning).casefold()))
    scheme, value = code.key
    if value in _LESION_CODES:
        words.add("lesion")
    if scheme == "SRT" and value.startswith(_TOPOGRAPHY) and not value.startswith((_LIVER_TOPOGRAPHY, _REGIONS)):
        words.add("vessel")
    if scheme == "SCT" and value in _OTHER_CODES:
        words.add("vessel")
    if value in _LIVER_CODES:
        words.add("liver")
    return words
