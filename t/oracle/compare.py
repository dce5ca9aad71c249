#!/usr/bin/env python3
"""compare.py - devenv read-configuration against the Dev Container CLI

Each case is a tree with a configuration and an image with a label; both
programs read it, and what they print has to be the same value, except for
what KNOWN names with its reason. Prints TAP; the same seed is the same case.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import draw

HERE = pathlib.Path(__file__).resolve().parent
ENV = {"PATH": os.environ["PATH"], "FOO": "bar", "EMPTY": "", "A B": "blank"}


def known_requirements(theirs, ours):
    """No entry at all makes the CLI take the largest of no numbers."""
    if theirs.get("hostRequirements") == {
            "cpus": None, "memory": "-Infinity", "storage": "-Infinity"}:
        del theirs["hostRequirements"]


KNOWN = [known_requirements]


def devcontainer_id(labels):
    """${devcontainerId}: the CLI leaves it until there is a container."""
    text = json.dumps(labels, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    digits = ""
    while number:
        digits = "0123456789abcdefghijklmnopqrstuv"[number % 32] + digits
        number //= 32
    return digits.rjust(52, "0")


VARIABLE = re.compile("[$][{]([^}\n\r\u2028\u2029]*)[}]")


def with_id(value, own):
    if isinstance(value, str):
        return VARIABLE.sub(
            lambda m: own if m[1].split(":")[0] == "devcontainerId" else m[0],
            value)
    if isinstance(value, list):
        return [with_id(v, own) for v in value]
    if isinstance(value, dict):
        return {k: with_id(v, own) for k, v in value.items()}
    return value


def forget_places(theirs):
    """The CLI unpacks Features, devenv does not before a build."""
    features = theirs.get("featuresConfiguration", {})
    features.pop("dstFolder", None)
    for one in features.get("featureSets", []):
        for feature in one["features"]:
            feature.pop("cachePath", None)


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


class Oracle:
    def __init__(self, args, top):
        self.args, self.top = args, pathlib.Path(top)
        self.count = self.failed = self.calls = 0
        self.env = dict(ENV, HOME=str(self.top), SHIM_DIR=str(self.top),
                        DEVENV_STORE=str(self.top / "store"))
        self.shim = str(self.top / "docker")
        shutil.copy(HERE / "shim.py", self.shim)
        os.chmod(self.shim, 0o755)
        (self.top / "image").mkdir()
        (self.top / "image/Dockerfile").write_text("FROM scratch\n")

    def run(self, *argv):
        return subprocess.run(argv, env=self.env, capture_output=True,
                              text=True, timeout=60, check=False)

    def devenv(self, *argv):
        return self.run(self.args.devenv, *argv)

    def cli(self, *argv):
        self.calls += 1
        return self.run("node", self.args.cli, *argv)

    def report(self, name, fault):
        self.count += 1
        print("%s %d - %s" % ("not ok" if fault else "ok", self.count, name))
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

    def both(self, work, *more):
        argv = ["read-configuration", "--workspace-folder", str(work), *more]
        theirs = self.cli(*argv, "--docker-path", self.shim)
        ours = self.devenv(*argv)
        return theirs, ours

    def difference(self, work, theirs, ours):
        """What is wrong with two answers, as text; empty: nothing."""
        if theirs.returncode or ours.returncode:
            if theirs.returncode and ours.returncode == 3:
                return ""
            return "theirs %d: %s\nours %d: %s" % (
                theirs.returncode, theirs.stderr[-300:],
                ours.returncode, ours.stderr[-300:])
        config = work / ".devcontainer/devcontainer.json"
        own = devcontainer_id({"devcontainer.local_folder": str(work),
                               "devcontainer.config_file": str(config)})
        left = with_id(json.loads(theirs.stdout), own)
        right = json.loads(ours.stdout)
        forget_places(left)
        for known in KNOWN:
            if "mergedConfiguration" in left:
                known(left["mergedConfiguration"],
                      right["mergedConfiguration"])
        if exact(left) == exact(right):
            return ""
        (self.top / "theirs").write_text(exact(left) + "\n")
        (self.top / "ours").write_text(exact(right) + "\n")
        diff = self.run("diff", "-U1", str(self.top / "theirs"),
                        str(self.top / "ours"))
        return diff.stdout + config.read_text(errors="replace")

    def case(self, name, text, sub=".", *more):
        work = self.tree(text, sub)
        self.report(name, self.difference(work, *self.both(work, *more)))

    # --- kinds of cases ---

    def files(self):
        for path in sorted((HERE / "configs").glob("*.json")):
            for sub in (".", "sub"):
                self.case("%s in %s" % (path.stem, sub), path.read_bytes(),
                          sub)

    def forms(self, share):
        """Every property on its own, in every form it is drawn in."""
        names = sorted({**draw.CONFIG, **draw.LABEL}.items())
        for i, (name, maker) in enumerate(names):
            if i % share:
                continue
            r = random.Random("form" + name)
            for n in range(3 if share == 1 else 1):
                self.case("%s, form %d" % (name, n),
                          json.dumps({"image": "image", name: maker(r)}))

    def jsonc(self, n):
        for seed in range(n):
            r = random.Random("jsonc%d" % seed)
            self.case("JSON with comments %d" % seed, draw.document(r))

    def variables(self, n):
        """Several strings a call."""
        for first in range(0, n, 20):
            r = random.Random("variables%d" % first)
            config = {"image": "image", "strings":
                      [draw.variable(r) for _ in range(20)]}
            self.case("variables %d to %d" % (first, first + 19),
                      json.dumps(config))

    def labelled(self, text):
        """An image of that label, for both."""
        (self.top / "label").write_text(text, encoding="utf-8")
        return self.devenv("build", "-q", "-t", "image", "--label",
                           "devcontainer.metadata=" + text,
                           str(self.top / "image"))

    def features(self, n):
        """Some local ones; their order is the business of others."""
        for seed in range(n):
            r = random.Random("features%d" % seed)
            ids = r.sample("abcde", r.randrange(1, 4))
            work = self.tree(json.dumps({
                "image": "image", "features":
                {"./" + i: draw.mapping(r, draw.word) for i in ids}}))
            for i in ids:
                place = work / ".devcontainer" / i
                place.mkdir()
                (place / "install.sh").write_text("#!/bin/sh\n")
                (place / "devcontainer-feature.json").write_text(json.dumps(
                    {"id": i, "version": "1.0.%d" % seed, "name": i,
                     **draw.pick(r, draw.FEATURE, .4)}))
            self.labelled("[]")
            self.report("features %d" % seed, self.difference(
                work, *self.both(work, "--include-features-configuration",
                                 "--include-merged-configuration")))

    def labels(self, n):
        for seed in range(n):
            r = random.Random("label%d" % seed)
            config, text = draw.config(r), draw.label(r)
            built = self.labelled(text)
            if built.returncode:
                self.report("label %d" % seed, built.stderr)
                continue
            self.case("label %d" % seed, json.dumps(config), ".",
                      "--include-merged-configuration")

    def written(self, n):
        """The label that a build of each leaves."""
        for seed in range(n):
            r = random.Random("written%d" % seed)
            config, text = draw.config(r), draw.label(r)
            config.pop("workspaceMount", None)
            work = self.tree(json.dumps(config))
            self.labelled(text)
            out = self.top / "Dockerfile.out"
            out.unlink(missing_ok=True)
            theirs = self.cli("build", "--docker-path", self.shim,
                              "--workspace-folder", str(work))
            ours = self.devenv("build", "-q", str(work))
            if theirs.returncode or ours.returncode:
                fault = theirs.stderr[-300:] + theirs.stdout + ours.stderr
            else:
                fault = self.same_label(out, ours)
            self.report("label written %d" % seed, fault)

    def same_label(self, out, ours):
        text = out.read_text() if out.exists() else ""
        mark = 'LABEL devcontainer.metadata="'
        theirs = []
        if mark in text:
            body = text.split(mark, 1)[1].replace("\\\n", "\n")
            end = body.index(']"')
            theirs = json.loads(body[:end + 1].replace('\\"', '"')
                                .replace("\\$", "$").replace("\\\\", "\\"))
        image = json.loads(ours.stdout)["image"]["config_digest"]
        blob = self.top / "store/blobs/sha256" / image.split(":")[1]
        mine = json.loads(blob.read_text())["config"].get("Labels", {}).get(
            "devcontainer.metadata", "[]")
        mine = json.loads(mine) if mine.startswith("[") else mine
        if exact(theirs) == exact(mine):
            return ""
        return "theirs: %s\nours: %s" % (exact(theirs), exact(mine))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cli", required=True)
    p.add_argument("--devenv", required=True)
    p.add_argument("--sample", action="store_true")
    args = p.parse_args()
    few = args.sample
    with tempfile.TemporaryDirectory(prefix="devenv-oracle.") as top:
        o = Oracle(args, top)
        if not few:
            o.files()
        o.forms(6 if few else 1)
        o.jsonc(8 if few else 200)
        o.variables(40 if few else 200)
        o.features(3 if few else 30)
        o.labels(12 if few else 100)
        o.written(4 if few else 30)
        print("# %d calls of the other tool" % o.calls)
        print("1..%d" % o.count)
        return 1 if o.failed else 0


if __name__ == "__main__":
    sys.exit(main())
