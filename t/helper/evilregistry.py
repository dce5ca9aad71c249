#!/usr/bin/env python3
"""A registry of hostile images: evilregistry.py PORT OUTSIDE."""
import hashlib, http.server, io, json, sys, tarfile

PORT, OUTSIDE = int(sys.argv[1]), sys.argv[2]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BLOBS, IMAGES = {}, {}


def blob(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    BLOBS[digest] = data
    return digest


def layer(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data, extra in entries:
            info = tarfile.TarInfo(name)
            for key, value in extra.items():
                setattr(info, key, value)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    return name, b"", {"type": kind, "linkname": target}


def image(name, *tars, config=None, diff_ids=None, change=None):
    diff_ids = diff_ids or ["sha256:" + hashlib.sha256(t).hexdigest()
                            for t in tars]
    conf = json.dumps({
        "architecture": "amd64", "os": "linux", "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    manifest = {
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                   "digest": blob(conf), "size": len(conf)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": blob(t), "size": len(t)} for t in tars]}
    if change:
        change(manifest)
    IMAGES[name] = json.dumps(manifest).encode()


def file(name, data=b"x"):
    return name, data, {}


OK = layer(file("f"))
image("ok", OK)
image("hardlink", layer(link("h", OUTSIDE + "/secret", tarfile.LNKTYPE)))
image("through", layer(link("d", OUTSIDE)), layer(file("d/in")))
image("same", layer(link("d", OUTSIDE), file("d/in")))
image("dots", layer(file("../" * 30 + OUTSIDE + "/in")))
image("whiteout", layer(link("d", OUTSIDE)), layer(file("d/.wh.secret", b"")))
image("upwards", layer(file("a/.wh...", b"")))
image("device", layer(("disk", b"", {"type": tarfile.BLKTYPE,
                                     "devmajor": 254, "devminor": 0})))
image("etc", layer(link("etc", OUTSIDE)))
image("passwd", layer(link("etc/passwd", OUTSIDE + "/secret")))
image("volumes", OK, config={"Volumes": {"/../.." + OUTSIDE: {}, "/": {},
                                         "/proc/1/root": {}}})
image("workdir", OK, config={"WorkingDir": "/../.." + OUTSIDE})
image("environment", OK, config={"Env": [f"V{i}=x" for i in range(200000)]})
image("labels", OK, config={"Labels": {f"k{i}": "" for i in range(50000)}})
image("diffid", OK, diff_ids=["sha256:" + "1" * 64])
image("nodiffid", OK, diff_ids=["../../x"])
image("counts", OK, diff_ids=["sha256:" + "1" * 64] * 3)
image("garbage", b"\x1f\x8b\x08 this is no gzip")
image("both", OK, change=lambda m: m.update(manifests=[]))
image("type", OK, change=lambda m: m.update(mediaType=INDEX))
image("digest", OK, change=lambda m: m["config"].update(digest="sha256:../x"))
image("algorithm", OK,
      change=lambda m: m["layers"][0].update(digest="md5:" + "0" * 32))
image("size", OK, change=lambda m: m["layers"][0].update(size=-1))
image("huge", OK, change=lambda m: m["layers"][0].update(size=1 << 62))
image("configsize", OK, change=lambda m: m["config"].update(size=1 << 40))
IMAGES["deep"] = b"[" * 100000
IMAGES["empty"] = b""
IMAGES["null"] = b"null"
IMAGES["nul"] = IMAGES["ok"].replace(b"schema", b"sch\0ema")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        part = self.path.split("/")
        body, kind = None, "application/octet-stream"
        if len(part) == 3:
            body = b"{}"
        elif part[-2] == "manifests":
            body, kind = IMAGES.get(part[2]), MANIFEST
        elif part[-2] == "blobs":
            body = BLOBS.get(part[-1])
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


if PORT == 0:
    print(" ".join(sorted(IMAGES)))
else:
    http.server.ThreadingHTTPServer(("127.0.0.1", PORT),
                                    Handler).serve_forever()
