# run.py - commands that speak to servers, among faults drawn from seeds
# SPDX-License-Identifier: Apache-2.0
import argparse
import hashlib
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter

import cases
from plan import NoPlan, Plan
from proxy import Proxy

BOUND = 60  # seconds a command may take among faults
FILES = {"add": cases.FILE}


class Run:
    """One seed: its store, and what it was told."""

    def __init__(self, seed, tmp, proxy, known, context):
        self.seed, self.proxy, self.known = seed, proxy, known
        self.host, self.context = proxy.host, context
        self.tmp = os.path.join(tmp, "s%d" % seed)
        self.store = os.path.join(self.tmp, "store")
        self.home = os.path.join(tmp, "home")
        os.makedirs(self.tmp)

    def devenv(self, *words, store=None):
        """(status, record or None, what it said, seconds)"""
        env = dict(os.environ, HOME=self.home)
        start = time.time()
        p = subprocess.run(["timeout", "-k", "5", str(BOUND + 30),
                            os.environ["DEVENV"], "--store",
                            store or self.store, *words],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           env=env)
        try:
            record = json.loads(p.stdout)
        except ValueError:
            record = None
        return (p.returncode, record, p.stderr.decode(errors="replace"),
                time.time() - start)

    def ok(self, *words, store=None):
        status, record, said, _ = self.devenv(*words, store=store)
        if status:
            raise cases.Wrong("without faults: %s: status %d\n%s" %
                              (" ".join(words), status, said))
        return record

    def upstream(self, repository, method, path):
        headers = {}
        if self.proxy.tokens:
            headers["Authorization"] = "Bearer " + cases.token(
                self.proxy.tokens, repository)
        return cases.ask(self.proxy.registry, method, path, **headers)

    def same(self, case, record):
        found = case.result(record)
        if found != case.want():
            raise cases.Wrong("it made %s instead of %s" %
                              (found, case.want()))

    def judge(self, case, status, record, said, seconds):
        errors = [line for line in said.splitlines()
                  if line.startswith("devenv: ")]
        if seconds > BOUND:
            raise cases.Wrong("it took %d s" % seconds)
        if not status:
            self.same(case, record)
        elif not (status in case.statuses or
                  # whichever of the two is wrong
                  status == 3 and "digest mismatch for http" in said):
            raise cases.Wrong("it ended with status %d" % status)
        elif not errors:
            raise cases.Wrong("it failed without a word")

    def do(self, case, plan):
        case.prepare()
        words = case.words()
        self.proxy.use(plan)
        status, record, said, seconds = self.devenv(*words)
        self.proxy.use(NoPlan())
        try:
            self.judge(case, status, record, said, seconds)
            self.ok("store", "verify")
            case.after()
            self.same(case, self.ok(*words))
            self.ok("store", "verify")
        except cases.Wrong as e:
            raise cases.Wrong("%s\n  %s\n  plan:\n%s\n  status %d, %.1f s:\n%s"
                              % (e, " ".join(words),
                                 "\n".join("    " + d for d in plan.done),
                                 status, seconds, said)) from None
        return status, seconds


class Worker(threading.Thread):
    """Takes seeds from a queue; its proxy stays, as its port is a part of
    what is built."""

    def __init__(self, tmp, proxy, seeds, report, keep):
        super().__init__(daemon=True)
        self.tmp, self.proxy, self.seeds = tmp, proxy, seeds
        self.report, self.keep = report, keep
        self.context = os.path.join(self.tmp, "context")
        os.makedirs(self.tmp)
        cases.write_context(self.context, self.proxy.host,
                            hashlib.sha256(cases.FILE).hexdigest())
        self.known = {}
        self.log_in()

    def log_in(self):
        place = os.path.join(self.tmp, "home/.docker")
        os.makedirs(place)
        with open(os.path.join(place, "config.json"), "w") as f:
            json.dump({"auths": {self.proxy.host: {
                "username": "me", "password": "s3cret-pass"}}}, f)

    def learn(self, kind):
        """What it gives when nothing is wrong."""
        run = Run(0, self.tmp, self.proxy, self.known, self.context)
        case = kind(run)
        case.prepare()
        self.known[kind.gives] = case.result(run.ok(*case.words()))
        shutil.rmtree(run.tmp)

    def run(self):
        while True:
            try:
                seed = self.seeds.get_nowait()
            except queue.Empty:
                return
            self.one(seed)

    def one(self, seed):
        kind = random.Random("case %d" % seed).choice(cases.ALL)
        run = Run(seed, self.tmp, self.proxy, self.known, self.context)
        case = kind(run)
        plan = Plan(seed, case.only)
        try:
            if kind.gives not in self.known:
                self.learn(kind)
            status, seconds = run.do(case, plan)
            self.report(seed, kind, len(plan.done), status=status,
                        seconds=seconds)
        except cases.Wrong as e:
            self.report(seed, kind, len(plan.done), str(e))
            os.makedirs(self.keep, exist_ok=True)
            with open(os.path.join(self.keep, "%d" % seed), "w") as f:
                f.write(str(e))
        shutil.rmtree(run.tmp, ignore_errors=True)


class Report:
    def __init__(self, verbose):
        self.count, self.lock = Counter(), threading.Lock()
        self.verbose, self.longest = verbose, 0

    def __call__(self, seed, kind, faults, wrong=None, status=None,
                 seconds=0):
        with self.lock:
            self.count["runs"] += 1
            self.count["faults"] += faults or 0
            self.longest = max(self.longest, seconds)
            if wrong:
                self.count["wrong"] += 1
                print("seed %s (%s): %s" % (seed, kind and kind.__name__,
                                            wrong))
            else:
                self.count["status %d" % status] += 1
                if self.verbose:
                    print("seed %d (%s): status %d, %d faults, %.1f s" %
                          (seed, kind.__name__, status, faults, seconds))
            sys.stdout.flush()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seeds", default="1-20")
    for name in "--registry", "--guarded", "--tokens":
        p.add_argument(name, required=True)
    p.add_argument("--tmp", required=True)
    p.add_argument("--keep", required=True)
    p.add_argument("--jobs", type=int, default=6)
    p.add_argument("-v", action="store_true")
    a = p.parse_args()
    first, _, last = a.seeds.partition("-")
    kinds = [queue.Queue() for _ in range(2)]
    report, workers = Report(a.v), []
    for seed in range(int(first), int(last or first) + 1):
        kinds[seed % 3 == 0].put(seed)
    for i in range(max(a.jobs, 2)):
        with_token = i % 3 == 1
        proxy = (Proxy(a.guarded, a.tokens, FILES) if with_token
                 else Proxy(a.registry, None, FILES))
        workers.append(Worker(os.path.join(a.tmp, "w%d" % i), proxy,
                              kinds[with_token], report, a.keep))
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    print(", ".join("%s %d" % x for x in sorted(report.count.items())) +
          ", at most %.1f s" % report.longest)
    return 1 if report.count["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
