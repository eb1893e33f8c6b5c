"""Of what a report measures: a liver lesion, the liver itself, another structure, or nobody says.

Codes are many, private schemes are more: what decides is the meaning that stands beside each code, word by word. A
structure that is none of the liver's lesions never becomes a lesion's caliper, and what is named twice is in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum


class Structure(StrEnum):
    """What is measured."""

    LESION = "lesion"
    LIVER = "liver"
    OTHER = "other"
    UNSAID = "unsaid"


_LESION = frozenset(
    """
    lesion lesions les mass masses nodule nodules tumor tumors tumour tumours neoplasm neoplasms hemangioma hemangiomas
    haemangioma haemangiomas hemangioendothelioma haemangioendothelioma cyst cysts metastasis metastases adenoma
    carcinoma hcc hepatoblastoma fnh focus foci abscess hamartoma target
    """.split()  # noqa: SIM905
)
_LIVER = frozenset("liver hepatic hepar hepatis lobe segment intrahepatic".split())  # noqa: SIM905
_OTHER = frozenset(
    """
    kidney kidneys renal spleen splenic gallbladder pancreas pancreatic aorta aortic vein veins venous artery arteries
    arterial vessel vessels vascular vena cava ivc duct ducts ductus cbd chd bile biliary bladder ureter uterus uterine
    ovary ovaries ovarian follicle follicles endometrium endometrial myometrium cervix cervical fetal fetus foetal
    foetus gestational biparietal bpd femur humerus head thorax heart cardiac ventricle ventricular
    atrium atrial septum septal valve mitral tricuspid pulmonary lung lungs thyroid parathyroid isthmus prostate
    testis testes testicle testicular epididymis lymph node nodes breast adrenal appendix bowel intestine stomach
    esophagus oesophagus colon wall lumen stenosis plaque carotid vertebra vertebral spine spinal cord brain
    bone muscle tendon skull humeral femoral yolk sac amniotic placenta placental ascites pleural effusion trunk
    hip knee shoulder shunt graft catheter needle stent
    """.split()  # noqa: SIM905
)
_WORDS = re.compile(r"[^\W\d_]+")
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])")


def of_what(meanings: Iterable[str]) -> Structure:
    """What the meanings of findings, sites, headings and concepts speak of, taken together.

    >>> str(of_what(["Lesion", "Liver"])), str(of_what(["Mass", "Right kidney"])), str(of_what(["Length"]))
    ('lesion', 'other', 'unsaid')
    """
    words = {word for meaning in meanings for word in _WORDS.findall(_JOINT.sub(" ", meaning).casefold())}
    lesion, liver = bool(words & _LESION), bool(words & _LIVER)
    if words & _OTHER and not (lesion and liver):
        return Structure.OTHER
    if lesion:
        return Structure.LESION
    return Structure.LIVER if liver else Structure.UNSAID
