# image.py - an image on disk as a flat tree and a configuration
# SPDX-License-Identifier: Apache-2.0
"""Reads OCI layouts and docker archives. Layers are applied in memory by the
rules of the OCI layer specification, so this tells whether a layer is right
without the help of any of the programs that are compared."""
import gzip
import hashlib
import json
import os
import tarfile
from dataclasses import dataclass, field

KINDS = {tarfile.REGTYPE: "-", tarfile.AREGTYPE: "-", tarfile.DIRTYPE: "d",
         tarfile.SYMTYPE: "l", tarfile.FIFOTYPE: "p", tarfile.CHRTYPE: "c",
         tarfile.BLKTYPE: "b"}
XATTR = "SCHILY.xattr."


@dataclass
class Node:
    """One inode; names that share it are hard links."""
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    what: str  # size and digest, link target, device
    xattrs: dict

    def show(self):
        extra = "".join(" %s=%r" % x for x in sorted(self.xattrs.items()))
        return "%s %04o %d:%d %s%s" % (self.kind, self.mode, self.uid,
                                       self.gid, self.what, extra)


@dataclass
class Image:
    config: dict
    tree: dict
    faults: list = field(default_factory=list)


def content(tar, info):
    data = tar.extractfile(info).read()
    return "%d %s" % (len(data), hashlib.sha256(data).hexdigest()[:16])


def node_of(tar, info):
    kind = KINDS.get(info.type, "?")
    what = ""
    if kind == "-":
        what = content(tar, info)
    elif kind == "l":
        what = "-> " + info.linkname
    elif kind in "cb":
        what = "%d,%d" % (info.devmajor, info.devminor)
    xattrs = {k[len(XATTR):]: v for k, v in info.pax_headers.items()
              if k.startswith(XATTR)}
    return Node(kind, info.mode & 0o7777, info.uid, info.gid,
                int(info.mtime), what, xattrs)


def read_layer(path):
    """[(name, node or the name it is a link to)]"""
    entries = []
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with tarfile.open(fileobj=gzip.open(raw) if packed else raw,
                          errors="surrogateescape") as tar:
            for info in tar:
                name = os.path.normpath("/" + info.name)[1:]
                entries.append((name, os.path.normpath(
                    "/" + info.linkname)[1:] if info.islnk()
                    else node_of(tar, info)))
    return entries


def layer(path, diff_id, opened={}):
    """The base's layer comes with every image."""
    if diff_id in opened:
        return opened[diff_id]
    entries = read_layer(path)
    if len(entries) > 200:
        opened[diff_id] = entries
    return entries


def remove(tree, path):
    """A path and all below it; was there anything?"""
    below = path + "/" if path else ""
    gone = [p for p in tree if p == path or p.startswith(below)]
    for p in gone:
        del tree[p]
    return bool(gone)


def below(tree, path):
    return [p for p in tree if p.startswith(path + "/" if path else "")]


def apply(tree, entries, faults):
    """Whiteouts hide what is below the layer, wherever they stand in it."""
    lower = dict(tree)
    seen = set()
    for name, node in entries:
        base = os.path.basename(name)
        up = os.path.dirname(name)
        if name in seen:
            faults.append("twice in a layer: " + name)
        seen.add(name)
        if up and up not in seen and base:
            faults.append("before its directory: " + name)
        if base == ".wh..wh..opq":
            for p in below(lower, up):
                tree.pop(p, None)
        elif base.startswith(".wh."):
            victim = os.path.join(up, base[4:])
            if victim not in lower:
                faults.append("whiteout of nothing: " + victim)
            remove(tree, victim)
    for name, node in entries:
        if os.path.basename(name).startswith(".wh."):
            continue
        if isinstance(node, str):
            if node not in tree:
                faults.append("link to nothing: %s -> %s" % (name, node))
                continue
            node = tree[node]
        old = tree.get(name)
        if old and old.kind == "d" and node.kind != "d":
            remove(tree, name)
        tree[name] = node


def parts(path):
    """Configuration and layer files of an OCI layout, a docker archive that
    is unpacked, or what containers/image calls a dir."""
    def read(name):
        with open(os.path.join(path, name), "rb") as f:
            return json.load(f)
    if os.path.exists(os.path.join(path, "index.json")):
        at = "blobs/sha256/"
        manifest = read(at + read("index.json")["manifests"][0]["digest"][7:])
    else:
        at, manifest = "", read("manifest.json")
    if isinstance(manifest, list):
        return read(manifest[0]["Config"]), manifest[0]["Layers"]
    return (read(at + manifest["config"]["digest"][7:]),
            [at + d["digest"][7:] for d in manifest["layers"]])


def load(path):
    config, layers = parts(path)
    image = Image(config, {})
    diff_ids = config["rootfs"]["diff_ids"]
    real = [h for h in config.get("history") or []
            if not h.get("empty_layer")]
    if not len(layers) == len(diff_ids) == len(real):
        image.faults.append("%d layers, %d diff_ids, %d in the history" % (
            len(layers), len(diff_ids), len(real)))
    for name, diff_id in zip(layers, diff_ids):
        apply(image.tree, layer(os.path.join(path, name), diff_id),
              image.faults)
    return image
