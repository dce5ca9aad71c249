#!/usr/bin/python3
# graphs.py - random Features of a project, from seeds
#
#   graphs.py graph SEED DIR     local Features that depend on each other
#   graphs.py options SEED DIR   one with many options, and values for them
import json
import os
import random
import sys

NAMES = ["a", "A", "ab", "a-b", "a_b", "a.b", "aB", "b", "B", "z1", "z10",
         "z9", "b2", "x", "Y"]
KEYS = ["version", "x", "X", "install-tools", "1weird.name", "__y", "a b",
        "-z", "ünicode", "n1", "two__u"]
VALUES = ["", "a", "B", "a_b", "a-b", "10", "9", "lts", True, False]
TEXTS = ["", "a", "with blank", "it's", "semi;colon", "x=y", "#no", "~", "*",
         "ünicode", "a/b:c", "(x)", "a|b&c", "<>", "!", "  "]


def write(directory, name, value):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "w") as f:
        json.dump(value, f, indent=1)


def feature(top, name, more):
    d = os.path.join(top, ".devcontainer", name)
    write(d, "devcontainer-feature.json",
          {"id": name, "version": "1.0.0", "name": name, **more})
    with open(os.path.join(d, "install.sh"), "w") as f:
        f.write("#!/bin/sh\n")


def options(r):
    kind = r.random()
    if kind < 0.5:
        return {}
    if kind < 0.6:
        return r.choice(VALUES)
    return {k: r.choice(VALUES) for k in r.sample(KEYS[:4], r.randint(1, 3))}


def some(r, names, most):
    return r.sample(names, min(len(names), r.randint(0, most)))


def graph(r, top):
    names = r.sample(NAMES, r.randint(3, 8))
    for i, name in enumerate(names):
        # Mostly forward, so that most graphs have no circle.
        pool = names if r.random() < 0.08 else names[i + 1:]
        depends = {"./" + d: options(r) for d in some(r, pool, 2)}
        if r.random() < 0.03:
            depends["./missing"] = {}
        after = ["./" + d for d in some(r, pool, 2)]
        feature(top, name, {
            **({"dependsOn": depends} if depends or r.random() < 0.2 else {}),
            **({"installsAfter": after} if after else {})})
    wanted = some(r, names, 5) or names[:1]
    config = {"image": "x", "features": {"./" + n: options(r)
                                         for n in wanted}}
    if r.random() < 0.4:
        config["overrideFeatureInstallOrder"] = [
            "./" + n for n in some(r, names, 3)]
    write(os.path.join(top, ".devcontainer"), "devcontainer.json", config)


def values(r, top):
    declared = {}
    for key in r.sample(KEYS, r.randint(1, 6)):
        boolean = r.random() < 0.3
        declared[key] = {"type": "boolean" if boolean else "string"}
        if r.random() < 0.8:
            declared[key]["default"] = (r.random() < 0.5 if boolean
                                        else r.choice(TEXTS))
    feature(top, "f", {"options": declared})
    given = r.choice(TEXTS + [True, False]) if r.random() < 0.3 else {
        k: r.choice(TEXTS + [True, False])
        for k in r.sample(KEYS, r.randint(0, 4))}
    write(os.path.join(top, ".devcontainer"), "devcontainer.json",
          {"image": "x", "features": {"./f": given}})


kind, seed, top = sys.argv[1:4]
{"graph": graph, "options": values}[kind](random.Random(kind + seed), top)
