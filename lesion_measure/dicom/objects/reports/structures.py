"""Of what a report measures: a liver lesion, the liver itself, another structure, or nobody says.

Codes are many, private schemes are more, and some meanings are not English. So the meaning that stands beside a code
decides, word by word, and codes of anatomy are known besides. What is none of the liver's lesions never becomes a
lesion's caliper.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from lesion_measure.dicom.objects.reports.tree import Code
from lesion_measure.dicom.objects.vocabulary import LESION_WORDS, OTHER_WORDS, words_in, words_of


class Structure(StrEnum):
    """What is measured."""

    LESION = "lesion"
    LIVER = "liver"
    OTHER = "other"
    UNSAID = "unsaid"


_LIVER = words_in("liver hepatic hepar hepatis intrahepatic lobe segment segments couinaud")
# Words of labels that say nothing of where a length was taken.
_NEUTRAL = words_in(
    """
    abdomen annotation artefact artifact background body caliper implant instrument liver lobe marker parenchyma pelvis
    phantom probe ruler scale sector shadow text
    """
)
_OTHER = (OTHER_WORDS - _NEUTRAL) | words_in(
    """
    renal splenic pancreatic aortic veins vena portal arteries ducts ductus cbd chd bile ureter urethra uterine ovaries
    ovarian follicle follicles endometrium endometrial myometrium cervix fetal foetal foetus gestational biparietal bpd
    femur humerus cardiac ventricle ventricular atrium atrial septum septal valve mitral tricuspid pulmonary parathyroid
    isthmus testes testicle testicular epididymis lymph appendix oesophagus lumen stenosis plaque carotid vertebra
    vertebral spinal tendon skull placenta placental amniotic yolk ascites pleura pleural effusion prostatic gastric
    """
)
_BESIDE = words_in("left right l r upper lower the of a and")
# Anatomy in SNOMED CT that an examination of a child's abdomen measures besides; SRT codes say it by themselves.
_OTHER_CODES = words_in(
    """
    64033007 9846003 18639004 78961009 28231008 15776009 15825003 7832008 32764006 8993003 76015000 79741001 28273000
    64131007 89837001 35039007 15497006 41216001 69748006 80891009 23451007 59441001 76752008 40689003 69695003
    30315005 71854001 66754008 39607008 12738006
    """
)
_LIVER_CODES = words_in("10200004 T-62000")
_LESION_CODES = words_in("52988006 4147007 27925004 108369006 M-01100 M-03000 M-03010 M-80000")
_TOPOGRAPHY, _LIVER_TOPOGRAPHY, _REGIONS = "T-", "T-62", "T-D"


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
    lesion, liver = bool(everything & LESION_WORDS), bool(everything & _LIVER)
    names_other = called & _OTHER and not called - _OTHER - _BESIDE
    if where & _OTHER or names_other or (everything & _OTHER and not (lesion and liver)):
        return Structure.OTHER
    if lesion:
        return Structure.LESION
    return Structure.LIVER if what & _LIVER else Structure.UNSAID


def names_lesion(text: str) -> bool:
    """Whether words speak of a lesion."""
    return bool(_words(Code(meaning=text)) & LESION_WORDS)


def _words(code: Code) -> set[str]:
    """The words of a code's meaning, and one for what the code itself is known to mean."""
    words = set(words_of(code.meaning))
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
