"""The viewer's files and the PACS behind one address, on loopback.

OHIF fetches palettes by addresses that Orthanc makes, and the browser allows it one origin: files come from the folder
of the npm package, and what begins with /dicom-web goes on to Orthanc.
"""

from __future__ import annotations

import http.client
import mimetypes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from orthanc import HTTP_PORT

PORT = 3000
_SETTINGS = """const ROOT = window.location.origin + '/dicom-web';  // addresses without origin break its list of images
window.config = {
  routerBasename: null, extensions: [], modes: [], showStudyList: true, customizationService: {},
  defaultDataSourceName: 'pacs', investigationalUseDialog: { option: 'never' },
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'pacs',
    configuration: {
      friendlyName: 'PACS', name: 'pacs', qidoRoot: ROOT, wadoRoot: ROOT, wadoUriRoot: ROOT,
      qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true, dicomUploadEnabled: true,
      omitQuotationForMultipartRequest: true, singlepart: 'bulkdata,video', bulkDataURI: { enabled: true },
    },
  }],
};
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def do_GET(self) -> None:
        """A file of the viewer, its settings, or the PACS's answer."""
        path = self.path.partition("?")[0]
        if path.startswith("/dicom-web"):
            self._pass_on()
        elif path == "/app-config.js":
            self._answer(200, "text/javascript", _SETTINGS.encode())
        else:
            wanted = (self.root / path.lstrip("/")).resolve()
            file = wanted if wanted.is_file() and wanted.is_relative_to(self.root) else self.root / "index.html"
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self._answer(200, kind, file.read_bytes())

    def do_POST(self) -> None:
        """What the viewer stores."""
        self._pass_on()

    def _pass_on(self) -> None:
        there = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=120)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {key: value for key, value in self.headers.items() if key in ("Accept", "Content-Type", "Host")}
        there.request(self.command, self.path, body or None, headers)
        answer = there.getresponse()
        data = answer.read()
        self._answer(answer.status, answer.headers.get("Content-Type", ""), data)
        there.close()

    def _answer(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Quiet."""


def serve(root: Path) -> ThreadingHTTPServer:
    """A server for the files in ``root``; it is bound in the network namespace of the calling thread."""
    handler = type("Handler", (_Handler,), {"root": root.resolve()})
    return ThreadingHTTPServer(("127.0.0.1", PORT), handler)
