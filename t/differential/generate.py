# generate.py - random Dockerfiles with contexts; the same seed, the same case
# SPDX-License-Identifier: Apache-2.0
"""A case is a list of context files, lines of an ignore file, instructions
and options. Nothing in it depends on anything but the seed, and each part
can be left out without touching the others, so that a case that shows a
fault can be made small."""
import json
import random
import re
from dataclasses import dataclass, field, replace

from context import File

PLAIN = ["f", "g", "x.txt", "y.md", "z.md", "run.sh", ".hid"]
ODD = ["sp ace", "\u00fcn\u00ef", "q'uote", 'dq"q', "dol$lar", "br[1]", "st*r",
       "back\\slash", "-dash", "new\nline", "#hash", "!ex", "~t", "%41",
       "\u4e2d\u6587", "l" * 120]
DIRS = ["a", "a/b", "a/b/c", "d", "d/sp d", "e", "e/.h"]
MODES = [0o644, 0o644, 0o644, 0o600, 0o755, 0o444, 0o640, 0o777, 0o4755,
         0o2755, 0o1644, 0o000]
DIR_MODES = [0o755, 0o755, 0o755, 0o700, 0o777, 0o1777, 0o2775, 0o555]
HIGH = "2000000000:5"  # in no range of subordinate ids
OWNERS = ["bob", "1000", "4242", "bob:staff", "1000:50", "0:0", "nogroup",
          "7:wheel", HIGH]
CHMODS = ["600", "0755", "777", "4711", "01777", "0"]
USERS = ["root", "bob", "1000", "1000:50", "bob:staff", "nogroup", "4242",
         "0", "4242:10", "bob:0"]
NAMES = ["A", "B", "C", "LONG_name", "a", "_x", "E1"]
EPOCH = 1600000000
NOW = 2100000000  # a time that is not compared


@dataclass
class Step:
    """One instruction; `peer` says the same to a builder without heredocs,
    and needs files that only it copies."""
    text: str
    needs: frozenset = frozenset()
    peer: str = None
    files: list = field(default_factory=list)


@dataclass
class Case:
    seed: int
    files: list
    ignore: list
    steps: list
    options: list

    @property
    def needs(self):
        return frozenset().union(*(s.needs for s in self.steps))

    def text(self, peer):
        return "".join((s.peer if peer and s.peer else s.text) + "\n"
                       for s in self.steps)

    def all_files(self):
        return self.files + [f for s in self.steps for f in s.files]

    def smaller(self):
        """What is left when one part is left out, large parts first."""
        for name in ("steps", "files", "ignore", "options"):
            parts = getattr(self, name)
            size = len(parts) // 2
            while size:
                for i in range(0, len(parts), size):
                    yield replace(self, **{name: parts[:i] + parts[i + size:]})
                size //= 2


class Generator:
    def __init__(self, seed):
        self.seed = seed
        self.r = random.Random(seed)
        self.stages = []  # of (name or None, paths that are there)
        self.there = []  # in this stage
        self.bodies = 0
        self.args = False  # a stage has some

    def maybe(self, chance):
        return self.r.random() < chance

    def pick(self, *choices):
        return self.r.choice(choices)

    # --- context ---

    def content(self):
        if self.maybe(0.1):
            return b""
        if self.maybe(0.05):
            return bytes([self.r.randrange(256)]) * self.r.randrange(70000)
        return b"%d\n" % self.r.randrange(1000)

    def name(self):
        return self.r.choice(ODD if self.maybe(0.2) else PLAIN)

    def plain_file(self, path):
        f = File(path, "-", self.r.choice(MODES), self.content(),
                 EPOCH + self.r.randrange(10 ** 7))
        if self.maybe(0.08):
            f.xattrs = {"user.test": b"v%d" % self.r.randrange(9)}
        return f

    def link(self, path):
        return File(path, "l", 0o777, self.pick(
            "f", "x.txt", "a", "../a", "b/c", "nowhere", "/etc/passwd",
            "/nowhere", path.rpartition("/")[2], "..", ".", "a/../d",
            "../../../../f").encode(), EPOCH)

    def archive(self, path):
        members = [File("t", "d", self.r.choice(DIR_MODES), b"", EPOCH)]
        for i in range(self.r.randrange(1, 5)):
            f = self.plain_file(self.pick("", "t/", "u/v/") + "m%d" % i)
            f.owner = self.pick((0, 0), (1000, 50), (4242, 4243))
            members.append(f)
        if self.maybe(0.5):
            members.append(self.link("t/link"))
        if self.maybe(0.3):
            members.append(replace(members[1], path="t/hard", kind="h",
                                   data=members[1].path.encode()))
        return File(path, "t", 0o644, self.pick("", "gz", "bz2", "xz"), EPOCH,
                    members=members)

    def context(self):
        dirs = self.r.sample(DIRS, self.r.randrange(2, len(DIRS)))
        files = {}
        for d in dirs:
            for i in range(1, d.count("/") + 2):
                up = "/".join(d.split("/")[:i])
                files.setdefault(up, File(up, "d", self.r.choice(DIR_MODES),
                                          b"", EPOCH + len(files)))
        self.dirs = list(files)
        places = [""] + [d + "/" for d in self.dirs]
        for _ in range(self.r.randrange(3, 14)):
            path = self.r.choice(places) + self.name()
            if path not in files:
                files[path] = (self.link(path) if self.maybe(0.15) else
                               self.plain_file(path))
        self.plain = [p for p, f in files.items() if f.kind == "-"]
        if not self.plain:
            files["f"] = self.plain_file("f")
            self.plain = ["f"]
        for i in range(self.pick(0, 0, 0, 1, 2)):
            path = self.r.choice(places) + "hard%d" % i
            files[path] = File(path, "h", 0, self.r.choice(self.plain)
                               .encode(), EPOCH)
        self.archives = []
        for i in range(self.pick(0, 0, 1)):
            path = self.r.choice(places) + "x%d.tar" % i
            files[path] = self.archive(path)
            self.archives.append(path)
        return list(files.values())

    def ignore(self):
        if self.maybe(0.6):
            return []
        patterns = ["*.md", "**/x.txt", "a", "a/*", "a/b", "# f", "", "/d",
                    "a/**", "*/f", "?", "[a-c]", "[^a-d]", "a/../d", "e/",
                    "  .hid", "**/.h*", "**", "*", "d/sp d", "\u00fc*",
                    "a/b/c/f", "./g", "**/b/**", "*/*/f", "st\\*r"]
        lines = []
        for _ in range(self.r.randrange(1, 6)):
            p = self.r.choice(patterns)
            lines.append(("!" if self.maybe(0.35) and p.strip() and
                          p[0] != "#" else "") + p)
        return lines

    # --- words ---

    def word(self, depth=0):
        """A piece of ENV, ARG, LABEL with expansion and quotes."""
        v = self.r.choice(NAMES)
        inner = "w" if depth > 1 else self.word(depth + 1)
        return "".join(self.pick(
            "lit", "1.2", "x", "$" + v, "${" + v + "}", "${%s:-%s}" %
            (v, inner), "${%s:+%s}" % (v, inner), '"a b"', "'$%s q'" % v,
            '"$%s \\" b"' % v, "\\$" + v, "\\ s", "/p:$%s" % v, '""',
            "-=", "\u00e9") for _ in range(self.r.randrange(1, 4)))

    def pairs(self):
        return " ".join("%s=%s" % (self.r.choice(NAMES), self.word())
                        for _ in range(self.pick(1, 1, 2, 3)))

    # --- instructions ---

    def env(self):
        if self.maybe(0.15):
            return Step("ENV %s some  text $%s 'q'" %
                        (self.r.choice(NAMES), self.r.choice(NAMES)))
        return Step("ENV " + self.pairs())

    def arg(self):
        n = self.r.choice(NAMES)
        self.args = True
        return Step("ARG " + (n if self.maybe(0.4) else
                              "%s=%s" % (n, self.word())))

    def label(self):
        return Step("LABEL %s=%s" % (self.pick("k", "k2", "com.x/y", '"k z"',
                                               "base"), self.word()))

    def meta(self):
        argv = self.pick('["/bin/echo", "a b", "$A"]', 'echo "$A"  b',
                         '["/bin/sh"]', "[ -e /f ] && true", '[]')
        return Step(self.pick(
            "CMD " + argv, "ENTRYPOINT " + argv, "CMD " + argv,
            "EXPOSE %d" % self.r.randrange(1, 65535), "EXPOSE 53/UDP 80/tcp",
            "VOLUME /v$A", 'VOLUME ["/v w", "/data"]', "VOLUME /v1 /v2",
            "STOPSIGNAL " + self.pick("SIGKILL", "9", "INT", "SIGRTMIN+3"),
            "HEALTHCHECK NONE", "HEALTHCHECK --interval=1m --timeout=3s "
            "--start-period=2s --retries=2 CMD curl  localhost",
            'HEALTHCHECK CMD ["a", "b c"]', "MAINTAINER Some One  <a@b>"))

    def shell(self):
        return Step(self.pick('SHELL ["/bin/sh", "-c"]',
                              'SHELL ["/bin/busybox", "sh", "-uc"]',
                              'SHELL ["/bin/sh", "-x", "-c"]'))

    def user(self):
        return Step("USER " + self.r.choice(USERS))

    def workdir(self):
        d = self.pick("/w", "/w/x", "rel", "/", "/var/link/n", "/home/bob",
                      "../up", "/a b", "/w/", "/var/data", "$A", "./q/../r")
        self.there.append(d + "/")
        return Step("WORKDIR " + d)

    def dest(self):
        d = self.pick("/", "/w/", "/w", "/w/n", ".", "./", "rel/", "rel",
                      "/var/data/", "/var/link/", "/var/absolute/n/", "/bin/",
                      "/new/deep/er/", "/home/bob", "/tmp/", "/w/n/f",
                      "/etc/g", "/w/../k/", "/sp d/", "/x.txt", "/var/chain")
        if self.there and self.maybe(0.3):
            d = self.r.choice(self.there)
        return d

    def sources(self):
        n = self.pick(1, 1, 1, 1, 2, 3)
        words = []
        for _ in range(n):
            path = self.r.choice(self.plain + self.dirs)
            words.append(self.pick(
                path, path, "/" + path, "./" + path, path + "/", ".", "*",
                "*.md", "a/*", "?", "[a-e]", "*/f", "a/../" + path, "*.txt"))
        return words

    def quoted(self, words):
        """Blanks need the JSON form; names are no patterns or variables."""
        out = []
        for w in words:
            if w in self.plain or w.strip("./") in self.plain:
                w = w.replace("\\", "\\\\").replace("$", "\\$")
                w = w.replace("[", "[[]")
            out.append(w)
        if any(set(w) & set(" \n\"'") for w in out) or self.maybe(0.1):
            return json.dumps(out, ensure_ascii=False)
        return " ".join(out)

    def flags(self):
        text, needs = "", set()
        if self.maybe(0.2):
            owner = self.r.choice(OWNERS)
            text += " --chown=" + owner
            if owner == HIGH:
                needs.add("high id")
        if self.maybe(0.12):
            text += " --chmod=" + self.r.choice(CHMODS)
            needs.add("chmod")
        return text, frozenset(needs)

    def copy(self):
        flags, needs = self.flags()
        verb = self.pick("COPY", "COPY", "COPY", "ADD")
        if self.archives and self.maybe(0.3):
            verb, words = "ADD", [self.r.choice(self.archives)]
        else:
            words = self.sources()
        dest = self.dest()
        if dest[-1] != "/" and (len(words) > 1 or set(words[0]) & set("*?[")
                                and self.maybe(0.9)):
            dest += "/"
        self.there.append(dest)
        return Step("%s%s %s" % (verb, flags, self.quoted(words + [dest])),
                    needs)

    def copy_from(self):
        if not self.stages:
            return self.copy()
        i = self.r.randrange(len(self.stages))
        name, there = self.stages[i]
        flags, needs = self.flags()
        src = self.pick("/etc/passwd", "/var/data", "/var/data/", "/home",
                        "/var/link", "/usr/bin/busybox", "/tmp", "/w*",
                        *(there or ["/var"]))
        dest = self.dest()
        self.there.append(dest)
        return Step("COPY --from=%s%s %s" % (name or i, flags, self.quoted(
            [src, dest])), needs)

    def heredoc(self):
        """As heredoc for us; for peers a file with what it comes to."""
        self.bodies += 1
        name = "doc%d" % self.bodies
        quoted = self.maybe(0.5)
        body = "%d 'q' \"d\" \\$A # x\n\ty\n" % self.r.randrange(100)
        result = body if quoted else body.replace("\\$", "$")
        dest = self.pick("/w/", "/docs/", "rel/", "/w/h", "/h")
        self.there.append(dest)
        flags, needs = self.flags() if self.maybe(0.3) else ("", frozenset())
        f = File(".peer/" + name, "-", 0o644, result.encode(), NOW)
        return Step("COPY%s <<%s %s\n%s%s" % (flags, self.pick(
            "'%s'", '"%s"') % name if quoted else name, dest, body, name),
            needs, "COPY%s .peer/%s %s" % (flags, name, dest), [f])

    def cut(self):
        """Patterns in expansions; peers get what Python makes of them."""
        text = "".join(self.r.choice("ab./-") for _ in range(9)) + "a"
        op = self.pick("#", "##", "%", "%%", "/", "//")
        p = self.pick("a", "*a", "a*", "?", "b*.", ".*", "-?", "a?b",
                      *(["*/", "/*a"] if op[0] != "/" else []))
        rule = re.escape(p).replace("\\*", ".*").replace("\\?", ".")
        if op[0] == "/":
            made = re.sub(rule, "<&>", text, count=2 - len(op))
            p += "/<&>"
        else:
            # Longest first, unless the operator is a single character.
            sizes = sorted(range(len(text) + 1), reverse=len(op) == 2)
            parts = [text[:n] if op[0] == "#" else text[len(text) - n:]
                     for n in sizes]
            gone = next((len(x) for x in parts if re.fullmatch(rule, x)), 0)
            made = text[gone:] if op[0] == "#" else text[:len(text) - gone]
        return Step("ENV CUT=%s\nENV LEFT=${CUT%s%s}" % (text, op, p),
                    peer='ENV CUT=%s\nENV LEFT="%s"' % (text, made))

    def mount(self):
        """What is mounted is there for one step, and leaves nothing."""
        d = self.r.choice(self.dirs)
        return Step("RUN --mount=" + self.pick(
            "type=bind,source=%s,target=/m cp -a /m /w.m" % json.dumps(d)[1:-1]
            if " " not in d else "target=/m cp -a /m/f /w.m || :",
            "type=tmpfs,target=/tmp/t touch /tmp/t/x; echo t > /seen",
            "type=cache,target=/c,id=%d echo k > /c/f; cat /c/f > /k" %
            self.seed, "type=tmpfs,target=/tmp/t echo $A > /tmp/t/x; "
            "cp /tmp/t/x /x"), frozenset({"mount"}))

    def newer(self):
        """What no peer has, for the ways that must make no difference."""
        path = self.r.choice(self.plain + self.dirs)
        source = self.quoted([self.pick(path, ".", "*"), "/new/"])
        return Step("COPY %s %s" % (self.pick(
            "--link", "--link --chown=7:8", "--exclude=*.md",
            "--exclude=**/f --exclude=a", "--parents",
            "--parents --exclude=*.txt", "--chmod=u=rwX,go=rX",
            "--chmod=a+x", "--link --parents"), source),
            frozenset({"newer"}))

    # --- RUN ---

    def path(self):
        base = self.pick("/w", "/w/x", "/var/data", "/var/data/old", "/q",
                         "/home/bob", "/etc", "/usr/share", "/r", "/new")
        return base + self.pick("", "/f", "/g", "/one", "/two", "/n", "/old",
                                "/passwd", "/x.txt", "/deep/er", "/\u00fc")

    def command(self):
        p, q = self.path(), self.path()
        return self.pick(
            "mkdir -p %s" % p, "rm -rf %s" % p, "mv %s %s" % (p, q),
            "ln -s %s %s" % (p, q), "ln -sf ../x %s" % p, "ln %s %s" % (p, q),
            "echo %d > %s" % (self.r.randrange(99), p), "echo y >> %s" % p,
            "cp -a %s %s" % (p, q), "chmod %o %s" % (
                self.r.choice(DIR_MODES + MODES), p),
            "chown %d:%d %s" % (self.pick(0, 1000, 4242), self.pick(0, 50),
                                p), "touch %s" % p, "rmdir %s" % p,
            "rm -rf %s; mkdir -p %s; echo n > %s/n" % (p, p, p),
            "rm -rf %s; echo f > %s" % (p, p), "rm -rf %s; ln -s %s %s" % (
                p, q, p), "mkfifo %s" % p, "rm -f %s/*" % p,
            "touch -d @1500000000 %s" % p, "truncate -s 9 %s" % p,
            "mv %s %s.m; mv %s.m %s" % (p, p, p, p),
            'echo "$A|$B|$C|$a|$_x|$E1" > /env%d' % self.r.randrange(9),
            'echo "${A-unset}:${B-unset}:$LONG_name" > /env%d' %
            self.r.randrange(9), "pwd > /cwd; id -u > /id; id -g >> /id",
            "id -G > /g",
            "umask 027; mkdir -p %s; touch %s" % (p, q))

    def run(self):
        lines = [self.command() for _ in range(self.r.randrange(1, 6))]
        script = "; ".join("{ %s; } 2>/dev/null" % c for c in lines) + "; :"
        form = self.r.randrange(8)
        if form == 0:
            return Step("RUN " + json.dumps(["/bin/sh", "-c", script],
                                            ensure_ascii=False))
        if form == 1:
            return Step("RUN " + script.replace("; ", "; \\\n   # no\n  "))
        if form == 2:
            body = script.replace("; ", ";\n") + "\n"
            return Step("RUN <<EOF\n%sEOF" % body, peer="RUN " + script)
        return Step("RUN " + script)

    def onbuild(self):
        step = self.pick(self.env, self.label, self.run, self.copy,
                         self.workdir)()
        if "<<" in step.text or "\n" in step.text:
            step = self.env()
        return Step("ONBUILD " + step.text, step.needs)

    def instruction(self, scratch):
        kinds = [self.env, self.arg, self.label, self.meta, self.workdir,
                 self.copy, self.copy, self.copy_from, self.heredoc, self.cut]
        if self.seed % 4 == 0:
            kinds += [self.newer, self.newer]
        if not scratch:
            kinds += [self.run, self.run, self.run, self.user, self.shell,
                      self.mount]
            if self.maybe(0.3):
                kinds.append(self.onbuild)
        return self.r.choice(kinds)()

    def stage(self, last):
        name = "s%d" % len(self.stages) if self.maybe(0.7) else None
        base, scratch, needs = "$BASE", False, frozenset()
        if self.stages and self.maybe(0.4):
            named = [n for n, _ in self.stages if n]
            base = self.r.choice(named or ["$BASE"])
            if base != "$BASE" and self.args:
                needs = frozenset({"arguments of a stage"})
        elif not last and self.maybe(0.1):
            base, scratch = "scratch", True
        self.there = []
        yield Step("FROM " + base + (" AS " + name if name else ""), needs)
        for _ in range(self.r.randrange(2, 9)):
            yield self.instruction(scratch)
        self.stages.append((name, self.there))

    def case(self):
        files, ignore = self.context(), self.ignore()
        steps = [Step("ARG BASE")]
        if self.maybe(0.3):
            steps.append(Step("ARG A=" + self.word()))
        count = self.pick(1, 1, 2, 2, 3)
        for i in range(count):
            steps += self.stage(i == count - 1)
        options = []
        for n in NAMES[:3]:
            if self.maybe(0.2):
                options.append("--build-arg=" + n + "=" + self.pick(
                    "opt", "", "a b", "x=y", "$A"))
        names = [n for n, _ in self.stages if n]
        if names and self.maybe(0.15):
            options.append("--target=" + self.r.choice(names))
        return Case(self.seed, files, ignore, steps, options)
