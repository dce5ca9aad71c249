#!/usr/bin/python3
# screen.py - what a terminal of ROWS and COLS shows of standard input
# usage: screen.py ROWS COLS WORD
#
# Prints what scrolled off and what stands there at the end. Fails when WORD,
# which begins a line that is drawn again and again, ever stands there twice.
import sys

import pyte

rows, columns, word = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
screen = pyte.HistoryScreen(columns, rows, history=10000, ratio=0.5)
stream = pyte.ByteStream(screen)


def lines():
    for row in screen.history.top:
        yield "".join(row[x].data for x in range(columns)).rstrip()
    yield from (line.rstrip() for line in screen.display)


data = sys.stdin.buffer.read()
twice = False
for piece in data.split(b"\033[J"):
    stream.feed(piece + b"\033[J")
    twice = twice or sum(line.startswith(word) for line in lines()) > 1
print("\n".join(lines()).rstrip())
if twice:
    sys.exit("'%s' stood there twice" % word)
