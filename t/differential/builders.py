# builders.py - the programs that are compared
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

import context
import image

LIMIT = 120  # seconds; no case takes ten


def sh(*argv, **kw):
    """(status, what it said); a builder that hangs is ended."""
    p = subprocess.run(["timeout", "-k", "5", str(LIMIT), *argv],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, **kw)
    return p.returncode, p.stdout.decode(errors="replace")


@contextmanager
def scratch(parent):
    path = tempfile.mkdtemp(dir=parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write(case, top):
    """The case as a directory that anybody can build."""
    context.write(top, case.all_files())
    for name, peer in (("Dockerfile", False), ("Dockerfile.peer", True)):
        with open(os.path.join(top, name), "w") as f:
            f.write(case.text(peer))
    if case.ignore:
        with open(os.path.join(top, ".dockerignore"), "w") as f:
            f.write("".join(line + "\n" for line in case.ignore))
            f.write("!.peer/**\n")


class Builder:
    """`lacks` is what it cannot build; `peer` that heredocs are such."""
    lacks = frozenset()
    peer = False

    def __init__(self, tmp, base):
        self.tmp, self.base = tmp, base

    def adapt(self, case):
        return case


class Devenv(Builder):
    name = "devenv"

    def __init__(self, tmp, base):
        super().__init__(tmp, base)
        self.store = os.path.join(tmp, "store")

    def command(self, store, verb, *words):
        return [os.environ["DEVENV"], "--store", store, verb, "-q", *words]

    def words(self, ctx, options, out):
        """All that `build` is given."""
        return ["--build-arg=BASE=" + self.base, *options,
                "--output=type=oci,tar=false,dest=" + out, ctx]

    def build(self, ctx, options, out):
        return sh(*self.command(self.store, "build",
                                *self.words(ctx, options, out)))


class Buildah(Builder):
    name = "buildah"
    peer = True
    lacks = frozenset({"newer", "arguments of a stage"})

    def __init__(self, tmp, base):
        super().__init__(tmp, base)
        self.run = ["buildah", "--storage-driver", "overlay", "--root",
                    tmp + "/peer/root", "--runroot", tmp + "/peer/run"]

    def build(self, ctx, options, out):
        status, text = sh(
            *self.run, "bud", "--isolation", "chroot",
            "--tls-verify=false", "--format", "docker", "-q",
            "--identity-label=false", "-t", "case", "-f",
            ctx + "/Dockerfile.peer", "--build-arg=BASE=" + self.base,
            *options, ctx)
        if status == 0:
            status, text = sh(*self.run, "push", "-q", "case", "dir:" + out)
            sh(*self.run, "rmi", "-f", "case")
        return status, text


class Docker(Builder):
    name = "docker"
    peer = True
    lacks = frozenset({"chmod", "newer"})

    def build(self, ctx, options, out):
        status, text = sh(
            "docker", "build", "--network=host", "-q", "-t", "case", "-f",
            ctx + "/Dockerfile.peer", "--build-arg=BASE=" + self.base,
            *options, ctx, env=dict(os.environ, DOCKER_BUILDKIT="1"))
        if status == 0:
            os.mkdir(out)
            status, text = sh("sh", "-c", "docker save case | tar -xC " + out)
        return status, text


def build(builder, case, tmp):
    """(status, its words, the image or None)"""
    with scratch(tmp) as top:
        ctx, out = os.path.join(top, "ctx"), os.path.join(top, "out")
        write(case, ctx)
        status, text = builder.build(ctx, case.options, out)
        return status, text, image.load(out) if status == 0 else None
