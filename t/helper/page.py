#!/usr/bin/env python3
# page.py - a page of HTML as a browser without scripts would read it
# usage: page.py FILE
#
# Prints each cell of its tables on a line, rows apart by empty lines. Fails
# when the page is not well formed, has an element or an attribute that a
# report has no use for, or refers to anything.
import html.parser
import sys

ELEMENTS = set("html head meta title style body h1 h2 p code table tr th td "
               "div i ul li br".split())
ATTRIBUTES = {"class", "lang", "charset", "http-equiv", "content", "name",
              "style"}
VOID = {"meta", "br"}
OPTIONAL = {"th"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.bad, self.cell = [], [], None

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS:
            self.bad.append("element %s" % tag)
        for name, value in attrs:
            if name not in ATTRIBUTES or "url(" in (value or ""):
                self.bad.append("attribute %s of %s" % (name, tag))
        if tag not in VOID | OPTIONAL:
            self.open.append(tag)
        if tag == "td":
            self.cell = ""
        if tag == "tr":
            print()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append("end of %s" % tag)
        if tag == "td":
            print(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_comment(self, data):
        self.bad.append("comment")


page = Page()
page.feed(open(sys.argv[1], encoding="utf-8", errors="strict").read())
page.close()
if page.open:
    page.bad.append("%s is open at the end" % page.open)
if page.bad:
    sys.exit("\n".join(page.bad))
