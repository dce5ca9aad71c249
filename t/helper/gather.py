#!/usr/bin/python3
"""A registry of Features that answers those who come together.

usage: gather.py PORT LOG

It has ns/a to ns/h, of which a depends on x and y, and x on z. Each needs a
token of its own. A request waits until all of its kind and level are here,
three seconds at most. A line of LOG: KIND LEVEL met|alone, for each.
"""
import hashlib
import http.server
import io
import json
import sys
import tarfile
import threading

PORT, LOG = int(sys.argv[1]), sys.argv[2]
DEPENDS = {"a": ["x", "y"], "x": ["z"]}
LEVELS = ["abcdefgh", "xy", "z"]
LAYER = "application/vnd.devcontainers.layer.v1+tar"
BLOBS, MANIFESTS = {}, {}
LOCK = threading.Condition()
HERE = {}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def publish(name):
    meta = json.dumps({
        "id": name, "version": "1.0.0", "name": name,
        "dependsOn": {"127.0.0.1:%d/ns/%s" % (PORT, d): {}
                      for d in DEPENDS.get(name, [])}})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for file, text in (("devcontainer-feature.json", meta),
                           ("install.sh", "#!/bin/sh\necho %s >>/order\n"
                            % name)):
            info = tarfile.TarInfo("./" + file)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    data = out.getvalue()
    BLOBS[name, digest(data)] = data
    MANIFESTS[name] = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.devcontainers",
                   "digest": digest(b"{}"), "size": 2},
        "layers": [{"mediaType": LAYER, "digest": digest(data),
                    "size": len(data)}],
        "annotations": {"dev.containers.metadata": meta}}).encode()


def gather(kind, level, count):
    key = kind, level
    with LOCK:
        HERE[key] = HERE.get(key, 0) + 1
        LOCK.notify_all()
        met = LOCK.wait_for(lambda: HERE[key] >= count, 3)
        with open(LOG, "a", encoding="ascii") as log:
            print(kind, level, "met" if met else "alone", file=log)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, data, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        name = self.path.split("ns/")[1][0] if "ns/" in self.path else \
            self.path.split("ns%2F")[1][0]
        level = [name in names for names in LEVELS].index(True)
        count = len(LEVELS[level])
        if self.path.startswith("/token"):
            gather("token", level, count)
            self.answer(200, b'{"token": "%s"}' % name.encode())
        elif self.headers.get("Authorization") != "Bearer " + name:
            gather("challenge", level, count)
            self.answer(401, b"", WWW_Authenticate=(
                'Bearer realm="http://127.0.0.1:%d/token",'
                'service="x",scope="repository:ns/%s:pull"' % (PORT, name)))
        elif "/manifests/" in self.path:
            gather("manifest", level, count)
            self.answer(200, MANIFESTS[name], Content_Type=(
                "application/vnd.oci.image.manifest.v1+json"))
        else:
            gather("blob", 0, sum(map(len, LEVELS)))
            self.answer(200, BLOBS[name, self.path.rsplit("/", 1)[1]])


for names in LEVELS:
    for one in names:
        publish(one)
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
print("up", flush=True)
server.serve_forever()
