"""draw.py - configurations, labels and variables, drawn from a seed"""
# SPDX-License-Identifier: Apache-2.0
import json

WORDS = ["a", "B-c", "x y", "", "ü", "\u2028", "$HOME", "${localEnv:FOO}",
         "${containerEnv:PATH}", "C:\\x", '"', "/w", "${localEnv:NO:else}",
         "${localWorkspaceFolderBasename}", "0", "tab\there"]
HOOKS = ["onCreateCommand", "updateContentCommand", "postCreateCommand",
         "postStartCommand", "postAttachCommand"]
SIZES = ["0", "1", "512", "1kb", "3mb", "4gb", "1tb", "1024mb", "1048576kb"]


def word(r):
    return r.choice(WORDS)


def mapping(r, value, most=4):
    return {r.choice("ABCDEFG") + str(r.randrange(3)): value(r)
            for _ in range(r.randrange(most))}


def value(r, depth=0):
    """Any JSON value, for what tools keep in a configuration."""
    kind = r.randrange(7 if depth < 3 else 5)
    if kind == 5:
        return [value(r, depth + 1) for _ in range(r.randrange(4))]
    if kind == 6:
        return mapping(r, lambda r: value(r, depth + 1))
    return [None, r.random() < .5, r.randrange(-5, 5000), word(r),
            r.randrange(1000) / 8][kind]


def command(r):
    return r.choice([
        word(r), [], {}, [word(r), word(r)],
        {"one": word(r), "two": [word(r)]}, {"only": ""}])


def mount(r):
    target = r.choice(["/a", "/b", "/c/d"])
    if r.random() < .4:
        return {"type": r.choice(["bind", "volume"]),
                "source": r.choice(["/s", "vol"]), "target": target}
    return r.choice([
        "type=bind,source=/s,target=%s", "type=volume,src=v,dst=%s",
        "destination=%s,type=tmpfs", "target=%s,readonly"]) % target


def port(r):
    return r.choice([80, 3000, 65535, "localhost:80", "db:5432", "3000",
                     "localhost:3000"])


def requirements(r):
    h = {}
    if r.random() < .6:
        h["cpus"] = r.randrange(1, 9)
    for key in ("memory", "storage"):
        if r.random() < .6:
            h[key] = r.choice(SIZES)
    if r.random() < .7:
        h["gpu"] = r.choice([True, False, "optional", {},
                             {"cores": r.randrange(1, 99)},
                             {"cores": 2, "memory": r.choice(SIZES)}])
    return h


def attributes(r):
    return {"label": word(r), "onAutoForward":
            r.choice(["notify", "silent", "ignore"])}


LABEL = {
    "waitFor": lambda r: r.choice(HOOKS[:4]),
    "customizations": lambda r: mapping(r, value),
    "mounts": lambda r: [mount(r) for _ in range(r.randrange(4))],
    "containerEnv": lambda r: mapping(r, word),
    "containerUser": lambda r: r.choice(["root", "u", ""]),
    "init": lambda r: r.random() < .5,
    "privileged": lambda r: r.random() < .3,
    "capAdd": lambda r: [r.choice(["A", "B", "C"])
                         for _ in range(r.randrange(4))],
    "securityOpt": lambda r: [r.choice(["x=y", "label=disable"])
                              for _ in range(r.randrange(3))],
    "remoteUser": lambda r: r.choice(["root", "v", ""]),
    "userEnvProbe": lambda r: r.choice(["none", "loginShell"]),
    "remoteEnv": lambda r: mapping(
        r, lambda r: None if r.random() < .2 else word(r)),
    "overrideCommand": lambda r: r.random() < .5,
    "portsAttributes": lambda r: {str(r.choice([80, "1-9"])): attributes(r)
                                  for _ in range(r.randrange(3))},
    "otherPortsAttributes": attributes,
    "forwardPorts": lambda r: [port(r) for _ in range(r.randrange(5))],
    "shutdownAction": lambda r: r.choice(["none", "stopContainer"]),
    "updateRemoteUserUID": lambda r: r.random() < .5,
    "hostRequirements": requirements,
}
LABEL.update({hook: command for hook in HOOKS})

CONFIG = {
    "name": word,
    "workspaceFolder": lambda r: r.choice(
        ["/ws", "/x/${localEnv:FOO}", "/y/${localWorkspaceFolderBasename}"]),
    "workspaceMount": lambda r: r.choice(
        ["", "source=${localWorkspaceFolder},target=/ws,type=bind"]),
    "appPort": lambda r: r.choice([80, "80:80", [80, "81:81"]]),
    "runArgs": lambda r: [word(r) for _ in range(r.randrange(4))],
    "initializeCommand": command,
    "secrets": lambda r: mapping(r, lambda r: {"description": word(r)}),
    "extensions": lambda r: [word(r) for _ in range(r.randrange(3))],
    "settings": lambda r: mapping(r, value),
    "devPort": lambda r: r.randrange(65536),
    "unknownThing": value,
}

FEATURE = {name: LABEL[name] for name in
           HOOKS + ["customizations", "mounts", "containerEnv", "init",
                    "privileged", "capAdd", "securityOpt"]}
FEATURE["entrypoint"] = lambda r: "/usr/local/bin/start"


def pick(r, table, share):
    names = [n for n in table if r.random() < share]
    r.shuffle(names)
    return {n: table[n](r) for n in names}


def config(r):
    c = {"image": "image"}
    c.update(pick(r, CONFIG, .35))
    c.update(pick(r, LABEL, .35))
    items = list(c.items())
    r.shuffle(items)
    return dict(items)


def label(r):
    """The text of a label; some are a single entry, some no JSON."""
    def entry():
        e = pick(r, LABEL, .3)
        if r.random() < .5:
            e["id"] = "ghcr.io/x/f%d:1" % r.randrange(3)
            if r.random() < .5:
                e["entrypoint"] = r.choice(["", "/usr/local/run.sh"])
        return e
    if r.random() < .06:
        return r.choice(["[{", "[{},]", "nonsense", "{'a': 1}", "// c\n[]"])
    if r.random() < .1:
        return json.dumps(entry())
    return json.dumps([entry() for _ in range(r.randrange(5))])


def blank(r):
    """What may stand between tokens."""
    return r.choice(["", "", "", " ", "\n", "\r\n", "\t", "\r", "// c, \" }\n",
                     "/* [ \" */", "/**/", "\u00a0", "\x0c", "//\r\n"])


def jsonc(r, v):
    """A value as a person might have written it."""
    sep = lambda: blank(r)
    if isinstance(v, (dict, list)):
        curly = isinstance(v, dict)
        parts = [(json.dumps(k, ensure_ascii=r.random() < .5) + sep() + ":" +
                  sep() if curly else "") + jsonc(r, m)
                 for k, m in (v.items() if curly else ((0, m) for m in v))]
        inner = (sep() + "," + sep()).join(parts)
        if parts and r.random() < .3:
            inner += sep() + ","
        return "[{"[curly] + sep() + inner + sep() + "]}"[curly]
    # The CLI takes an unusual blank for a part of the word beside it.
    beside = "" if isinstance(v, str) else " "
    return beside + json.dumps(v, ensure_ascii=r.random() < .5) + beside


def document(r):
    text = blank(r) + jsonc(r, config(r)) + blank(r)
    return ("\ufeff" if r.random() < .2 else "") + text


VARIABLES = ["localEnv", "env", "containerEnv", "localWorkspaceFolder",
             "localWorkspaceFolderBasename", "containerWorkspaceFolder",
             "containerWorkspaceFolderBasename", "devcontainerId",
             "LocalEnv", "templateOption", "localEnv ", ""]


def variable(r):
    """A string with variables, half of them oddly written."""
    out = ""
    for _ in range(r.randrange(1, 5)):
        name = r.choice(VARIABLES)
        args = [r.choice(["FOO", "EMPTY", "NO", "", "a}b", "${localEnv:FOO}",
                          " ", "x:y", "A B", "\u2028", "\u2029"])
                for _ in range(r.randrange(4))]
        if name in ("localEnv", "env", "containerEnv") and not args:
            args = ["FOO"]
        out += r.choice(["", "$", "{", "${", "}", " ", "\n", "ab"])
        out += "${" + ":".join([name] + args) + r.choice(["}", "}", "}", ""])
    return out
