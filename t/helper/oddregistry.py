#!/usr/bin/env python3
"""A registry in memory that is right but unusual: oddregistry.py PORT LOG.

The first part of a repository's name says how; words are joined by "-":
  referrers   keeps lists of referrers, two on a page
  race        once loses an entry of the index under a referrers tag
  html        answers what it does not know with a page
  parts       takes parts of a blob, of 3000 bytes at least; a new Location
              each time, relative, and only the newest is good
  torn        keeps half of the second part, and the connection breaks
  busy        answers the second part with 503, having kept it
  short       keeps half of the second part and says so
  vague       says "Range: 0-0" of whatever it has
  lost        forgets the upload at the second part
  deaf        takes the first part only, and says all is well
  hang        reads 200000 bytes of the first upload, keeps them and stops
  tear        the same, and then the connection breaks
  wrong       keeps something else
  forget      keeps nothing
  limit       takes no request of more than 4000 bytes
  nameless    knows no repository that was not made before
  quota       has no room: 413 with the words of a registry
  fixed       tags cannot be moved: 409
  lacks       says of a manifest that a blob is unknown
Each request is a line of LOG: method, path, status, bytes of the body.
"""
import hashlib, http.server, itertools, json, re, socket, sys, threading, time
import urllib.parse

PORT, LOG = int(sys.argv[1]), open(sys.argv[2], "a", buffering=1)
INDEX = "application/vnd.oci.image.index.v1+json"
LOCK = threading.RLock()
BLOBS, MANIFESTS, UPLOADS, DONE = {}, {}, {}, set()
NUMBERS = itertools.count(1)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def once(*key):
    """True the first time."""
    if key in DONE:
        return False
    DONE.add(key)
    return True


def descriptor(kind, body):
    m = json.loads(body)
    d = {"mediaType": kind, "digest": digest_of(body), "size": len(body),
         "annotations": m.get("annotations", {})}
    if "artifactType" in m:
        d["artifactType"] = m["artifactType"]
    return d


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        LOG.write(f"{self.command} {self.path} {status} {len(self.body)}\n")

    def refuse(self, status, code, message="as told", detail=None, **headers):
        error = {"code": code, "message": message}
        if detail is not None:
            error["detail"] = detail
        self.answer(status, json.dumps({"errors": [error]}).encode(),
                    **headers)

    def unknown(self):
        if "html" in self.ways:
            self.answer(200, b"<html>welcome</html>",
                        Content_Type="text/html")
        else:
            self.refuse(404, "UNSUPPORTED")

    def manifest(self, name, what):
        key = (name, what)
        if self.command == "PUT":
            self.put_manifest(name, what)
        elif key not in MANIFESTS:
            self.refuse(404, "MANIFEST_UNKNOWN")
        else:
            kind, body = MANIFESTS[key]
            self.answer(200, body, Content_Type=kind,
                        Docker_Content_Digest=digest_of(body))

    def put_manifest(self, name, what):
        body, kind = self.body, self.headers["Content-Type"]
        m, headers = json.loads(body), {}
        if "fixed" in self.ways and (name, what) in MANIFESTS:
            return self.refuse(409, "TAG_INVALID", "tags are immutable")
        if "lacks" in self.ways:
            return self.refuse(404, "MANIFEST_BLOB_UNKNOWN",
                               "blob unknown to registry",
                               {"digest": m["config"]["digest"]})
        if "race" in self.ways and what.startswith("sha256-") and \
                once("race", name):
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                               "manifests": []}).encode()
        if "referrers" in self.ways and "subject" in m:
            headers["OCI-Subject"] = m["subject"]["digest"]
        MANIFESTS[name, what] = MANIFESTS[name, digest_of(body)] = kind, body
        self.answer(201, Location="/", **headers)

    def referrers(self, name, subject, query):
        if "referrers" not in self.ways:
            return self.unknown()
        start = int(query.get("last", "0"))
        found = [descriptor(k, b) for (n, d), (k, b) in MANIFESTS.items()
                 if n == name and d == digest_of(b) and
                 json.loads(b).get("subject", {}).get("digest") == subject]
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                           "manifests": found[start:start + 2]}).encode()
        headers = {"Content_Type": INDEX}
        if start + 2 < len(found):
            headers["Link"] = (f"</v2/{name}/referrers/{subject}"
                               f"?last={start + 2}>; rel=\"next\"")
        self.answer(200, body, **headers)

    def blob(self, name, digest):
        if digest not in BLOBS:
            return self.refuse(404, "BLOB_UNKNOWN")
        self.answer(200, BLOBS[digest])

    def place(self, name, upload):
        """Where the upload goes on: the newest only."""
        UPLOADS[upload]["token"] += 1
        token = UPLOADS[upload]["token"]
        return f"/v2/{name}/blobs/uploads/{upload}?token={token}"

    def upload(self, name, what, query):
        if self.command == "POST":
            what = str(next(NUMBERS))
            UPLOADS[what] = {"data": b"", "token": 0, "parts": 0}
            return self.answer(202, Location=self.place(name, what),
                               OCI_Chunk_Min_Length="3000")
        upload = UPLOADS.get(what)
        if not upload or int(query["token"]) != upload["token"]:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "PATCH":
            self.part(name, what, upload)
        elif self.command == "PUT":
            self.close(what, upload, query)
        elif self.command == "GET":
            self.answer(204, Location=self.place(name, what),
                        Range=self.range(upload))
        else:
            del UPLOADS[what]
            self.answer(204)

    def range(self, upload):
        if "vague" in self.ways:
            return "0-0"
        return f"0-{len(upload['data']) - 1}"

    def part(self, name, what, upload):
        if "parts" not in self.ways:
            return self.refuse(405, "UNSUPPORTED")
        first, last = map(int, self.headers["Content-Range"].split("-"))
        if last - first + 1 != len(self.body):
            return self.refuse(416, "RANGE_INVALID")
        upload["parts"] += 1
        second = upload["parts"] == 2
        if "deaf" in self.ways and upload["parts"] > 1:
            return self.answer(201, Location=self.place(name, what))
        if first != len(upload["data"]):
            return self.refuse(416, "RANGE_INVALID")
        if second and "lost" in self.ways and once("lost", name):
            del UPLOADS[what]
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        half = second and {"torn", "short"} & set(self.ways)
        upload["data"] += self.body[:len(self.body) // 2] if half \
            else self.body
        if second and "torn" in self.ways:
            LOG.write(f"{self.command} {self.path} torn\n")
            self.connection.close()
            self.close_connection = True
        elif second and "busy" in self.ways:
            self.refuse(503, "UNAVAILABLE")
        else:
            self.answer(202, Location=self.place(name, what),
                        Range=self.range(upload))

    def close(self, what, upload, query):
        data = upload["data"] + self.body
        if digest_of(data) != query["digest"]:
            return self.refuse(400, "DIGEST_INVALID")
        del UPLOADS[what]
        BLOBS[digest_of(data)] = data
        self.answer(201, Location="/")

    def cut_off(self, url):
        """Is this the upload that does not come to its end?"""
        if self.command not in ("PUT", "PATCH") or \
                not {"hang", "tear"} & set(self.ways) or \
                int(self.headers["Content-Length"] or 0) < 300000 or \
                not once("cut", *self.ways):
            return False
        kept = self.rfile.read(200000)
        what = url.path.split("/")[-1]
        with LOCK:
            if "wrong" in self.ways:
                kept = kept[::-1]
            UPLOADS[what]["data"] += kept
            if "forget" in self.ways:
                del UPLOADS[what]
            LOG.write(f"{self.command} {self.path} cut\n")
        if "hang" in self.ways:
            time.sleep(60)
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        return True

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.ways = url.path.split("/")[2].split("-")
        if self.cut_off(url):
            return
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        part = re.match(r"/v2/(.+)/(manifests|referrers|blobs/uploads|blobs)"
                        r"/([^/]*)$", url.path)
        with LOCK:
            if url.path == "/v2/":
                return self.answer(200)
            if not part:
                return self.unknown()
            if "nameless" in self.ways and part[2] != "blobs":
                return self.refuse(404, "NAME_UNKNOWN", "no such repository")
            if "limit" in self.ways and len(self.body) > 4000:
                return self.answer(413, b"<html>too large</html>")
            if "quota" in self.ways and self.body:
                return self.refuse(413, "QUOTA", "no room", "5 of 5 GB")
            name, kind, what = part.groups()
            if kind == "manifests":
                self.manifest(name, what)
            elif kind == "referrers":
                self.referrers(name, what, query)
            elif kind == "blobs":
                self.blob(name, what)
            else:
                self.upload(name, what, query)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
