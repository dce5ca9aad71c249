#!/usr/bin/python3
# feature.py - publish a Dev Container Feature in a registry on loopback
#
#   feature.py HOST PATH TAG[,TAG...] ARCHIVE METADATA|- [KEY=VALUE...]
#
# METADATA becomes the annotation of the manifest; without one ("-") it is
# only in the archive. KEY=VALUE: config=TYPE and layer=TYPE are other media
# types, size=N lies about the size of the archive. The digest of the manifest
# is printed. $FEATURE_AUTH is USER:PASSWORD where they are asked for.
import base64
import hashlib
import http.client
import json
import os
import sys


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def call(host, method, path, body=None, headers=None):
    c = http.client.HTTPConnection(host)
    headers = dict(headers or {})
    if "FEATURE_AUTH" in os.environ:
        headers["Authorization"] = "Basic " + base64.b64encode(
            os.environ["FEATURE_AUTH"].encode()).decode()
    c.request(method, path, body, headers)
    r = c.getresponse()
    r.read()
    if r.status >= 300:
        sys.exit("%s %s: %d" % (method, path, r.status))
    return r


def put_blob(host, path, data):
    r = call(host, "POST", "/v2/%s/blobs/uploads/" % path)
    where = r.getheader("Location")
    if where.startswith("http"):
        where = "/" + where.split("/", 3)[3]
    call(host, "PUT", where + ("&" if "?" in where else "?") + "digest=" +
         digest(data), data, {"Content-Type": "application/octet-stream"})


def main():
    host, path, tags, archive, metadata = sys.argv[1:6]
    more = dict(a.split("=", 1) for a in sys.argv[6:])
    data = open(archive, "rb").read()
    for blob in b"{}", data:
        put_blob(host, path, blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": more.get("config", "application/vnd.devcontainers"),
            "digest": digest(b"{}"), "size": 2},
        "layers": [{
            "mediaType": more.get(
                "layer", "application/vnd.devcontainers.layer.v1+tar"),
            "digest": digest(data), "size": int(more.get("size", len(data))),
            "annotations": {
                "org.opencontainers.image.title":
                "devcontainer-feature-%s.tgz" % path.split("/")[-1]}}]}
    if metadata != "-":
        manifest["annotations"] = {
            "dev.containers.metadata": open(metadata).read()}
    body = json.dumps(manifest).encode()
    for tag in tags.split(","):
        call(host, "PUT", "/v2/%s/manifests/%s" % (path, tag), body,
             {"Content-Type": manifest["mediaType"]})
    print(digest(body))


main()
