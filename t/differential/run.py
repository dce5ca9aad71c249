# run.py - build random cases with several programs and compare the results
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import sys
import time
from collections import Counter

import builders
import known
import properties
from compare import Difference, differences, show
from generate import Generator

KINDS = [builders.Buildah, builders.Docker, *properties.ALL]
TRIES = 150  # builds that making one case small may take


class Runner:
    def __init__(self, tmp, base, peers, keep):
        self.tmp, self.base, self.keep = tmp, base, keep
        self.start = int(time.time())
        self.devenv = builders.Devenv(tmp, base)
        self.peers = [kind(tmp, base) for kind in KINDS
                      if kind.name in peers]
        self.count = Counter()

    def judge(self, peer, case, ours):
        """The differences that nothing explains."""
        theirs = builders.build(peer, case, self.tmp)
        self.words = ours[1], theirs[1]
        if (ours[0] == 0) != (theirs[0] == 0):
            found = [Difference("status", "", *[
                "%d: %s" % (s, t[-300:]) if s else "it builds"
                for s, t, _ in (ours, theirs)])]
        elif ours[0]:
            self.count["fail alike"] += 1
            return []
        else:
            found = list(differences(ours[2], theirs[2], self.start))
            found += [Difference("layer", f, None, None)
                      for f in ours[2].faults]
        return [d for d in found if not known.explained(peer.name, d, case)]

    def fresh(self, peer, case):
        with builders.scratch(self.tmp) as tmp:
            devenv = builders.Devenv(tmp, self.base)
            return self.judge(peer, case,
                              builders.build(devenv, case, self.tmp))

    def smallest(self, peer, case, found):
        kinds = {d.kind for d in found}
        tries, again = TRIES, True
        while again and tries > 0:
            again = False
            for smaller in case.smaller():
                tries -= 1
                left = [d for d in self.fresh(peer, smaller)
                        if d.kind in kinds]
                if left:
                    case, found, again = smaller, left, True
                    break
                if tries <= 0:
                    break
        return case, found

    def report(self, peer, case, found, seed):
        where = os.path.join(self.keep, "%s-%d" % (peer.name, seed))
        os.makedirs(where, exist_ok=True)
        builders.write(case, where)
        print("seed %d: devenv and %s differ: %s" % (seed, peer.name, where))
        if case.options:
            print("  options: " + " ".join(map(repr, case.options)))
        for line in case.text(False).splitlines():
            print("  | " + line)
        for d in found[:8]:
            print("  " + show(d))
        sys.stdout.flush()

    def case(self, seed):
        drawn = Generator(seed).case()
        first = builders.build(self.devenv, drawn, self.tmp)
        for peer in self.peers:
            case, ours = peer.adapt(drawn), first
            if case is not drawn:
                ours = builders.build(self.devenv, case, self.tmp)
            if case.needs & peer.lacks:
                self.count["not for " + peer.name] += 1
                continue
            found = self.judge(peer, case, ours)
            self.count[peer.name] += 1
            if not found:
                continue
            self.count["differ"] += 1
            small = case
            if self.fresh(peer, case):
                small, found = self.smallest(peer, case, found)
            else:
                found.append(Difference("cache", "only with an older store",
                                        None, None))
            self.report(peer, small, found, seed)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seeds", default="1-50")
    p.add_argument("--keep", default="")
    p.add_argument("--peers", default="buildah")
    p.add_argument("--tmp", required=True)
    p.add_argument("--base", required=True)
    a = p.parse_args()
    first, _, last = a.seeds.partition("-")
    runner = Runner(a.tmp, a.base, a.peers.split(), a.keep or a.tmp + "/keep")
    for seed in range(int(first), int(last or first) + 1):
        runner.case(seed)
    print(", ".join("%s %d" % x for x in sorted(runner.count.items())))
    for rule in (rule for rule in known.RULES if rule.count):
        print("%5d %s: %s" % (rule.count, " ".join(rule.peers),
                              " ".join(rule.__doc__.split())))
    return 1 if runner.count["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
