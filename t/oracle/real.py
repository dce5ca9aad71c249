#!/usr/bin/env python3
"""real.py - what happens in environments that both programs bring up

The Dev Container CLI works with podman. Each case is a configuration whose
commands note in there that they ran, as whom, where and with which variables.
What both leave, and what a command in there has, must be the same, but for
what KNOWN names with its reason. Needs root.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import subprocess
import sys

import asked
import both
import built
import composed
import life

# Variables that one of them sets for reasons of its own.
KNOWN = {
    "DEVCONTAINER": "envbuilder tells programs so that they are in one",
    "ENVBUILDER": "the same", "DEVCONTAINER_CONFIG": "the same",
    "USER": "envbuilder sets it, and login shells elsewhere do",
    "TERM": "podman gives it to every command",
    "container": "podman says that it is podman",
    "HOSTNAME": "podman makes one up",
    "VSCODE_REMOTE_CONTAINERS_SESSION": "is for its editor",
    # of the shell that notes, not of the two
    "PWD": "", "OLDPWD": "", "SHLVL": "", "_": "",
}

NOTE = r"""#!/bin/sh
echo "$1" >>/notes/order
exec >>"/notes/note-$1"
shift
echo "$(id -un):$(id -gn) in $PWD"
echo "$@"
env | grep -vE '^(%s)=' | sort
""" % "|".join(KNOWN)
# Where it clones from is a directory of the image.
GIT = """#!/bin/sh
for to; do from=$last; last=$to; done
cp -r "${from#file://}" "$to"
"""
LOOK = "cd /notes; tail -n +0 order $(ls | grep -v order)"
ENV = "id -un; pwd; env | grep -vE '^(%s)=' | sort" % "|".join(KNOWN)
DOCKERFILE = """FROM scratch
COPY root /
ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/tool/sbin GREETING=hello ENV=/etc/rc
RUN chown -R bob:bob /home/bob && chmod 1777 /notes /tmp && chmod 666 /notes/order && chmod 755 /bin/*
"""
LABEL = [{"onCreateCommand": "note image1", "remoteEnv": {"L": "label"},
          "remoteUser": "bob", "userEnvProbe": "loginShell"},
         {"id": "old", "postStartCommand": {"x": "note image2"},
          "postCreateCommand": ["note", "image3"],
          "containerEnv": {"L2": "${containerWorkspaceFolder}"}}]
FILES = {
    "bin/note": NOTE,
    "bin/git": GIT,
    "etc/os-release": "ID=busybox\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n"
                  "bob:x:1000:1000::/home/bob:/bin/sh\n",
    "etc/group": "root:x:0:\nbob:x:1000:\n",
    "etc/profile": "echo noise\nexport LOGIN=yes SPACED='a b'\n"
                   "export PATH=/from/profile:$PATH\n",
    "etc/rc": "export RC=yes\n",
    "notes/order": "",
    "seed/file": "of the image\n",
    "bin/serve": "#!/bin/sh\necho \"server $(id -un) $PWD $*\" >>/tmp/started\n"
                 "sleep 999\n",
    "root/x": "", "home/bob/x": "", "tmp/x": "",
    "dots/script/install.sh": "#!/bin/sh\nnote dots.install\n",
    "dots/script/other.sh": "#!/bin/sh\nnote dots.other\n",
    "dots/script/.x": "x\n",
    "dots/plain/.y": "y\n", "dots/plain/z": "z\n",
    "dots/fails/setup": "#!/bin/sh\nnote dots.setup; exit 5\n",
    "dots/nested/script/bootstrap": "#!/bin/sh\nnote dots.nested\n",
}
RESET = r"""FROM base
ENV PATH=/opt/tool/bin:/bin:/opt/late/bin
RUN printf 'PATH="/usr/local/bin:/bin:/usr/games"\nexport PATH\n' >/etc/profile
"""
SERVER = """FROM base
WORKDIR /home
ENTRYPOINT ["serve", "entry"]
CMD ["one", "two words"]
USER bob
"""
ASKING = [{"id": "a", "entrypoint": "echo first $(id -un) >>/tmp/started",
           "mounts": ["type=volume,source=label,target=/m/z"],
           "capAdd": ["SYS_PTRACE"], "init": True},
          {"id": "b", "entrypoint": "echo second $C2 >>/tmp/started",
           "mounts": [{"type": "volume", "source": "l", "target": "/m/a"}]}]
SECRET = "s3cr3t-value"


def order(text):
    """Members of one object run at once: no order between them."""
    head, _, rest = text.partition("\n\n")
    lines, group = [], []
    for line in head.splitlines() + [""]:
        if group and line.split(".")[0] != group[0].split(".")[0]:
            lines += sorted(group)
            group = []
        group.append(line)
    return "\n".join(lines) + "\n\n" + rest


def said(p):
    """The end of what a program said, without its stack."""
    lines = [line for line in (p.stderr + p.stdout).splitlines()
             if not line.startswith("    at ")]
    errors = [line for line in lines if "rror: " in line]
    return "\n".join(line[:200] for line in (errors or lines)[-8:])


def same_path(theirs, ours):
    """The CLI rewrites /etc/profile in a container so that it sets no PATH;
    devenv leaves it alone, and puts what it lost back beside the rest."""
    lines = theirs.splitlines()
    for i, line in enumerate(ours.splitlines()):
        left = lines[i].split(":") if i < len(lines) else []
        mine = iter(line.split(":"))
        if line.startswith("PATH=") and all(d in mine for d in left):
            lines[i] = line
    return "\n".join(lines), "\n".join(ours.splitlines())


class Real(both.Both):
    def __init__(self, args, top):
        super().__init__(args, top)
        self.docker = both.configure_podman(self.top)
        self.service = None
        if shutil.which("docker-compose"):
            self.serve()
        self.images()

    def serve(self):
        """docker-compose works with what speaks for a daemon."""
        self.env["DOCKER_HOST"] = "unix://%s/socket" % self.top
        self.service = subprocess.Popen(
            [self.docker, "system", "service", "--time", "0",
             self.env["DOCKER_HOST"]], env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def must(self, *argv):
        p = self.run(*argv)
        if p.returncode:
            sys.exit("%s: %s" % (argv, p.stderr))
        return p.stdout

    def image(self, name, dockerfile, label):
        """The same bytes for both."""
        archive = str(self.top / "image.tar")
        (self.top / "image/Dockerfile").write_text(dockerfile)
        self.must(self.args.devenv, "build", "-q", "-t", name, "-o",
                  "type=docker,dest=" + archive, "--label",
                  "devcontainer.metadata=" + json.dumps(label),
                  str(self.top / "image"))
        self.must(self.docker, "load", "-q", "-i", archive)
        # This is what the CLI calls it when it builds upon it.
        self.must(self.docker, "tag", name, "localhost/" + name)

    def images(self):
        root = self.top / "image/root"
        busybox = shutil.which("busybox")
        (root / "bin").mkdir(parents=True)
        shutil.copy(busybox, root / "bin/busybox")
        for name in subprocess.check_output([busybox, "--list"],
                                            text=True).split():
            if name != "busybox":
                (root / "bin" / name).symlink_to("busybox")
        for path, text in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            if text.startswith("#!"):
                (root / path).chmod(0o755)
        self.image("base", DOCKERFILE, [])
        self.image("labelled", "FROM base\n", LABEL)
        self.image("reset", RESET, [])
        self.image("server", SERVER, [])
        self.image("asking", "FROM server\n", ASKING)

    def close(self):
        if self.service:
            self.service.terminate()
            self.service.wait()
        self.run(self.docker, "rm", "-f", "-a", "-t", "0")
        with open("/proc/self/mounts", encoding="utf-8") as f:
            left = [line.split()[1] for line in f]
        for place in reversed(left):
            if place.startswith(str(self.top) + "/"):
                self.run("umount", "-l", place)

    # --- the two, step by step ---

    def inside(self, work, failed, command):
        """What a command prints in what each has brought up."""
        argv = ["--workspace-folder", str(work), "--", "sh", "-c", command]
        theirs = self.cli("exec", "--docker-path", self.docker, *argv[:2],
                          *argv[3:])
        ours = (self.devenv("up", "-q", "--skip-hooks", str(work), *argv[2:])
                if failed else self.devenv("exec", *argv))
        if theirs.returncode or ours.returncode:
            return "theirs\n" + said(theirs), "ours\n" + said(ours)
        return theirs.stdout, ours.stdout

    def up(self, work, flags, *ours_only):
        theirs = self.cli("up", "--docker-path", self.docker, "--buildkit",
                          "never", "--docker-compose-path", "docker-compose",
                          "--workspace-folder", str(work), *flags)
        ours = self.devenv("up", "--json", str(work), *flags, *ours_only)
        for who, p in ("theirs", theirs), ("ours", ours):
            if SECRET in p.stdout + p.stderr:
                return False, who + " shows a secret"
        if bool(theirs.returncode) != bool(ours.returncode):
            return False, "theirs %d: %s\nours %d: %s" % (
                theirs.returncode, said(theirs),
                ours.returncode, said(ours))
        return bool(theirs.returncode), ""

    def stop(self):
        for c in self.must(self.docker, "ps", "-q").split():
            self.must(self.docker, "stop", "-t", "0", c)
        for e in json.loads(self.must(self.args.devenv, "ps",
                                      "--format=json")):
            self.must(self.args.devenv, "stop", e["name"])

    def forget(self):
        self.run(self.docker, "rm", "-f", "-a", "-t", "0")
        for e in json.loads(self.must(self.args.devenv, "ps", "-a",
                                      "--format=json")):
            self.must(self.args.devenv, "rm", "-f", e["name"])

    def course(self, work, case):
        known = same_path if case["config"]["image"] == "reset" else (
            lambda *texts: texts)
        flags = list(case["flags"])
        if case["secrets"]:
            path = self.top / "secrets.json"
            path.write_text(json.dumps({"TOKEN": SECRET}))
            flags += ["--secrets-file", str(path)]
        for step in ["first", *case["then"]]:
            if step == "restart":
                self.stop()
            failed, fault = self.up(work, flags)
            if not fault:
                theirs, ours = self.inside(work, failed, LOOK)
                fault = self.unlike(*known(order(theirs), order(ours)))
            if not fault:
                fault = self.unlike(*known(*self.inside(work, failed, ENV)))
            # The CLI takes a command that failed for done, devenv runs it
            # again: from here on they differ.
            if fault or failed:
                return fault and step + ":\n" + fault
        return ""

    def life(self, r, draw, features):
        case = draw(r, features)
        work = self.tree(json.dumps(case["config"]))
        (work / "sub").mkdir()
        for one, more in case["features"].items():
            both.feature(work, one, more,
                         "env | grep -E '^(_|O=|F|GREETING)' | sort >>"
                         "/notes/note-install\n")
        fault = self.course(work, case)
        self.forget()
        return fault and fault + json.dumps(case)

    def asked(self, r, draw, files=False):
        config, beside = draw(r) if files else (draw(r), {})
        work = self.tree(json.dumps(config))
        (work / "data").mkdir()
        (work / "data/file").write_text("of the tree\n")
        (work / "vars").write_text("V1=of a file\n# no\nFOO\n")
        for name, text in beside.items():
            path = work / ".devcontainer" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        failed, fault = self.up(work, [], "--allow-privileged")
        if failed:
            fault = "none of the two comes up"
        if not fault:
            fault = (self.unlike(*self.inside(work, failed, asked.LOOK)) or
                     self.unlike(*self.inside(work, failed, ENV)))
        self.forget()
        return fault and fault + json.dumps([config, beside])


def cases(real, few):
    for seed in range(1 if few else 60):
        yield "life %d" % seed, real.life, life.case, False
    for seed in range(1 if few else 15):
        yield "life with Features %d" % seed, real.life, life.case, True
    for seed in range(0 if few else 6):
        yield "life with PATH anew %d" % seed, real.life, life.reset, False
    for seed in range(2 if few else 60):
        yield "asked for %d" % seed, real.asked, asked.config
    for seed in range(0 if few else 30):
        yield "built %d" % seed, real.asked, built.case, True
    for seed in range(0 if few or not real.service else 25):
        yield "composed %d" % seed, real.asked, composed.case, True


if __name__ == "__main__":
    sys.exit(both.compare(Real, cases))
