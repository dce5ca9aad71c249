# context.py - files of a build context, written to disk
# SPDX-License-Identifier: Apache-2.0
import bz2
import gzip
import io
import lzma
import os
import tarfile
from dataclasses import dataclass, field

COMPRESS = {"": lambda b: b, "gz": lambda b: gzip.compress(b, mtime=0),
            "bz2": bz2.compress, "xz": lzma.compress}


@dataclass
class File:
    """`kind` is that of a directory listing, or h: a further name of the
    file that `data` names, t: an archive of `members`, compressed as `data`
    says."""
    path: str
    kind: str
    mode: int
    data: object
    mtime: int
    xattrs: dict = field(default_factory=dict)
    members: list = field(default_factory=list)
    owner: tuple = (0, 0)


def tar_member(f):
    info = tarfile.TarInfo(f.path)
    info.mode, info.mtime = f.mode, f.mtime
    info.uid, info.gid = f.owner
    if f.kind == "-":
        info.size = len(f.data)
    elif f.kind == "d":
        info.type = tarfile.DIRTYPE
    else:
        info.type = tarfile.SYMTYPE if f.kind == "l" else tarfile.LNKTYPE
        info.linkname = f.data.decode()
    return info


def archive(f):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for m in f.members:
            tar.addfile(tar_member(m), io.BytesIO(m.data)
                        if m.kind == "-" else None)
    return COMPRESS[f.data](out.getvalue())


def write_one(top, f):
    at = os.path.join(top, f.path)
    os.makedirs(os.path.dirname(at), exist_ok=True)
    if f.kind == "d":
        os.makedirs(at, exist_ok=True)
    elif f.kind == "l":
        os.symlink(f.data, at.encode())
        os.utime(at, (f.mtime, f.mtime), follow_symlinks=False)
    elif f.kind == "h":
        target = os.path.join(top, f.data.decode())
        if os.path.exists(target):
            os.link(target, at)
    else:
        with open(at, "wb") as out:
            out.write(archive(f) if f.kind == "t" else f.data)
        for name, value in f.xattrs.items():
            os.setxattr(at, name, value)
        os.chmod(at, f.mode)
        os.utime(at, (f.mtime, f.mtime))


def write(top, files):
    """Directories get their modes and times when all is in them."""
    for f in sorted(files, key=lambda f: f.kind == "h"):
        write_one(top, f)
    for f in sorted(files, key=lambda f: f.path, reverse=True):
        if f.kind == "d":
            at = os.path.join(top, f.path)
            os.chmod(at, f.mode)
            os.utime(at, (f.mtime, f.mtime))
