#!/usr/bin/env bash
# A compressed image fetched from Orthanc by C-GET, where the association offers its transfer syntax beside the uncompressed one.
# Guess: what is stored in RLE comes in RLE, since RLE is offered and accepted.
# Seen: offered in one presentation context, Orthanc takes the uncompressed syntax for all and decompresses; also where RLE is named first.
# Offered in a context each, the image comes as it is stored.
# Why it surprises: both associations offer the same pairs of class and syntax, and a lossy image would come with other pixels' bytes.
set -euo pipefail
if [ "${1:-}" != inside ]; then
  command -v Orthanc >/dev/null || { echo "Debian 12: apt-get install orthanc orthanc-dicomweb"; exit 2; }
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 pynetdicom==3.0.4
  # Orthanc listens on every address: in a network of its own it is alone.
  unshare --net "$0" inside "$dir"
  exit
fi
cd "$2"
ip link set lo up
cat >orthanc.json <<'JSON'
{"StorageDirectory": "store", "IndexDirectory": "store", "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "DicomAlwaysAllowGet": true,
 "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"], "DicomWeb": {"Enable": true, "Root": "/dicom-web/"}}
JSON
Orthanc orthanc.json >orthanc.log 2>&1 &
orthanc=$!
trap 'kill $orthanc; wait $orthanc || true' EXIT
for _ in $(seq 100); do grep -q "Orthanc has started" orthanc.log && break || sleep 0.2; done
venv/bin/python - <<'PY'
import json
import urllib.request
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, UltrasoundImageStorage
from pynetdicom import AE, build_role, evt
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


ds = image("P1", "1.2.826.0.1.1")
ds.compress(RLELossless, generate_instance_uid=False)
file = BytesIO()
ds.save_as(file, enforce_file_format=True)
request = urllib.request.Request("http://127.0.0.1:8042/instances", data=file.getvalue(), method="POST")
request.add_header("Content-Type", "application/dicom")
urllib.request.urlopen(request)
GET = "1.2.840.10008.5.1.4.1.2.2.3"


def got(contexts):
    syntaxes = []

    def keep(event):
        syntaxes.append(event.context.transfer_syntax)
        return 0

    association = AE().associate(
        "127.0.0.1", 4242, contexts=[build_context(GET), *contexts],
        ext_neg=[build_role(UltrasoundImageStorage, scp_role=True)], evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ds.StudyInstanceUID
    statuses = [f"0x{status.Status:04X}" for status, _ in association.send_c_get(asked, GET)]
    assert statuses[-1] == "0x0000", statuses
    association.release()
    return [syntax.name for syntax in syntaxes]


both = [RLELossless, ExplicitVRLittleEndian]
together = got([build_context(UltrasoundImageStorage, both)])
apart = got([build_context(UltrasoundImageStorage, syntax) for syntax in both])
version = json.load(urllib.request.urlopen("http://127.0.0.1:8042/system"))["Version"]
print(f"Orthanc {version}: stored in RLE; offered in one context: {together}; in a context each: {apart}")
assert together == ["Explicit VR Little Endian"] and apart == ["RLE Lossless"], "changed"
PY
