#!/usr/bin/env bash
# FastAPI 0.165 tells OpenTelemetry every unhandled error, message and all.
# Guess: telemetry of a FastAPI application takes an instrumentation package, and without one nothing leaves the process.
# Seen: it is built in and on. Where the process has a logger provider, or FASTAPI_OTEL_AUTO_CONFIGURE=true is in the environment
# of a host that has the SDK, a KeyError of a patient's name is told with the name. FastAPI(telemetry={...: False}) ends it.
# Why it surprises: no line of the application asks for it, and messages of errors may quote what a file or a person says.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q fastapi==0.165.0 opentelemetry-api==1.45.2
"$dir/venv/bin/python" - <<'PY'
import asyncio

import fastapi
from fastapi import FastAPI
from opentelemetry import _logs

told = []


class Logger(_logs.Logger):
    def enabled(self, *_, **__):
        return True

    def emit(self, *record, **more):
        told.append(str(more or record))


class Provider(_logs.LoggerProvider):
    def get_logger(self, name, *_, **__):
        return Logger(name)


_logs.set_logger_provider(Provider())


async def silent(*_):
    return {"type": "http.request", "body": b"", "more_body": False}


def leaks(app):
    @app.get("/")
    def broken():
        raise KeyError("Doe^Jane")

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "http_version": "1.1",
             "scheme": "http", "server": ("a", 1), "client": ("b", 2), "root_path": ""}
    told.clear()
    try:
        asyncio.run(app(scope, silent, silent))
    except KeyError:
        pass
    return "Doe^Jane" in "".join(told)


off = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)
seen = {"as it is": leaks(FastAPI()), "switched off": leaks(FastAPI(telemetry=off))}
print("fastapi", fastapi.__version__, "the name is told:", seen)
assert seen == {"as it is": True, "switched off": False}, "changed"
PY
