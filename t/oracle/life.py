"""life.py - how environments come to life, drawn from a seed"""
# SPDX-License-Identifier: Apache-2.0

HOOKS = ["onCreateCommand", "updateContentCommand", "postCreateCommand",
         "postStartCommand", "postAttachCommand"]
IN_TURN = "until [ -e /tmp/%s ]; do usleep 9000; done; touch /tmp/%s; note %s"
REMOTE = {"R1": "r", "R2": "${containerEnv:PATH}:/extra",
          "R3": "${containerEnv:NOPE:other}", "GREETING": "remote",
          "R4": "${localWorkspaceFolderBasename} $HOME `x` \"",
          "R5": "${containerEnv:GREETING}", "R6": "", "SPACED": "ours"}
CONTAINER = {"C1": "${containerWorkspaceFolder}", "C2": "a b",
             "C3": "$HOME", "GREETING": "container", "C4": "",
             "C5": "it's \\ \"x\"", "SHELL": "/bin/sh"}
FLAGS = [[], [], [], [], ["--skip-non-blocking-commands"], ["--prebuild"],
         ["--skip-post-attach"]]
# Of the install command the CLI wants that it is a file, devenv takes any.
DOTFILES = [["file:///dots/script"], ["file:///dots/plain"],
            ["file:///dots/fails"], ["/dots/nested"],
            ["file:///dots/script", "--dotfiles-install-command",
             "other.sh"],
            ["file:///dots/script", "--dotfiles-target-path",
             "~/below/here"],
            ["file:///dots/script", "--dotfiles-install-command",
             "missing.sh"]]


def hook(r, tag, fails=False):
    """A command in one of its forms, which notes that it ran as `tag`."""
    if fails:
        return r.choice([
            "note %s; exit 3" % tag, ["sh", "-c", "note %s; exit 9" % tag],
            {"bad": "exit 4", "good": "usleep 300000; note %s.good" % tag}])
    return r.choice([
        "note " + tag, "cd /; X='a b' note %s && true" % tag,
        ["note", tag], ["note", tag, "$HOME", "; exit 1"],
        {"one": "note %s.one" % tag, "two": ["note", tag + ".two"],
         "none": ""},  # of an empty list the CLI runs "undefined"
        {"a": "touch /tmp/a%s; " % tag + IN_TURN % (
            ("b" + tag,) + ("c" + tag, tag + ".a")),
         "b": "touch /tmp/b%s; " % tag + IN_TURN % (
            ("a" + tag,) + ("d" + tag, tag + ".b"))},
        "", " ", [], {}])


def hooks(r, tag, share):
    return {h: hook(r, h[:-7] + tag) for h in HOOKS if r.random() < share}


def some(r, table, share):
    return {k: v for k, v in table.items() if r.random() < share}


def properties(r):
    """Of a configuration or an entry of a label."""
    c = {}
    if r.random() < .5:
        c["remoteUser"] = r.choice(["root", "bob"])
    if r.random() < .2:
        c["containerUser"] = r.choice(["root", "bob"])
    if r.random() < .6:
        c["userEnvProbe"] = r.choice(["none", "loginShell",
                                      "interactiveShell",
                                      "loginInteractiveShell"])
    if r.random() < .6:
        c["remoteEnv"] = some(r, REMOTE, .4)
    if r.random() < .5:
        c["containerEnv"] = some(r, CONTAINER, .4)
    if r.random() < .3:
        c["waitFor"] = r.choice(HOOKS[:4])
    return c


def case(r, features):
    """{"config", "features": {id: metadata}, "flags", "then"}"""
    config = {"image": r.choice(["base", "base", "labelled"]),
              **hooks(r, "", .6), **properties(r)}
    if r.random() < .3:
        config["workspaceFolder"] = r.choice(
            ["/workspaces/repo/sub", "/workspaces", "/home"])
    if r.random() < .15:
        name = r.choice(HOOKS)
        config[name] = hook(r, name[:-7], fails=True)
    found = {}
    if features:
        for name in r.sample("fg", r.randrange(1, 3)):
            found[name] = {
                **hooks(r, "-" + name, .4),
                "containerEnv": some(r, {"F1": name, "F2": "$PATH:/" + name,
                                         "GREETING": "feature"}, .5)}
        config["features"] = {"./" + name: {"o": name} for name in found}
    flags = list(r.choice(FLAGS))
    if r.random() < .25:
        flags += ["--dotfiles-repository", *r.choice(DOTFILES)]
    return {"config": config, "features": found, "flags": flags,
            "secrets": r.random() < .2,
            "then": r.sample(["again", "restart"], r.randrange(3))}


def reset(r, features):
    """One whose start-up files begin PATH anew."""
    c = case(r, features)
    c["config"]["image"] = "reset"
    c["config"].pop("userEnvProbe", None)
    return c
