#!/usr/bin/env python3
"""compare.py - devenv read-configuration against the Dev Container CLI

Each case is a tree with a configuration and an image with a label; both
programs read it, and what they print has to be the same value, except for
what KNOWN names with its reason. Prints TAP; the same seed is the same case.
"""
# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import re
import sys

import both
import draw
import forms
from both import HERE, exact


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


class Oracle(both.Both):
    def __init__(self, args, top):
        super().__init__(args, top)
        self.shim = both.install("shim.py", self.top)
        (self.top / "image").mkdir()
        (self.top / "image/Dockerfile").write_text("FROM scratch\n")

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
        diff = self.unlike(exact(left), exact(right))
        return diff and diff + config.read_text(errors="replace")

    # --- kinds of cases; each draws its own ---

    def text(self, _, text, sub="."):
        work = self.tree(text, sub)
        return self.difference(work, *self.both(work))

    def value(self, _, config):
        return self.text(_, json.dumps(config))

    def jsonc(self, r):
        return self.text(r, draw.document(r))

    def variables(self, r):
        """Several strings a call."""
        return self.value(r, {"image": "image", "strings":
                              [draw.variable(r) for _ in range(20)]})

    def labelled(self, text):
        """An image of that label, for both; what went wrong."""
        (self.top / "label").write_text(text, encoding="utf-8")
        built = self.devenv("build", "-q", "-t", "image", "--label",
                            "devcontainer.metadata=" + text,
                            str(self.top / "image"))
        return built.stderr if built.returncode else ""

    def features(self, r):
        """Some local ones; their order is the business of others."""
        ids = r.sample("abcde", r.randrange(1, 4))
        work = self.tree(json.dumps({
            "image": "image", "features":
            {"./" + i: draw.mapping(r, draw.word) for i in ids}}))
        for i in ids:
            both.feature(work, i, draw.pick(r, draw.FEATURE, .4))
        return self.labelled("[]") or self.difference(
            work, *self.both(work, "--include-features-configuration",
                             "--include-merged-configuration"))

    def label(self, r):
        config, text = draw.config(r), draw.label(r)
        work = self.tree(json.dumps(config))
        return self.labelled(text) or self.difference(
            work, *self.both(work, "--include-merged-configuration"))

    def written(self, r):
        """The label that a build leaves."""
        config, text = draw.config(r), draw.label(r)
        config.pop("workspaceMount", None)
        work = self.tree(json.dumps(config))
        out = self.top / "Dockerfile.out"
        out.unlink(missing_ok=True)
        fault = self.labelled(text)
        theirs = self.cli("build", "--docker-path", self.shim,
                          "--workspace-folder", str(work))
        ours = self.devenv("build", "-q", str(work))
        if theirs.returncode or ours.returncode:
            return theirs.stderr[-300:] + theirs.stdout + ours.stderr
        return fault or self.same_label(out, ours)

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


def files():
    for path in sorted((HERE / "configs").glob("*.json")):
        for sub in (".", "sub"):
            yield "%s in %s" % (path.stem, sub), path.read_bytes(), sub


def cases(o, few):
    for name, text, sub in () if few else files():
        yield name, o.text, text, sub
    for name, config in list(forms.configurations())[::24 if few else 1]:
        yield name, o.value, config
    for n, kind in ((5, 200), o.jsonc), ((1, 10), o.variables), (
            (3, 30), o.features), ((8, 100), o.label), ((3, 30), o.written):
        for seed in range(n[0 if few else 1]):
            yield "%s %d" % (kind.__name__, seed), kind


if __name__ == "__main__":
    sys.exit(both.compare(Oracle, cases))
