#!/usr/bin/env bash
# A multipart answer that ends in the middle of its part, under a Content-Length that fits what was sent (a proxy, a server's disk).
# Guess: dicomweb-client raises, since the closing boundary is missing, or pydicom does, since PixelData is shorter than it says.
# Seen: retrieve_instance returns a Dataset with half of its PixelData, without an error and without a warning.
# Why it surprises: RFC 2046 ends a multipart body by '--boundary--', so that the cut is plain to see; the element's length is, too.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 dicomweb-client==0.61.2
cd "$dir"
venv/bin/python - <<'PY'
import io
import logging
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage

warnings.simplefilter("error", UserWarning)  # a warning would be a word
said = io.StringIO()
logging.basicConfig(stream=said, level=logging.WARNING)
ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID, ds.SOPInstanceUID = UltrasoundImageStorage, "1.2.826.0.1.3"
ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.2"
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 200, 300, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = bytes(200 * 300)
file = io.BytesIO()
ds.save_as(file, enforce_file_format=True)
body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file.getvalue() + b"\r\n--b--\r\n"
body = body[: len(body) // 2]


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
got = DICOMwebClient(f"http://127.0.0.1:{server.server_port}").retrieve_instance(
    "1.2.826.0.1.1", "1.2.826.0.1.2", "1.2.826.0.1.3"
)
server.shutdown()
print("dicomweb-client", version("dicomweb-client"), "gave", len(got.PixelData), "of", 200 * 300, "bytes of pixels; said:", said.getvalue() or "nothing")
assert 0 < len(got.PixelData) < 200 * 300 and not said.getvalue(), "changed"
PY
