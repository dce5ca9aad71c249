"""both.py - the Dev Container CLI and devenv on the same trees, as TAP"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ENV = {"PATH": os.environ["PATH"], "FOO": "bar", "EMPTY": "", "A B": "blank"}


def exact(value):
    """A text that is the same for the same JSON value; true is not 1."""
    def plain(v):
        if isinstance(v, float) and v == int(v):
            return int(v)
        if isinstance(v, list):
            return [plain(x) for x in v]
        if isinstance(v, dict):
            return {k: plain(x) for k, x in v.items()}
        return v
    return json.dumps(plain(value), sort_keys=True, indent=1)


# Those of Docker; podman has fewer.
CAPABILITIES = [
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_RAW",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
    "SYS_CHROOT", "AUDIT_WRITE"]


def install(name, top):
    """A file of this folder as the program docker; its path."""
    path = top / "docker"
    shutil.copy(HERE / name, path)
    path.chmod(0o755)
    return str(path)


def configure_podman(top):
    """What podman.sh reads; its path."""
    (top / "podman.conf").write_text(
        '[containers]\nnetns="host"\ndefault_capabilities=%s\n'
        'default_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n'
        '[engine]\nruntime="/usr/sbin/runc"\n'
        'cgroup_manager="cgroupfs"\nevents_logger="file"\n'
        % json.dumps(CAPABILITIES))
    return install("podman.sh", top)


class Both:
    """Below `top` all that a comparison writes is kept."""

    def __init__(self, args, top):
        self.args, self.top = args, pathlib.Path(top)
        self.count = self.failed = self.calls = 0
        self.env = dict(ENV, HOME=str(self.top), SHIM_DIR=str(self.top),
                        TMPDIR=str(self.top / "tmp"),
                        DEVENV_STORE=str(self.top / "store"))
        (self.top / "tmp").mkdir()

    def run(self, *argv):
        return subprocess.run(argv, env=self.env, capture_output=True,
                              stdin=subprocess.DEVNULL, text=True,
                              timeout=120, check=False)

    def devenv(self, *argv):
        return self.run(self.args.devenv, *argv)

    def cli(self, *argv):
        self.calls += 1
        return self.run("node", self.args.cli, *argv)

    def report(self, name, fault):
        self.count += 1
        print("%s %d - %s" % ("not ok" if fault else "ok", self.count, name),
              flush=True)
        if fault:
            self.failed += 1
            print("# " + "\n# ".join(fault.splitlines()[:40]))

    def tree(self, text, sub="."):
        """A fresh Git tree with this configuration; its workspace folder."""
        repo = self.top / "repo"
        shutil.rmtree(repo, ignore_errors=True)
        (repo / ".git").mkdir(parents=True)
        (repo / ".git/HEAD").write_text("ref: refs/heads/main\n")
        for part in ("objects", "refs"):
            (repo / ".git" / part).mkdir()
        work = repo / sub
        (work / ".devcontainer").mkdir(parents=True)
        (work / ".devcontainer/devcontainer.json").write_bytes(
            text if isinstance(text, bytes) else text.encode())
        return work

    def close(self):
        """What is to be done at the end."""

    def unlike(self, left, right):
        """How their text differs from ours; empty: it does not."""
        if left == right:
            return ""
        (self.top / "theirs").write_text(left + "\n")
        (self.top / "ours").write_text(right + "\n")
        return self.run("diff", "-U1", str(self.top / "theirs"),
                        str(self.top / "ours")).stdout


def feature(work, name, more, script=""):
    """A Feature beside the configuration of this workspace."""
    place = work / ".devcontainer" / name
    place.mkdir()
    (place / "install.sh").write_text("#!/bin/sh\n" + script)
    (place / "devcontainer-feature.json").write_text(json.dumps(
        {"id": name, "version": "1.0.0", "name": name, **more}))


def compare(kind, cases):
    """The exit status of all cases of a new `kind`. Each is a name, which is
    the seed of what it draws, what finds a fault in it, as text, and what
    that needs to know."""
    p = argparse.ArgumentParser()
    p.add_argument("--cli", required=True)
    p.add_argument("--devenv", required=True)
    p.add_argument("--sample", action="store_true", help="a few of them")
    p.add_argument("--only", help="this one, by its name")
    args = p.parse_args()
    # The name of podman's directory below it may have 50 bytes.
    with tempfile.TemporaryDirectory(prefix="o.") as top:
        b = kind(args, top)
        try:
            for name, check, *more in cases(b, args.sample):
                if args.only in (None, name):
                    b.report(name, check(random.Random(name), *more))
        finally:
            b.close()
        print("# %d calls of the other tool" % b.calls)
        print("1..%d" % b.count)
        return 1 if b.failed or not b.count else 0
