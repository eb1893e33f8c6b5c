#!/usr/bin/env bash
# A corrected object stored in Orthanc under the UID that it had, by STOW-RS and by C-STORE.
# Guess: the second store replaces the first, or is refused, or warns (PS3.18 knows the status 202, PS3.7 the status 0x0111 for that).
# Seen: STOW-RS answers 200 and lists the object as stored, without a warning; C-STORE answers 0x0000. The old content stays.
# Why it surprises: whoever corrects a measurement is told twice that the correction is there, and readers see the old one.
set -euo pipefail
if [ "${1:-}" != inside ]; then
  command -v Orthanc >/dev/null || { echo "Debian 12: apt-get install orthanc orthanc-dicomweb"; exit 2; }
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 pynetdicom==3.0.4 dicomweb-client==0.61.2
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
from importlib.metadata import version

from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage
from pynetdicom import AE
from pynetdicom.presentation import build_context


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
uid = "1.2.826.0.1.1"
first, second = image("P1", uid), image("P1", uid)
for ds, comment in ((first, "12 mm"), (second, "21 mm, corrected")):
    ds.ImageComments = comment
    ds.preamble = bytes(128)
client.store_instances([first])
answer = client.store_instances([second])
failed = len(answer.get("FailedSOPSequence") or [])
stored = [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence]
association = AE().associate("127.0.0.1", 4242, contexts=[build_context(UltrasoundImageStorage, ExplicitVRLittleEndian)])
status = association.send_c_store(second).Status
association.release()
held = client.retrieve_instance(f"{uid}.1", f"{uid}.2", uid).ImageComments
orthanc = json.load(urllib.request.urlopen("http://127.0.0.1:8042/system"))["Version"]
print(f"Orthanc {orthanc}: STOW-RS lists {stored}, failed {failed}, "
      f"C-STORE 0x{status:04X}; held: {held!r}")
assert stored == [uid] and failed == 0 and status == 0 and held == "12 mm", "changed"
PY
