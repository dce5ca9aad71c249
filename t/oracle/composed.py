"""composed.py - services of compose files, drawn from a seed"""
# SPDX-License-Identifier: Apache-2.0
import json

import life

VOLUMES = [
    "../data:/m/a", "../data:/m/b:ro", "../data/file:/m/c:ro", "one:/m/d",
    "one:/seed", "/m/e",
    {"type": "bind", "source": "../data", "target": "/m/f",
     "read_only": True},
    {"type": "volume", "source": "one", "target": "/m/g"}]
SERVICE = {
    "environment": [["E1=a", "E2", "GREETING=compose"],
                    {"E1": "it's $$HOME", "E3": "${FOO}-${NO:-none}",
                     "E4": 5, "E5": None}],
    "env_file": ["vars", ["vars"]],
    "user": ["bob", "root"],
    "working_dir": ["/home"],
    "command": ["serve of 'a string'", ["serve", "of", "a list"]],
    "entrypoint": ["serve entry", ["serve", "entry"]],
    "volumes": None,
    "tmpfs": ["/m/h", ["/m/h", "/m/i:size=1048576"]],
    "cap_add": [["SYS_PTRACE"], ["NET_ADMIN", "SYS_ADMIN"]],
    "security_opt": [["seccomp:unconfined"], ["no-new-privileges:true"]],
    "privileged": [True],
    "extra_hosts": [["there:10.1.2.3"], ["there:10.1.2.3", "too:10.1.2.4"]],
    "labels": [{"a": "b"}],
}
# As in built.py no two have steps in common.
DOCKERFILE = """ARG BASE=base
FROM $BASE AS first
LABEL case=%x
ARG WHAT=none
ENV BUILT=$WHAT
FROM first AS second
ENV STAGE=second
"""


def service(r):
    s = {name: r.choice(values) for name, values in SERVICE.items()
         if values and r.random() < .3}
    if r.random() < .6:
        s["volumes"] = r.sample(VOLUMES, r.randrange(1, 5))
    # The CLI does not escape the $ of an entry point, which ours have.
    s["image"] = r.choice(["base", "server", "labelled"])
    if r.random() < .3:
        del s["image"]
        s["build"] = r.choice([
            ".", {"context": "."}, {"context": "..", "dockerfile":
                                    ".devcontainer/Dockerfile"},
            {"context": ".", "args": {"WHAT": "this", "BASE": "server"}},
            {"context": ".", "target": "first", "args": ["WHAT=${FOO}"]}])
    return s


def case(r):
    """(configuration, files beside it)"""
    one = service(r)
    files = [("compose.yml", one)]
    if r.random() < .3:
        files.append(("more.yml", {k: v for k, v in service(r).items()
                                   if k not in ("image", "build")}))
    c = {"dockerComposeFile": [name for name, _ in files], "service": "app",
         "userEnvProbe": "none", "remoteUser": r.choice(["root", "bob"]),
         "updateRemoteUserUID": False}
    if len(files) == 1 and r.random() < .5:
        c["dockerComposeFile"] = "compose.yml"
    if r.random() < .7:
        c["workspaceFolder"] = r.choice(["/home", "/tmp"])
    if r.random() < .3:
        c["overrideCommand"] = r.random() < .5
    if r.random() < .3:
        c["containerEnv"] = life.some(r, life.CONTAINER, .4)
    if r.random() < .3:
        c["mounts"] = ["type=volume,source=mine,target=/m/z"]
    if r.random() < .2:
        c["capAdd"] = ["SYS_PTRACE"]
    # a JSON document is a YAML one
    texts = {name: json.dumps({"version": "3.8", "services": {"app": s},
                               "volumes": {"one": None}})
             for name, s in files}
    return c, {**texts, "Dockerfile": DOCKERFILE % r.getrandbits(64),
               "vars": "V1=of a file\n"}
