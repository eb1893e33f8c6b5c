#!/usr/bin/env bash
# A search by DICOMweb for a patient identifier with a blank, a caret or a wildcard: Orthanc's plugin, asked by dicomweb-client.
# Guess: the client encodes the value (RFC 3986), the server decodes it, and the study is found as C-FIND finds it.
# Seen: the server compares the encoded text. The answer is 200 and an empty list; the same address without encoding finds the study.
# Why it surprises: an empty list reads as 'there is no such study', and both sides are widely used together.
set -euo pipefail
if [ "${1:-}" != inside ]; then
  command -v Orthanc >/dev/null || { echo "Debian 12: apt-get install orthanc orthanc-dicomweb"; exit 2; }
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 dicomweb-client==0.61.2
  # Orthanc listens on every address: in a network of its own it is alone.
  unshare --net "$0" inside "$dir"
  exit
fi
cd "$2"
ip link set lo up
cat >orthanc.json <<'JSON'
{"StorageDirectory": "store", "IndexDirectory": "store", "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
 "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"], "DicomWeb": {"Enable": true, "Root": "/dicom-web/"}}
JSON
Orthanc orthanc.json >orthanc.log 2>&1 &
orthanc=$!
trap 'kill $orthanc; wait $orthanc || true' EXIT
for _ in $(seq 100); do grep -q "Orthanc has started" orthanc.log && break || sleep 0.2; done
venv/bin/python - <<'PY'
import json
import urllib.request

from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage


def image(patient, uid):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{uid}.1", f"{uid}.2"
    ds.PatientID, ds.PatientName, ds.StudyDate, ds.Modality = patient, "", "20240105", "US"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 64, 64, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = bytes(64 * 64)
    return ds


client = DICOMwebClient("http://127.0.0.1:8042/dicom-web")
ds = image("SITE^7", "1.2.826.0.1.1")
ds.preamble = bytes(128)
client.store_instances([ds])
plain = json.load(urllib.request.urlopen("http://127.0.0.1:8042/dicom-web/studies?PatientID=SITE*"))
found = {asked: len(client.search_for_studies(search_filters={"PatientID": asked})) for asked in ("SITE^7", "SITE*")}
everything = len(client.search_for_studies())
version = json.load(urllib.request.urlopen("http://127.0.0.1:8042/plugins/dicom-web"))["Version"]
print(f"Orthanc's DICOMweb plugin {version}: studies in all {everything}, by PatientID=SITE* as typed {len(plain)}, by dicomweb-client {found}")
assert everything == len(plain) == 1 and found == {"SITE^7": 0, "SITE*": 0}, "changed"
PY
