# plan.py - which request of a run goes wrong, and how; drawn from a seed
# SPDX-License-Identifier: Apache-2.0
import random
import re

FAULTS = ["delay", "reset", "silent", "stall", "interim", "garbage", "no-head",
          "slow-head", "slow-body", "headers", "429", "429-date", "408",
          "500", "502", "503", "504", "403", "404", "teapot", "challenge",
          "expired", "redirects", "inward", "cut", "cut-chunked",
          "truncated", "short", "long", "empty", "corrupt", "swapped",
          "huge", "digest-header", "broken-json", "no-location",
          "bad-location", "cut-upload", "lost"]

# Those that only some kinds of requests can suffer.
ONLY = {
    "corrupt": "GET", "swapped": "GET", "huge": "GET", "short": "GET",
    "long": "GET", "empty": "GET", "truncated": "GET", "cut": "GET",
    "cut-chunked": "GET", "slow-body": "GET", "digest-header": "GET",
    "broken-json": "GET", "no-location": "POST", "bad-location": "POST",
    "cut-upload": "PUT", "lost": "POST PUT DELETE",
}


class Plan:
    """Faults by request: the same seed does the same to the same requests.

    `only` limits them to paths that match. A lasting plan does to every try
    what it does to the first.
    """

    def __init__(self, seed, only=""):
        draw = random.Random(seed)
        self.seed = seed
        self.only = re.compile(only)
        self.share = draw.choice([0.04, 0.1, 0.25, 0.6])
        self.lasting = draw.random() < 0.3
        self.faults = draw.sample(FAULTS, draw.randint(1, 12))
        self.seen = {}
        self.done = []

    def fault(self, method, path):
        # Uploads have names of chance.
        name = "%s %s" % (method, re.sub("uploads/.*", "uploads", path))
        nth = self.seen[name] = self.seen.get(name, 0) + 1
        draw = random.Random("%s %s %d" % (self.seed, name,
                                           0 if self.lasting else nth))
        able = [f for f in self.faults
                if method in ONLY.get(f, method).split()]
        if (not self.only.search(path) or not able or
                draw.random() >= self.share):
            return None, draw
        found = draw.choice(able)
        self.done.append("%s %s: %s" % (method, path, found))
        return found, draw


class NoPlan:
    done = ()

    def fault(self, method, path):
        return None, None
