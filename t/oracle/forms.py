"""forms.py - every property of a configuration in every form it may have"""
# SPDX-License-Identifier: Apache-2.0

COMMAND = ["echo a b", ["echo", "a b"], {"x": "echo a", "y": ["echo", "b"]},
           "", " ", [], {}, {"": "x"}, {"x": ""}, ["a", ""], "a\nb",
           "${localEnv:FOO} $HOME ${HOME}", ["${containerEnv:PATH}"]]
STRING = ["a", "", " a ", "ü\U0001f600", "${localEnv:FOO}",
          "x${localWorkspaceFolderBasename}y", "${devcontainerId}"]
STRINGS = [[], ["a"], ["b", "a", "b"], [""], ["${localEnv:FOO}", "$FOO"]]
SWITCH = [True, False]
ENV = [{}, {"A": "b", "": "c"}, {"B": "", "A": "b"},
       {"a.b-c": "${containerEnv:PATH}:/x", "P": "$PATH"},
       {"A": "${localEnv:NO:else}", "B": "${localEnv:EMPTY:else}"},
       {"2": "b", "1": "a"}]
# An object with one of these, or with nothing the specification knows.
PORT = [{}, {"label": "web"}, {"protocol": "https"}, {"protocol": "http"},
        {"onAutoForward": "notify"}, {"onAutoForward": "openBrowser"},
        {"onAutoForward": "openBrowserOnce"}, {"onAutoForward": "openPreview"},
        {"onAutoForward": "silent"}, {"onAutoForward": "ignore"},
        {"requireLocalPort": True}, {"elevateIfNeeded": False},
        {"label": "a", "protocol": "https", "x": [1]}]
SIZES = ["1", "4kb", "8mb", "16gb", "2tb", "007gb"]
GPU = [True, False, "optional", {}, {"cores": 2}, {"memory": "8gb"},
       {"cores": 1, "memory": "1024mb"}]
MOUNT = [
    "type=bind,source=/a,target=/b", "source=a,target=/b,type=volume",
    "type=volume,src=a,dst=/b", "destination=/b,type=tmpfs",
    "type=bind,source=/a,target=/b,readonly,consistency=cached",
    'type=bind,"source=/a,b",target=/c', {"type": "volume", "target": "/b"},
    {"type": "bind", "source": "/a", "target": "/b"},
    {"type": "volume", "source": "v-${devcontainerId}", "target": "/b"}]

FORMS = {
    "$schema": ["https://example.com/schema.json"],
    "name": STRING,
    "build": [
        {"dockerfile": "Dockerfile"},
        {"dockerfile": "../Dockerfile", "context": ".."},
        {"dockerfile": "Dockerfile", "target": "x", "args": {}},
        {"dockerfile": "Dockerfile", "args": {"A": "${localEnv:FOO}", "B": ""}},
        {"dockerfile": "Dockerfile", "cacheFrom": "a/b:c"},
        {"dockerfile": "Dockerfile", "cacheFrom": ["a", "type=local,src=x"]},
        {"dockerfile": "Dockerfile", "options": ["--label", "a=b",
                                                 "--network=host"]},
        {"dockerfile": "Dockerfile", "options": [], "cacheFrom": []}],
    "dockerFile": ["Dockerfile", "../Dockerfile"],
    "dockerComposeFile": ["compose.yml", ["a.yml", "../b.yml"], []],
    "workspaceFolder": ["/w", "/w/${localWorkspaceFolderBasename}", "/",
                        "/w/", "/a b/${localEnv:NO:d}"],
    "workspaceMount": [
        "", "source=${localWorkspaceFolder},target=/w,type=bind",
        "source=${localWorkspaceFolder}/..,target=/w,type=bind,"
        "consistency=cached", "type=volume,source=v,target=/w"],
    "appPort": [3000, "3000", "80:3000", [], [3000], [3000, "80:81"],
                "127.0.0.1:80:81", ["8000-8010:8000-8010"]],
    "runArgs": STRINGS + [["--env", "A=${localEnv:FOO}", "-v=/a:/b"]],
    "overrideCommand": SWITCH,
    "shutdownAction": ["none", "stopContainer"],
    "init": SWITCH,
    "privileged": SWITCH,
    "capAdd": STRINGS,
    "securityOpt": STRINGS + [["seccomp=unconfined", "label=disable"]],
    "mounts": [[], *([m] for m in MOUNT), MOUNT],
    "containerEnv": ENV,
    "remoteEnv": ENV + [{"A": None}, {"A": None, "B": "b"}],
    "containerUser": STRING,
    "remoteUser": STRING,
    "updateRemoteUserUID": SWITCH,
    "userEnvProbe": ["none", "loginShell", "interactiveShell",
                     "loginInteractiveShell"],
    "forwardPorts": [[], [80], ["db:5432"], ["localhost:80"], ["80"],
                     [80, "80", "localhost:80", 80, "db:80"], [0, 65535]],
    "portsAttributes": [{}, *({"3000": p} for p in PORT),
                        {"80": {}, "1-9": {"label": "r"}, "/a.*b/": {},
                         "db:5432": {"label": "d"}}],
    "otherPortsAttributes": PORT,
    "features": [{}, {"./f": {}}, {"./f": "1"}, {"./f": True},
                 {"./f": {"a": "b", "c": True}}],
    "overrideFeatureInstallOrder": [[], ["./f"], ["a/b/c", "d/e/f"]],
    "customizations": [{}, {"vscode": {"extensions": ["a.b"],
                                       "settings": {"x.y": [1, None, {}]}}},
                       {"codespaces": {"openFiles": ["a"]}, "other": 5,
                        "n": None, "l": [True]}],
    "extensions": STRINGS,
    "settings": [{}, {"a.b": 1, "c": {"d": [None]}}],
    "devPort": [3000, 0],
    "hostRequirements": [{}, {"cpus": 4}, {"cpus": 1, "memory": "4gb"},
                         *({"memory": s, "storage": s} for s in SIZES),
                         *({"gpu": g} for g in GPU)],
    "secrets": [{}, {"A": {}}, {"A_1": {"description": "d"}},
                {"A": {"description": "d", "documentationUrl": "u"}}],
    "initializeCommand": COMMAND,
    "onCreateCommand": COMMAND,
    "updateContentCommand": COMMAND,
    "postCreateCommand": COMMAND,
    "postStartCommand": COMMAND,
    "postAttachCommand": COMMAND,
    "waitFor": ["initializeCommand", "onCreateCommand",
                "updateContentCommand", "postCreateCommand",
                "postStartCommand"],
    "notInTheSpecification": [None, 5, 1.5, "a", [{}], {"a": {"b": []}},
                              "${localEnv:FOO}"],
    "entrypoint": ["of labels alone"],
    "id": ["of labels alone"],
}
# What a property needs beside it, else there is an image.
BESIDE = {
    "build": {}, "dockerFile": {"context": ".."}, "dockerComposeFile": {
        "service": "one", "runServices": ["one", "two"],
        "workspaceFolder": "/w", "shutdownAction": "stopCompose"},
    "features": {"image": "image", "overrideFeatureInstallOrder": ["./f"]},
}


def configurations():
    """(name, configuration) of each form."""
    for name, values in FORMS.items():
        for i, value in enumerate(values):
            yield "%s, form %d" % (name, i), {
                **BESIDE.get(name, {"image": "image"}), name: value}
    # the old places beside the new ones, which win or lose
    yield "settings and extensions in both places", {
        "image": "image", "extensions": ["a", "b"], "settings": {"s": 1},
        "devPort": 1, "customizations": {"vscode": {
            "extensions": ["b", "c"], "settings": {"s": 2, "t": 3},
            "devPort": 2}}}
    yield "both spellings of a Dockerfile", {
        "dockerFile": "a", "context": "b", "build": {
            "dockerfile": "c", "context": "d"}}
    yield "neither image nor Dockerfile", {"name": "x"}
