#!/usr/bin/env python3
# terminal.py - a command on a terminal, driven by a script on standard input
#
#	terminal.py COMMAND... <<END
#	expect REGEX	wait until the output matches (10 s, then status 99)
#	send TEXT	type; \r, \003 and the like are escapes
#	size ROWS COLS	resize the window
#	END
#
# All output goes to standard output; the status is the command's. Standard
# error says "terminal restored" or "terminal changed" at the end.
import fcntl
import os

import re
import select
import struct
import sys
import termios
import time

LIMIT = 10
seen = b""

def resize(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

def take(fd, seconds):
    global seen
    if not select.select([fd], [], [], seconds)[0]:
        return True
    try:
        data = os.read(fd, 65536)
    except OSError:
        return False
    seen += data
    return bool(data)

def expect(fd, regex):
    global seen
    end = time.monotonic() + LIMIT
    while not (match := re.search(regex.encode(), seen)):
        if time.monotonic() > end or not take(fd, 0.1):
            sys.stdout.buffer.write(seen)
            sys.stderr.write("no match for: %s\n" % regex)
            sys.stdout.flush()
            os._exit(99)
    sys.stdout.buffer.write(seen[: match.end()])
    seen = seen[match.end():]

def main():
    script = [line.rstrip("\n") for line in sys.stdin]
    master, slave = os.openpty()
    resize(master, 24, 80)
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if not pid:
        os.close(master)
        os.login_tty(slave) if hasattr(os, "login_tty") else login(slave)
        os.execvp(sys.argv[1], sys.argv[1:])
    for line in script:
        word, _, rest = line.partition(" ")
        if word == "expect":
            expect(master, rest)
        elif word == "send":
            os.write(master, rest.encode().decode("unicode_escape").encode())
        elif word == "size":
            resize(master, *map(int, rest.split()))
    status = finish(master, pid)
    same = termios.tcgetattr(slave) == before
    sys.stderr.write("terminal %s\n" % ("restored" if same else "changed"))
    sys.exit(status)

def login(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.close(slave)

def finish(master, pid):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        take(master, 0.05)
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            take(master, 0)
            sys.stdout.buffer.write(seen)
            sys.stdout.flush()
            return (os.WEXITSTATUS(status) if os.WIFEXITED(status)
                    else 128 + os.WTERMSIG(status))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return 98

main()
