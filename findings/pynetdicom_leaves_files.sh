#!/usr/bin/env bash
# A receiving node that keeps objects out of its memory (pynetdicom, STORE_RECV_CHUNKED_DATASET), and a sender that gives up in the middle.
# Guess: the temporary file of the object that was coming in goes with its association; the one of a whole object goes after the handler.
# Seen: the latter does. The file of an unfinished object stays in the temporary folder, also after the server is shut down.
# Why it surprises: pynetdicom makes and removes those files itself, and no handler is told of one that is unfinished.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 pynetdicom==3.0.4
cd "$dir"
mkdir incoming
TMPDIR="$dir/incoming" venv/bin/python - <<'PY'
import os
import time
from importlib.metadata import version
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.presentation import build_context

_config.STORE_RECV_CHUNKED_DATASET = True
node = AE(ae_title="NODE")
node.add_supported_context("1.2.840.10008.5.1.4.1.1.6.1")
server = node.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda event: 0)])

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.826.0.1.1"
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 2000, 2000, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = bytes(4_000_000)


def send(most=None):
    """C-STORE; aborts after so many messages of the upper layer."""
    association = AE().associate(
        "127.0.0.1", server.server_address[1], contexts=[build_context(ds.SOPClassUID, ExplicitVRLittleEndian)]
    )
    sent = 0
    put = association.dul.send_pdu

    def counted(primitive):
        nonlocal sent
        sent += 1
        if most is None or sent < most:
            put(primitive)
        elif sent == most:
            association.abort()

    association.dul.send_pdu = counted
    status = association.send_c_store(ds)
    if association.is_established:
        association.release()
    return status.get("Status")


whole = send()
time.sleep(1)
after_whole = os.listdir("incoming")
send(most=100)
time.sleep(2)
server.shutdown()
time.sleep(1)
after_half = [os.path.getsize(f"incoming/{name}") for name in os.listdir("incoming")]
print(f"pynetdicom {version('pynetdicom')}: files left by a whole object (status {whole}): {len(after_whole)}; "
      f"by an unfinished one: {len(after_half)} of {after_half} bytes")
assert whole == 0 and not after_whole and len(after_half) == 1 and 0 < after_half[0] < 4_000_000, "changed"
PY
