"""built.py - what configurations have built for them, drawn from a seed"""
# SPDX-License-Identifier: Apache-2.0
import json

import life

# podman takes an ENV that it remembers for one with other arguments, so no
# two cases have steps in common.
DOCKERFILE = """ARG BASE=base
FROM $BASE AS first
LABEL case=%x
ARG WHAT=none
ARG MORE
ENV BUILT=$WHAT-$MORE
COPY %s /m/here
FROM first AS second
ENV STAGE=second LATE="$BUILT \\$x"
USER bob
WORKDIR /tmp
"""
# (where the Dockerfile is, what `context` says, the file from there)
PLACES = [(".devcontainer/Dockerfile", None, "vars"),
          (".devcontainer/Dockerfile", ".", "vars"),
          (".devcontainer/Dockerfile", "..", "data/file"),
          ("Dockerfile", None, "data/file"),
          ("Dockerfile", "..", "data/file"),
          ("data/docker/Dockerfile", "../data", "file"),
          ("data/docker/Dockerfile", None, "Dockerfile")]
OPTIONS = [["--build-arg", "MORE=option"], ["--build-arg=WHAT=option"],
           ["--label", "l=x"], ["--no-cache"], ["--network=host"],
           ["--add-host=there:10.1.2.3"]]


def case(r):
    """(configuration, files beside it)"""
    place, context, file = r.choice(PLACES)
    build = {"dockerfile": "../" + place}
    if context:
        build["context"] = context
    if r.random() < .6:
        build["args"] = life.some(r, {
            "WHAT": "${localEnv:FOO} it's \"x\"", "MORE": "", "BASE": "server"},
            .5)
    if r.random() < .4:
        build["target"] = r.choice(["first", "second"])
    if r.random() < .5:
        build["options"] = sum(r.sample(OPTIONS, 2), [])
    if r.random() < .3:
        build["cacheFrom"] = r.choice(["base", ["base", "server"]])
    c = {"build": build, "userEnvProbe": "none"}
    if r.random() < .2:
        c = {"dockerFile": build["dockerfile"], "userEnvProbe": "none",
             **({"context": context} if context else {})}
    if r.random() < .4:
        c["remoteUser"] = "root"
    if r.random() < .3:
        c["features"] = {"./f": {"o": "x"}}
    return c, {
        "../" + place: DOCKERFILE % (r.getrandbits(64), file),
        "vars": "beside\n",
        "f/devcontainer-feature.json": json.dumps(
            {"id": "f", "version": "1.0.0", "name": "F",
             "containerEnv": {"LATE": "feature $BUILT"}}),
        "f/install.sh": "#!/bin/sh\n{ id -un; env | grep _USER | sort; "
                        "} >/tmp/started\n"}
