#!/usr/bin/env bash
# A cine fetched by C-GET over a slow line: which of pynetdicom's timeouts ends a transfer that goes on steadily?
# Guess: dimse_timeout is the longest silence, as timeouts of sockets are. While bytes come, nothing ends.
# Seen: the clock begins with the C-GET and runs until the whole object is there. An object of 1.2 MB that comes steadily, a piece every
# 0.05 s, is given up after dimse_timeout, however large network_timeout is. The line says nothing of a timeout but in the log: the
# generator of answers ends with an empty status, as it does when the archive fails.
# Why it surprises: the default of 30 s is ample for a silence, and too short for a cine of 600 MB from most archives. What is fetched
# depends on size and speed, and the same query works for stills.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 pynetdicom==3.0.4
cd "$dir"
cat >archive.py <<'PY'
"""An archive that gives one object of 1.2 MB, a piece of 16 KB every 0.05 s."""
import time
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, evt

CLASS = "1.2.840.10008.5.1.4.1.1.3.1"
ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
ds.SOPClassUID, ds.SOPInstanceUID = CLASS, "1.2.826.0.1.1"
ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = 100, 120, 100, 1
ds.PhotometricInterpretation, ds.BitsAllocated, ds.BitsStored = "MONOCHROME2", 8, 8
ds.HighBit, ds.PixelRepresentation, ds.PixelData = 7, 0, bytes(1_200_000)


def give(event):
    yield 1
    yield 0xFF00, ds


entity = AE(ae_title="ARCHIVE")
entity.add_supported_context("1.2.840.10008.5.1.4.1.2.2.3")
entity.add_supported_context(CLASS, ImplicitVRLittleEndian, scu_role=True, scp_role=True)
handlers = [(evt.EVT_C_GET, give), (evt.EVT_DATA_SENT, lambda event: time.sleep(0.05))]
server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
print(server.server_address[1], flush=True)
input()
server.shutdown()
PY
venv/bin/python - <<'PY'
import subprocess
import sys
import time
from importlib.metadata import version

from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt

CLASS, GET = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.2.2.3"
archive = subprocess.Popen([sys.executable, "archive.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = int(archive.stdout.readline())
wanted = Dataset()
wanted.QueryRetrieveLevel, wanted.SOPInstanceUID = "IMAGE", "1.2.826.0.1.1"
wanted.StudyInstanceUID, wanted.SeriesInstanceUID = "1.2.826.0.1.2", "1.2.826.0.1.3"


def fetch(dimse_timeout):
    """Whether the object came, the statuses, the longest silence and the whole time in seconds."""
    got, times = [], []
    entity = AE()
    entity.dimse_timeout, entity.network_timeout = dimse_timeout, 60
    entity.add_requested_context(GET)
    entity.add_requested_context(CLASS, ImplicitVRLittleEndian)
    handlers = [(evt.EVT_C_STORE, lambda event: got.append(1) or 0), (evt.EVT_DATA_RECV, lambda event: times.append(time.monotonic()))]
    association = entity.associate("127.0.0.1", port, ext_neg=[build_role(CLASS, scp_role=True)], evt_handlers=handlers)
    begun = time.monotonic()
    statuses = [hex(status.Status) if "Status" in status else "none" for status, _ in association.send_c_get(wanted, GET)]
    took = time.monotonic() - begun
    silence = max(b - a for a, b in zip(times, times[1:]))
    association.abort()
    return bool(got), statuses, silence, took


print(f"pynetdicom {version('pynetdicom')}")
short, long = fetch(2), fetch(60)
archive.communicate("\n")
for seconds, (came, statuses, silence, took) in ((2, short), (60, long)):
    print(f"dimse_timeout {seconds:2} s: object {'came' if came else 'did not come'}, statuses {statuses}, "
          f"longest silence {silence:.2f} s, ended after {took:.1f} s")
assert not short[0] and short[2] < 1 and 1.5 < short[3] < 3 and long[0], "changed"
PY
