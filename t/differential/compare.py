# compare.py - in what two images differ
# SPDX-License-Identifier: Apache-2.0
from collections import namedtuple

Difference = namedtuple("Difference", "kind where ours theirs")

# What an image says of itself; anything else is of no program's interest.
FIELDS = {"Env": [], "Cmd": None, "Entrypoint": None, "WorkingDir": "",
          "User": "", "Labels": {}, "ExposedPorts": {}, "Volumes": {},
          "StopSignal": "", "Shell": None, "OnBuild": None,
          "Healthcheck": None}


def settings(image):
    config = image.config.get("config") or {}
    out = {k: config.get(k) or v for k, v in FIELDS.items()}
    out["Author"] = image.config.get("author", "")
    return out


def names_of(tree):
    """path -> the first name of its inode, for those that have several."""
    first, count = {}, {}
    for path in sorted(tree):
        key = id(tree[path])
        first.setdefault(key, path)
        count[key] = count.get(key, 0) + 1
    return {p: first[id(n)] for p, n in tree.items()
            if n.kind != "d" and count[id(n)] > 1}


def same_time(a, b, start):
    """Times from before the builds are copies; later ones are nobody's."""
    return a.mtime == b.mtime or (a.mtime >= start and b.mtime >= start)


def shown(node, link):
    return node.show() + (" = " + link if link else "")


def differences(ours, theirs, start):
    a, b = ours.tree, theirs.tree
    links = names_of(a), names_of(b)
    for path in sorted(set(a) | set(b)):
        x, y = a.get(path), b.get(path)
        if not x or not y:
            yield Difference("file", path, x, y)
        elif shown(x, links[0].get(path)) != shown(y, links[1].get(path)):
            kind = "file" if x.show() != y.show() else "links"
            yield Difference(kind, path, x, y)
        elif not same_time(x, y, start):
            yield Difference("mtime", path, x, y)
    x, y = settings(ours), settings(theirs)
    for name in x:
        if x[name] != y[name]:
            yield Difference("config", name, x[name], y[name])


def show(d):
    def text(x):
        if x is None:
            return "nothing"
        if not hasattr(x, "show"):
            return repr(x)
        return x.show() + (" @%d" % x.mtime if d.kind == "mtime" else "")
    return "%s %r\n    ours   %s\n    theirs %s" % (
        d.kind, d.where, text(d.ours), text(d.theirs))
