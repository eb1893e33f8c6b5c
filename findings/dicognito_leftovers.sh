#!/usr/bin/env bash
# An ultrasound image through dicognito, "a tool for anonymizing DICOM files", as its README shows it.
# Guess: private elements, overlays and free text with the patient's name go, or are at least emptied.
# Seen: the private element, the comments, the study description and the overlay stay as they were, name and all. Names, identifiers,
# dates and UIDs in the elements made for them are replaced well, and the same way in each file.
# Why it surprises: the file looks anonymized in every viewer's corner texts, and a search for the old name finds it four times.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q dicognito==0.19.0 pydicom==3.0.2
cd "$dir"
venv/bin/python - <<'PY'
from importlib.metadata import version

from dicognito.anonymizer import Anonymizer
from pydicom import DataElement, Dataset
from pydicom.dataset import FileMetaDataset

image = Dataset()
image.file_meta = FileMetaDataset()
image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = "1.2.3"
image.SOPClassUID, image.StudyInstanceUID, image.Modality = "1.2.840.10008.5.1.4.1.1.6.1", "1.2", "US"
image.PatientName, image.PatientID, image.StudyDate = "Doe^Jane", "MRN-884422", "20240131"
image.PatientComments, image.StudyDescription = "Doe Jane, transferred", "Liver of Doe Jane"
image.private_block(0x0011, "MAKER", create=True).add_new(0x01, "LO", "Doe^Jane")
image.add(DataElement(0x60003000, "OW", b"Doe^Jane"))

Anonymizer(seed="any").anonymize(image)
left = [element.tag for element in image if "Doe" in str(element.value)]
print("dicognito", version("dicognito"))
print("name and identifier:", image.PatientName, image.PatientID, "| still with the name:", *left)
assert "Doe" not in str(image.PatientName), "changed"
assert len(left) == 4, "changed"
PY
