# properties.py - ways to the same image that must not make a difference
# SPDX-License-Identifier: Apache-2.0
"""Each is compared, like any other builder, with a plain build."""
import json
import os
import random
import shutil
import subprocess
import time
from dataclasses import replace

from builders import Devenv, scratch, sh


class Property(Devenv):
    """Builds with a store that nobody else has."""

    def build(self, ctx, options, out):
        with scratch(self.tmp) as top:
            return self.way(os.path.join(top, "store"), ctx,
                            self.words(ctx, options, out), out)

    def run(self, store, words, *more):
        return sh(*self.command(store, "build", *more, *words))

    def sound(self, store):
        status, text = sh(*self.command(store, "store", "verify"))
        return status, "the store is unsound: " + text


class Warm(Property):
    """From the cache, and the same to the last byte."""
    name = "warm"

    def way(self, store, ctx, words, out):
        status, text = self.run(store, words)
        if status:
            return status, text
        with open(out + "/index.json", "rb") as f:
            cold = f.read()
        shutil.rmtree(out)
        status, text = self.run(store, words)
        if status == 0:
            with open(out + "/index.json", "rb") as f:
                if f.read() != cold:
                    return 1, "the cache gives another image"
        return status, text


class NoCache(Property):
    name = "no-cache"

    def way(self, store, ctx, words, out):
        self.run(store, words)
        shutil.rmtree(out, ignore_errors=True)
        return self.run(store, words, "--no-cache")


class Killed(Property):
    """After a build that was killed at any point."""
    name = "killed"

    def way(self, store, ctx, words, out):
        delay = random.Random(str(words[:-2])).random() * 0.4
        p = subprocess.Popen(self.command(store, "build", *words),
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(delay)
        p.kill()
        p.wait()
        shutil.rmtree(out, ignore_errors=True)
        status, text = self.sound(store)
        return self.run(store, words) if status == 0 else (status, text)


class Resumed(Property):
    """From a record in a file, which a pipe must equal."""
    name = "resumed"

    def way(self, store, ctx, words, out):
        given = words[:-2]  # but the output and the context
        record = subprocess.run(self.command(store, "parse", *given, ctx),
                                stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        if record.returncode:
            return record.returncode, "parse refuses it"
        saved, ids = store + ".record", [store + ".id1", store + ".id2"]
        with open(saved, "wb") as f:
            f.write(record.stdout)
        status, text = self.run(store, [words[-2], "--iidfile=" + ids[0],
                                        saved])
        if status:
            return status, text
        piped = subprocess.run(
            self.command(store, "build", "--iidfile=" + ids[1], "-"),
            input=record.stdout, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        with open(ids[0]) as a, open(ids[1]) as b:
            same = piped.returncode == 0 and a.read() == b.read()
        return (0, "") if same else (1, "a pipe gives another image")


class Chroot(Property):
    """Where nothing may be mounted."""
    name = "chroot"
    lacks = frozenset({"mount"})

    def way(self, store, ctx, words, out):
        return self.run(store, words, "--driver=chroot")


class Remote(Property):
    """From a registry's cache, which all cases share."""
    name = "remote"

    def way(self, store, ctx, words, out):
        cache = "--cache-repo=" + self.base.replace("busybox", "steps")
        status, text = self.run(store, words, cache)
        if status:
            return status, text
        shutil.rmtree(out)
        status, text = self.run(store + ".other", words, cache)
        record, _ = json.JSONDecoder().raw_decode(text[text.index("{\n"):])
        if not all(s["cached"] for s in record["image"]["steps"]
                   if s["key"]):
            return 1, "a step was not in the cache: " + text
        return status, text


class Reproducible(Property):
    """With times that are bounded, the same to the last byte anywhere."""
    name = "reproducible"

    def way(self, store, ctx, words, out):
        text = []
        for n in "12":
            shutil.rmtree(out, ignore_errors=True)
            status, said = self.run(store + n, [
                "--build-arg=SOURCE_DATE_EPOCH=1650000000",
                *(w.replace("type=oci,", "type=oci,rewrite-timestamp=true,")
                  for w in words)])
            if status:
                return status, said
            with open(out + "/index.json") as f:
                text.append(f.read())
        if text[0] != text[1]:
            return 1, "another day, another image"
        shutil.rmtree(out)
        return self.run(store + "1", words)


class Rootless(Property):
    """By a user with subordinate ids, $DIFFERENTIAL_USER, who may read all
    of the context."""
    name = "rootless"
    lacks = frozenset({"high id"})

    def adapt(self, case):
        return replace(case, files=[replace(f, mode=f.mode | (
            0o555 if f.kind == "d" else 0o444)) for f in case.files])

    def command(self, *words):
        user = os.environ["DIFFERENTIAL_USER"]
        return ["setpriv", "--reuid", user, "--regid", user,
                "--clear-groups", *super().command(*words)]

    def way(self, store, ctx, words, out):
        os.chmod(ctx, 0o755)
        for top in (os.path.dirname(out), os.path.dirname(store)):
            shutil.chown(top, os.environ["DIFFERENTIAL_USER"])
        return self.run(store, words)


ALL = [Warm, NoCache, Killed, Resumed, Chroot, Remote, Reproducible, Rootless]
