# cases.py - what a run does: a command among faults, and what has to hold
# SPDX-License-Identifier: Apache-2.0
import http.client
import json
import os
import shutil

FILE = b"".join(b"line %d of a file from the network\n" % i
                for i in range(2000))
TRIES = ["--registry-retries=3", "--registry-stall=1"]


class Wrong(Exception):
    """Something that no fault of a server may lead to."""


def section(record, *names):
    for name in names:
        record = (record or {}).get(name)
    return record


class Case:
    """One command. `only` limits the faults to paths that match; cases
    that have the same in `gives` have the same result."""
    only = ""
    gives = ""
    statuses = 5, 6  # what it may end with when it does not succeed

    def __init__(self, run):
        self.run = run

    def prepare(self):
        """Without faults, before."""

    def words(self):
        raise NotImplementedError

    def result(self, record):
        """What a success gives, to be compared with `want`."""
        return section(record, "image", "config_digest")

    def want(self):
        return self.run.known[self.gives]

    def after(self):
        """Whether it succeeded or not."""


class Pull(Case):
    gives = "multi:1"

    def words(self):
        return ["pull", *TRIES, self.run.host + "/" + self.gives]


class PullSingle(Pull):
    gives = "big:1"


class Push(Case):
    """What is there under its name after a push is whole, or nothing is."""
    gives = "pushed"

    def prepare(self):
        self.run.ok("pull", self.run.host + "/big:1")

    def words(self):
        return ["push", *TRIES, self.run.host + "/big:1",
                "%s/pushed/s%d:1" % (self.run.host, self.run.seed)]

    def result(self, record):
        return section(record, "pushed")[0]["digest"]

    def after(self):
        name = "pushed/s%d" % self.run.seed
        place = "/v2/%s/" % name
        status, body, _ = self.run.upstream(name, "GET",
                                            place + "manifests/1")
        if status == 404:
            return
        m = json.loads(body)
        for d in [m["config"], *m["layers"]]:
            status, _, length = self.run.upstream(
                name, "HEAD", place + "blobs/" + d["digest"])
            if status != 200 or int(length) != d["size"]:
                raise Wrong("a tag without its blob " + d["digest"])


class Build(Case):
    """Into a layout, in which nothing depends on when it was built."""
    gives = "built"

    def output(self):
        return os.path.join(self.run.tmp, "out")

    def build(self, *options):
        return ["build", "--build-arg=SOURCE_DATE_EPOCH=1600000000",
                "--output=type=oci,tar=false,rewrite-timestamp=true,dest=" +
                self.output(), *options, self.run.context]

    def words(self):
        return self.build(*TRIES)

    def result(self, record):
        """Digests of the manifest, the configuration, the layers."""
        with open(os.path.join(self.output(), "index.json")) as f:
            found = [json.load(f)["manifests"][0]]
        with open(os.path.join(self.output(), "blobs/sha256",
                               found[0]["digest"][7:])) as f:
            m = json.load(f)
        shutil.rmtree(self.output())
        return " ".join(d["digest"][7:19]
                        for d in found + [m["config"]] + m["layers"])


class BuildReading(Build):
    """With the steps of another store in a cache: those that cannot be had
    are run."""

    def prepare(self):
        self.cache = "%s/cache/s%d" % (self.run.host, self.run.seed)
        other = self.run.store + "-other"
        self.run.ok(*self.build("--cache-to", self.cache), store=other)
        shutil.rmtree(self.output())

    def words(self):
        return self.build(*TRIES, "--cache-from", self.cache)


class BuildReadingCache(BuildReading):
    """Nothing but the cache goes wrong: no reason to fail."""
    only = "/cache/"
    statuses = ()


class BuildWriting(Build):
    """What is published among faults is of use, or nobody takes it."""
    only = "/cache/"
    statuses = ()

    def words(self):
        self.cache = "%s/cache/s%d" % (self.run.host, self.run.seed)
        return self.build(*TRIES, "--cache-to", self.cache)

    def after(self):
        other = self.run.store + "-other"
        record = self.run.ok(*self.build("--cache-from", self.cache),
                             store=other)
        if self.result(record) != self.want():
            raise Wrong("the cache gave another image")
        self.run.ok("store", "verify", store=other)


ALL = [Pull, PullSingle, Push, Build, BuildReading, BuildReadingCache,
       BuildWriting]


def ask(place, method, path, **headers):
    c = http.client.HTTPConnection(place, timeout=30)
    c.request(method, path, headers=dict(
        headers, Accept="application/vnd.oci.image.manifest.v1+json"))
    r = c.getresponse()
    found = r.status, r.read(), r.getheader("Content-Length")
    c.close()
    return found


def token(place, repository):
    """For reading, which anybody may."""
    _, body, _ = ask(place, "GET", "/token?service=test-service&scope="
                     "repository:%s:pull" % repository)
    return json.loads(body)["token"]


def write_context(top, host, checksum):
    """A build that reads all that a build can read from the network."""
    os.makedirs(top, exist_ok=True)
    with open(os.path.join(top, "file"), "w") as f:
        f.write("of the context\n")
    with open(os.path.join(top, "Dockerfile"), "w") as f:
        f.write("""FROM %(host)s/base:1 AS tool
RUN echo tool >/tool
FROM %(host)s/base:1
COPY --from=%(host)s/big:1 /one /one
ADD --checksum=sha256:%(sum)s http://%(host)s/files/add /added
COPY file /file
COPY --from=tool /tool /tool
RUN cat /tool /file >/all
""" % {"host": host, "sum": checksum})
