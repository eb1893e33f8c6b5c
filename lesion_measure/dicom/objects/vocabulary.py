"""What the name of a label says: a lesion, something else, or nothing that is certain.

A name is split into words; words that say only which one it is (left, 2, roi, mask) do not count. The last word that
is left is what the label is: 'liver tumor' is a tumor and 'cystic duct' a duct. Of 'metastasis of the liver' the word
before 'of' is. A lesion's word elsewhere ('tumor vessel'), a denied one ('no lesion'), two things in one ('liver and
lesion') and a word that is not in the lists leave it open: then somebody has to say it.
"""

from __future__ import annotations

import re
from enum import Enum


class Meaning(Enum):
    """What a label stands for."""

    LESION = "lesion"
    OTHER = "no lesion"
    IGNORE = "not labelled"
    OPEN = "not known"


def words_in(text: str) -> frozenset[str]:
    """The words of a list that stands in the code as text."""
    return frozenset(text.split())


LESION_WORDS = words_in(
    """
    abscess abscesses adenocarcinoma adenoma angiosarcoma cancer carcinoma cholangiocarcinoma cyst fibroadenoma
    fibroma fnh gtv haemangioendothelioma haemangioma hamartoma hcc hemangioendothelioma hemangioma hepatoblastoma
    hyperplasia lesion lymphoma malignancy mass masses met metastases metastasis mets neoplasm nodule papilloma
    polyp sarcoma teratoma tumor tumour
    """
)
OTHER_WORDS = words_in(
    """
    abdomen adrenal annotation aorta artery artefact artifact background biliary bladder blood body bone bowel brain
    breast caliper catheter cava cecum chest colon diaphragm duct duodenum electrode esophagus fan fascia fat fetus
    fluid gallbladder gland head heart implant instrument intestine ivc kidney ligament liver lobe lung marker
    muscle needle nerve node organ ovary pancreas parenchyma pelvis phantom probe prostate rectum rib ruler scale
    sector shadow skin spine spleen stent stomach testis text thyroid trachea uterus vasculature vein vessel wall
    """
)
ADJECTIVES = words_in(
    """
    abdominal benign big capillary cavernous congenital cystic diffuse enhancing focal hepatic hepatocellular
    hyperechoic hypoechoic infantile isoechoic indeterminate large malignant multifocal multiple nodular primary
    secondary simple small solid solitary suspected suspicious target unknown whole
    """
)
LABELLING = words_in(
    """
    area background core gt label labels left manual mask object other reader region right roi segment segmentation
    the tissue class structure part anatomical
    """
)
_ALONE = frozenset({"benign", "malignant"})
_DENIALS = words_in("free healthy minus no non normal not outside sans un unaffected without")
_OF = words_in("of in within inside")
_OF_THE_LIVER = words_in("liver lobe")
_IGNORED = frozenset({"ignore", "ignored", "void", "unlabeled", "unlabelled", "dontcare"})


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, 'LiverTumor_2' being liver and tumor; plurals as the lists have them."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [_singular(word) for word in re.findall(r"[^\W\d_]+", spaced.lower())]


def meaning_of(name: str) -> Meaning:
    """What a label of this name stands for; code lists turn names round, as in 'Neoplasm, Primary'."""
    words = words_of(" ".join(reversed(name.split(","))))
    if words and all(word in _IGNORED for word in words):
        return Meaning.IGNORE
    if words == ["background"]:
        return Meaning.OTHER
    told = [word for word in words if word not in LABELLING and len(word) > 1]
    if any(word in _OF for word in told):
        told = told[: next(place for place, word in enumerate(told) if word in _OF)]
    if not told:
        return Meaning.OPEN
    *before, head = told
    denied = any(word in _DENIALS for word in told)
    if head in LESION_WORDS or (head in _ALONE and not before):
        known = all(word in LESION_WORDS | OTHER_WORDS | ADJECTIVES for word in before)
        return Meaning.LESION if known and not denied else Meaning.OPEN
    if head in OTHER_WORDS:
        diseased = any(word in LESION_WORDS or word in _ALONE for word in before)
        return Meaning.OTHER if denied or not diseased else Meaning.OPEN
    return Meaning.OPEN


def denies(name: str) -> bool:
    """Whether a label denies what it names, or names something beside the liver: ``no lesion``, ``tumour vessel``."""
    return bool(set(words_of(name)) & (_DENIALS | OTHER_WORDS - _OF_THE_LIVER))


def _singular(word: str) -> str:
    if word in LESION_WORDS | OTHER_WORDS or not word.endswith("s"):
        return word
    for shorter in (word[:-1], word[:-2], f"{word[:-3]}y"):
        if shorter in LESION_WORDS | OTHER_WORDS | LABELLING:
            return shorter
    return word
