#!/usr/bin/env python3
"""shim.py - stands in for docker where the Dev Container CLI asks for it

SHIM_DIR holds label, the text of the image's label; what is to be built is
left there as Dockerfile.out. Nothing is ever run.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import sys

args = sys.argv[1:]
place = lambda name: os.path.join(os.environ["SHIM_DIR"], name)

if args[:1] == ["-v"]:
    print("Docker version 28.2.2, build x")
elif args[:2] == ["buildx", "version"]:
    print("github.com/docker/buildx v0.20.0 x")
elif args[:1] == ["version"]:
    print("28.2.2")
elif args[:3] == ["inspect", "--type", "image"]:
    with open(place("label"), encoding="utf-8") as f:
        labels = {"devcontainer.metadata": f.read()}
    print(json.dumps([{"Id": "x", "Os": "linux", "Architecture": "amd64",
                       "Config": {"User": "", "Env": ["PATH=/bin"],
                                  "Entrypoint": None, "Cmd": None,
                                  "Labels": labels}}]))
elif args[:1] == ["compose"]:
    sys.exit("no compose plugin")
elif "build" in args[:2] and "-f" in args:
    shutil.copy(args[args.index("-f") + 1], place("Dockerfile.out"))
elif args[:1] == ["exec"]:
    sys.exit("nothing is executed")
