#!/usr/bin/env bash
# A web server on asyncio (uvicorn) that is given a socket which listens already, to know its port before it starts.
# Guess: an answer of some hundred bytes takes a millisecond on the loopback, as it does where uvicorn binds the port itself.
# Seen: 40 ms, from the second answer of a connection on. asyncio sets TCP_NODELAY only on sockets whose `proto` is IPPROTO_TCP;
# `socket.socket(AF_INET, SOCK_STREAM)` has 0 there, and so has every connection that it accepts. Head and body of an answer are two
# small writes, so the second waits until the client acknowledges the first, which it puts off.
# Why it surprises: both sockets are TCP, and nothing else tells them apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q uvicorn==0.54.0
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
import http.client
import socket
import statistics
import sys
import threading
import time
from importlib.metadata import version

import uvicorn


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def median_ms(proto):
    """Milliseconds of an answer on a connection that stays open."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    client, took = http.client.HTTPConnection(*bound.getsockname()), []
    for _ in range(15):
        begun = time.perf_counter()
        client.request("GET", "/")
        client.getresponse().read()
        took.append(1000 * (time.perf_counter() - begun))
    client.close()
    server.should_exit = True
    thread.join()
    return statistics.median(took)


plain, told = median_ms(0), median_ms(socket.IPPROTO_TCP)
print(f"Python {sys.version.split()[0]}, uvicorn {version('uvicorn')}: {plain:.1f} ms by socket(AF_INET, SOCK_STREAM), "
      f"{told:.1f} ms with IPPROTO_TCP")
assert plain > 30 > 3 * told, "changed"
PY
