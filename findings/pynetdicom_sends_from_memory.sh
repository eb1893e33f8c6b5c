#!/usr/bin/env bash
# A long cine sent from its file: pynetdicom's STORE_SEND_CHUNKED_DATASET, whose purpose is not to have a data set in memory.
# Guess: send_c_store(path) reads a piece, sends it, and needs no more memory for a large file than for a small one.
# Seen: it reads the file as fast as the disk gives it, and queues what is not sent yet. A receiver that takes 20 MB a second (most
# archives are slower than a disk) leaves nearly the whole file in the memory of the sender.
# Why it surprises: the data set is read in chunks, and all the chunks are kept.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 pynetdicom==3.0.4
cd "$dir"
cat >receive.py <<'PY'
"""An archive that takes 20 MB a second."""
import time
from pynetdicom import AE, _config, evt

_config.STORE_RECV_CHUNKED_DATASET = True
entity = AE(ae_title="ARCHIVE")
entity.add_supported_context("1.2.840.10008.5.1.4.1.1.3.1")
entity.maximum_pdu_size = 1 << 17
handlers = [(evt.EVT_DATA_RECV, lambda event: time.sleep(len(event.data) / 20e6)), (evt.EVT_C_STORE, lambda event: 0)]
server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
print(server.server_address[1], flush=True)
input()
server.shutdown()
PY
venv/bin/python - <<'PY'
import resource
import subprocess
import sys
from importlib.metadata import version

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, _config
from pynetdicom.presentation import build_context

size = 200_000_000
ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.1"
ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = 500, 400, 1000, 1
ds.PhotometricInterpretation, ds.BitsAllocated, ds.BitsStored = "MONOCHROME2", 8, 8
ds.HighBit, ds.PixelRepresentation = 7, 0
dcmwrite("cine.dcm", ds, enforce_file_format=True)
with open("cine.dcm", "ab") as file:
    file.write(b"\xe0\x7f\x10\x00OB\0\0" + size.to_bytes(4, "little"))
    for _ in range(1000):
        file.write(bytes(200_000))

_config.STORE_SEND_CHUNKED_DATASET = True
archive = subprocess.Popen([sys.executable, "receive.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = int(archive.stdout.readline())
entity = AE()
entity.dimse_timeout = 120
context = build_context(ds.SOPClassUID, ExplicitVRLittleEndian)
association = entity.associate("127.0.0.1", port, contexts=[context], max_pdu=1 << 17)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
status = association.send_c_store("cine.dcm").Status
more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 - before
association.release()
archive.communicate("\n")
print(f"pynetdicom {version('pynetdicom')}: a file of {size / 1e6:.0f} MB, status {status}, took {more:.0f} MB more memory")
assert status == 0 and more > 100, "changed"
PY
