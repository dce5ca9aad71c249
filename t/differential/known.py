# known.py - where a peer is known to differ, and why that is right
# SPDX-License-Identifier: Apache-2.0
"""Each rule names its peer and looks at one difference: `d.kind` (status,
file or config), `d.where` (a path or a name of the configuration), `d.ours`
and `d.theirs` (a Node or value, None where there is none), and at the case.
Its text is the reason. A rule says exactly what it excuses."""

import re
from dataclasses import replace

from generate import EPOCH

BASE_TIME = 1700000000
TOUCHED = 1500000000  # what `touch -d` sets
RULES = []


def known(*peers):
    def add(rule):
        rule.peers = peers
        rule.count = 0
        RULES.append(rule)
        return rule
    return add


def explained(peer, d, case):
    for rule in RULES:
        if peer in rule.peers and rule(d, case):
            rule.count += 1
            return True
    return False


MOUNTED = {"dev", "proc", "run", "sys", "etc/hostname", "etc/hosts",
           "etc/resolv.conf"}


@known("buildah")
def mount_points(d, case):
    """buildah leaves behind what it mounts on in a RUN"""
    return (d.where in MOUNTED and d.kind == "file" and d.ours is None or
            d.kind == "mtime" and d.where == "etc")


@known("docker")
def stubs(d, case):
    """this BuildKit leaves behind the directories it mounts on in a RUN"""
    return (d.kind == "file" and d.where in {"dev", "proc", "sys"} and
            d.ours is None and d.theirs.kind == "d" or
            d.kind == "mtime" and d.where == "etc")


@known("buildah", "docker")
def mount_stubs(d, case):
    """older builders leave behind where RUN --mount mounted something"""
    return (d.kind == "file" and
            re.search("^(tmp/t|m|c)$|/[tmc]$", d.where) and
            d.ours is None and d.theirs.kind == "d" and
            "mount" in case.needs)


@known("docker")
def attributes(d, case):
    """of extended attributes this BuildKit keeps security.capability only"""
    return (d.kind == "file" and d.ours and d.theirs and
            all(x.startswith("user.") for x in d.ours.xattrs) and
            replace(d.ours, xattrs={}).show() == d.theirs.show())


@known("buildah")
def no_match(d, case):
    """a pattern that matches nothing is an error for buildah"""
    return (d.kind == "status" and d.ours == "it builds" and
            re.search(r'copier: stat: \["[^"]*[*?[].*"\]: no such file|'
                      r'no items matching glob "[^"]*[*?[]', d.theirs))


@known("docker")
def times_of_directories(d, case):
    """this BuildKit sets the times of a directory before it fills it"""
    return (d.kind == "mtime" and d.ours.kind == "d" and
            EPOCH <= d.ours.mtime < EPOCH + 10 ** 7 < d.theirs.mtime)


@known("buildah")
def protocols(d, case):
    """buildah does not lower the case of a protocol"""
    return (d.kind == "config" and d.where == "ExposedPorts" and
            set(d.ours) == {p.lower() for p in d.theirs})


@known("buildah")
def set_id(d, case):
    """buildah drops set-id bits of what it copies"""
    return (d.kind == "file" and d.ours and d.theirs and
            d.ours.mode & 0o6000 and
            replace(d.ours, mode=d.ours.mode & 0o1777).show() ==
            d.theirs.show())


@known("buildah")
def owners_of_archives(d, case):
    """ADD --chown owns with buildah what comes out of an archive, too"""
    return (d.kind == "file" and d.ours and d.theirs and
            replace(d.ours, uid=d.theirs.uid, gid=d.theirs.gid).show() ==
            d.theirs.show() and any(re.search(r"ADD.*--chown=.*tar", s.text)
                                    for s in case.steps))


@known("buildah", "docker")
def touched_directories(d, case):
    """the time of a directory that is else as before is no change"""
    return (d.kind == "mtime" and d.ours.kind == "d" and
            (d.ours.mtime == BASE_TIME or d.theirs.mtime == TOUCHED))


@known("docker")
def nothing_at_all(d, case):
    """docker cannot save an image without layers"""
    return d.kind == "status" and "empty export" in d.theirs


@known("docker")
def exception_directories(d, case):
    """where an exception could name something below an ignored directory,
    this BuildKit sends the directory"""
    if not any(line.startswith("!") for line in case.ignore):
        return False
    return (d.kind == "status" and "excluded by .dockerignore" in d.ours and
            d.theirs == "it builds" or
            d.kind == "file" and d.ours is None and d.theirs.kind == "d")


@known("buildah")
def volume_directories(d, case):
    """buildah makes the directory of a VOLUME when it meets one"""
    return (d.kind == "file" and d.ours is None and d.theirs.kind == "d" and
            any("VOLUME" in s.text for s in case.steps) and
            d.where.split("/")[0] in {"v", "v1", "v2", "v w", "data", "vopt",
                                      "va b", "vx=y", "v$A"})


@known("buildah", "docker")
def trailing_slash(d, case):
    """older builders keep the slash at the end of a WORKDIR"""
    return (d.kind == "config" and d.where == "WorkingDir" and
            d.ours + "/" == d.theirs)


@known("buildah")
def chmod_of_directories(d, case):
    """buildah gives --chmod to files only"""
    return (d.kind == "file" and d.ours and d.theirs and
            d.ours.kind == "d" and
            replace(d.ours, mode=d.theirs.mode) == replace(
                d.theirs, mtime=d.ours.mtime) and
            any(int(mode, 8) == d.ours.mode for s in case.steps
                for mode in re.findall(r"--chmod=(\d+)", s.text)))


@known("docker", "buildah")
def several_sources(d, case):
    """a pattern may mean several files for one name; the documentation
    wants a directory then, and others let one of them win"""
    return d.kind == "status" and "several sources need a dir" in d.ours


@known("buildah", "docker")
def pattern_exceptions(d, case):
    """older builders do not look below an ignored directory for what an
    exception with a pattern names"""
    return (d.kind == "file" and d.theirs is None and
            any(re.match(r"!.*[*?[]", line) for line in case.ignore) or
            d.kind == "status" and d.ours == "it builds" and
            re.search("not found|no such file|filtered out", d.theirs) and
            any(re.match(r"!.*[*?[]", line) for line in case.ignore))


@known("buildah")
def shell_of_cmd(d, case):
    """buildah runs the shell form of CMD with /bin/sh, whatever SHELL says"""
    return (d.kind == "config" and d.where in ("Cmd", "Entrypoint") and
            d.theirs and d.theirs[:2] == ["/bin/sh", "-c"] and
            d.theirs[2:] == d.ours[-1:] and
            any(s.text.startswith("SHELL") for s in case.steps))


@known("buildah")
def order_of_env(d, case):
    """buildah moves a variable that is set again to the end"""
    return (d.kind == "config" and d.where == "Env" and
            sorted(d.ours) == sorted(d.theirs))


@known("docker")
def patterns_of_files(d, case):
    """this client cannot look for a pattern below a file"""
    return (d.kind == "status" and d.ours == "it builds" and
            re.search("error from sender: lstat .*: not a directory",
                      d.theirs))


@known("docker")
def bracket_in_a_class(d, case):
    """this client does not know a bracket in brackets for itself"""
    return (d.kind == "status" and d.ours == "it builds" and
            "no such file" in d.theirs and
            any("[[]" in s.text for s in case.steps))


@known("buildah")
def backslashes(d, case):
    """buildah cannot copy a name with a backslash"""
    return (d.kind == "status" and d.ours == "it builds" and
            re.search(r'copier: stat: "[^"]*\\.*no such file', d.theirs))


@known("buildah")
def names_as_patterns(d, case):
    """buildah takes a name that a pattern matched for a pattern again"""
    return (d.kind == "status" and d.ours == "it builds" and
            re.search(r"globs \[/[^\]]*\[[^\]]*\]\] matched nothing",
                      d.theirs))


@known("buildah")
def directory_of_scratch(d, case):
    """buildah gives an image from scratch no working directory"""
    return (d.kind == "config" and d.where == "WorkingDir" and
            d.ours == "/" and not d.theirs)


@known("buildah")
def ignored_in_mounts(d, case):
    """buildah binds what the ignore file leaves out"""
    if not (case.ignore and any(re.search(r"--mount=\S*source=", s.text)
                                for s in case.steps)):
        return False
    return (d.kind == "status" and "excluded by .dockerignore" in d.ours and
            d.theirs == "it builds" or
            d.kind == "file" and d.ours is None and
            d.where.startswith("w.m"))


@known("buildah", "docker")
def files_of_sandboxes(d, case):
    """a RUN that copies /etc copies the files that a builder shows there"""
    return (d.kind == "file" and d.ours and d.theirs and
            re.search("(^|/)etc[^/]*/(hosts|hostname|resolv.conf)$",
                      d.where) and
            d.ours.kind == d.theirs.kind == "-" and d.where not in MOUNTED)
