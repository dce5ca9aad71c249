/* test_sbom.c - lists of packages, as programs write them */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sbom/internal.h"

/* All that a list gives, "type name version arch;" each. */
static char *listed(const char *path, const char *text)
{
	cleanup_sbom struct sbom s = SBOM_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t i;

	cr_assert(sbom_wants(path), "%s", path);
	sbom_read(&s, path, text, strlen(text));
	for (i = 0; i < s.nr; i++)
		strbuf_addf(&out, "%s %s %s %s;", s.v[i].type, s.v[i].name,
			    s.v[i].version, s.v[i].arch ? s.v[i].arch : "-");
	for (i = 0; i < s.gaps.nr; i++)
		strbuf_addf(&out, "gap %s", s.gaps.v[i]);
	return strbuf_detach(&out);
}

static void expect(const char *path, const char *text, const char *want)
{
	cleanup_free char *got = listed(path, text);

	cr_expect_str_eq(got, want, "%s: %s", path, got);
}

Test(sbom, reads_dpkg)
{
	expect("var/lib/dpkg/status",
	       "Package: a\nStatus: install ok installed\nArchitecture: amd64\n"
	       "Version: 1:2-3\nDescription: x\n more\n\n\n"
	       "Package: gone\nStatus: deinstall ok config-files\n"
	       "Version: 1\n\nPackage: b\nStatus: hold ok installed\n"
	       "Version: 2",
	       "deb a 1:2-3 amd64;deb b 2 -;");
	expect("var/lib/dpkg/status.d/base", "Package: d\nVersion: 12\n",
	       "deb d 12 -;");
}

Test(sbom, reads_apk)
{
	expect("lib/apk/db/installed",
	       "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:x\n\n"
	       "P:busybox\nV:1.36\nA:x86_64\n\n",
	       "apk musl 1.2.4-r2 x86_64;apk busybox 1.36 x86_64;");
}

Test(sbom, names_what_it_does_not_read)
{
	expect("var/lib/rpm/rpmdb.sqlite", "SQLite format 3, or so",
	       "gap /var/lib/rpm/rpmdb.sqlite: file is not a database");
	expect("var/lib/rpm/rpmdb.sqlite", "",
	       "gap /var/lib/rpm/rpmdb.sqlite: it has no table Packages with "
	       "a column blob");
	expect("var/lib/rpm/Packages", "x", "gap /var/lib/rpm/Packages: "
	       "databases of rpm in Berkeley DB are not read");
	expect("usr/lib/sysimage/rpm/Packages.db", "x",
	       "gap /usr/lib/sysimage/rpm/Packages.db: databases of rpm in "
	       "its format ndb are not read");
	expect("var/lib/rpm/rpmdb.sqlite-wal", "", "");
	expect("var/lib/rpm/rpmdb.sqlite-wal", "x",
	       "gap /var/lib/rpm/rpmdb.sqlite-wal: it may hold changes that "
	       "the database lacks, and is not read");
	expect("a/package-lock.json", "{", "gap /a/package-lock.json: it is "
	       "not the JSON it should be");
	expect("lib/apk/db/installed", "P:a b\nV:1\n\nP:c\nV:1\x1b[\n",
	       "gap /lib/apk/db/installed: 2 packages with impossible names "
	       "or versions, or too many");
}

/* A header's beginning, its entries {tag, type, offset, count} as bytes. */
#define ENTRY(tag, type, offset) \
	0, 0, (tag) >> 8, (tag) & 255, 0, 0, 0, (type), 0, 0, 0, (offset), \
	0, 0, 0, 1
#define DATA "hello\0" "1.0\0" "2\0" "noarch\0" "\0\0\0\3"
enum { N_DATA = sizeof(DATA), N_HEAD = 8 + 5 * 16 };

static size_t a_header(unsigned char *out)
{
	static const unsigned char head[] = {
		0, 0, 0, 5, 0, 0, 0, N_DATA,
		ENTRY(1000, 6, 0), ENTRY(1001, 6, 6), ENTRY(1002, 6, 10),
		ENTRY(1003, 4, 19), ENTRY(1022, 6, 12),
	};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), DATA, N_DATA);
	return sizeof(head) + N_DATA;
}

/* Read a header that lies at the very end of its memory. */
static void read_header(struct sbom *s, size_t *odd, const void *p, size_t n)
{
	struct sbom_list l = { .s = s, .path = "x" };
	cleanup_free void *exact = xmemdup(p, n);

	sbom_rpm_header(&l, exact, n);
	*odd = l.odd;
}

Test(sbom, reads_headers_of_rpm)
{
	cleanup_sbom struct sbom s = SBOM_INIT;
	unsigned char b[256];
	size_t odd, n = a_header(b);

	read_header(&s, &odd, b, n);
	cr_assert_eq(s.nr, 1);
	cr_expect_eq(odd, 0);
	cr_expect_str_eq(s.v[0].name, "hello");
	cr_expect_str_eq(s.v[0].version, "1.0-2");
	cr_expect_str_eq(s.v[0].arch, "noarch");
	cr_expect_eq(s.v[0].epoch, 3);
}

Test(sbom, refuses_headers_that_lie)
{
	static const struct {
		const char *what;
		size_t at;
		unsigned char value;
	} cases[] = {
		{ "more entries than there are", 0, 0x80 },
		{ "entries times their size that overflow", 0, 0x10 },
		{ "fewer entries", 3, 4 },
		{ "more data than there is", 4, 0xff },
		{ "a name beyond the end", 8 + 8, 0xff },
		{ "a name right behind the end", 8 + 11, N_DATA },
		{ "a name that is a number", 8 + 7, 4 },
		{ "no name", 8 + 2, 9 },
		{ "a release without an end", 8 + 2 * 16 + 11, N_DATA - 1 },
		{ "a name with an escape", N_HEAD, 0x1b },
	};
	cleanup_sbom struct sbom s = SBOM_INIT;
	unsigned char b[256];
	size_t i, odd, n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		n = a_header(b);
		b[n - 1] = 'x';
		b[cases[i].at] = cases[i].value;
		read_header(&s, &odd, b, n);
		cr_expect_eq(odd, 1, "%s", cases[i].what);
	}
	n = a_header(b);
	for (i = 0; i < n; i++) {
		read_header(&s, &odd, b, i);
		cr_expect_eq(odd, 1, "cut after %zu", i);
	}
	cr_expect_eq(s.nr, 0);
	/* An epoch that is cut off is none. */
	n = a_header(b);
	b[8 + 3 * 16 + 11] = N_DATA - 3;
	read_header(&s, &odd, b, n);
	cr_assert_eq(s.nr, 1);
	cr_expect_eq(s.v[0].epoch, 0);
}

Test(sbom, reads_javascript)
{
	expect("app/package-lock.json",
	       "{\"lockfileVersion\": 3, \"packages\": {\"\": {\"version\": "
	       "\"9\"}, \"node_modules/a\": {\"version\": \"1.0.0\"},"
	       "\"node_modules/a/node_modules/@s/b\": {\"version\": \"2\"},"
	       "\"node_modules/w\": {\"link\": true}, \"w\": {\"version\": "
	       "\"3\"}}}",
	       "npm a 1.0.0 -;npm @s/b 2 -;");
	expect("package-lock.json", "{\"packages\": [{\"version\": \"1\"}]}",
	       "");
	expect("package-lock.json",
	       "{\"dependencies\": {\"a\": {\"version\": \"1\", "
	       "\"dependencies\": {\"b\": {\"version\": \"2\"}}}, \"g\": "
	       "{\"version\": \"git+ssh://x\"}}}",
	       "npm a 1 -;npm b 2 -;");
	expect("yarn.lock",
	       "# yarn lockfile v1\n\n\"@s/a@^1.0\", \"@s/a@^1.1\":\n"
	       "  version \"1.1.0\"\n  dependencies:\n    version \"x\"\n\n"
	       "b@~2:\n  version \"2.0.1\"\n",
	       "npm @s/a 1.1.0 -;npm b 2.0.1 -;");
	expect("yarn.lock",
	       "__metadata:\n  version: 6\n\n\"@s/a@npm:^1\":\n"
	       "  version: 1.2.3\n  resolution: \"@s/a@npm:1.2.3\"\n\n"
	       "\"own@workspace:.\":\n  version: 0.0.0-use.local\n",
	       "npm @s/a 1.2.3 -;");
	expect("pnpm-lock.yaml",
	       "lockfileVersion: '9.0'\npackages:\n\n  '@s/a@1.0.0':\n"
	       "    resolution: {x: y}\n  b@2.0.0(c@1.0.0):\n    x: y\n"
	       "snapshots:\n  d@1.0.0: {}\n",
	       "npm @s/a 1.0.0 -;npm b 2.0.0 -;");
	expect("pnpm-lock.yaml",
	       "packages:\n  /@s/a/1.0.0:\n    x: y\n  /b/2.0.0_react@17.0:\n"
	       "  /c@3.0.0(d@4):\n",
	       "npm @s/a 1.0.0 -;npm b 2.0.0 -;npm c 3.0.0 -;");
}

Test(sbom, reads_python)
{
	expect("requirements.txt",
	       "# x\na==1.0 \\\n    --hash=sha256:00\nB[x,y] == 2.0 ; "
	       "python_version<'3'\nc>=1\n-r other.txt\nd==1.*\ne===3 # x\n",
	       "pypi a 1.0 -;pypi B 2.0 -;pypi e 3 -;");
	expect("poetry.lock",
	       "[[package]]\nname = \"a\"\nversion = \"1\"\n"
	       "[package.dependencies]\nversion = \"2\"\n[[package]]\n"
	       "name = \"b\"\noptional = false\nversion = \"3\"\n[metadata]\n"
	       "version = \"4\"\n",
	       "pypi a 1 -;pypi b 3 -;");
	expect("Pipfile.lock",
	       "{\"default\": {\"a\": {\"version\": \"==1\"}, \"e\": "
	       "{\"path\": \".\"}}, \"develop\": {\"b\": {\"version\": "
	       "\"==2\"}}}",
	       "pypi a 1 -;pypi b 2 -;");
	expect("usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
	       "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n\nVersion: 9\n",
	       "pypi a 1.0 -;");
}

Test(sbom, reads_other_languages)
{
	expect("Cargo.lock",
	       "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0\"\n"
	       "dependencies = [\n \"b\",\n]\n",
	       "cargo a 1.0 -;");
	expect("go.mod",
	       "module m\n\ngo 1.21\n\nrequire x.org/a v1.0.0\n\nrequire (\n"
	       "\tx.org/b/v2 v2.0.0 // indirect\n\t// no\n)\nreplace (\n"
	       "\tx.org/c v3.0.0 => ../c\n)\n",
	       "golang x.org/a v1.0.0 -;golang x.org/b/v2 v2.0.0 -;");
	expect("go.sum",
	       "x.org/a v1.0.0 h1:x=\nx.org/a v1.0.0/go.mod h1:x=\n"
	       "x.org/b v0.1.0/go.mod h1:x=\n",
	       "golang x.org/a v1.0.0 -;");
	expect("Gemfile.lock",
	       "GEM\n  remote: https://rubygems.org/\n  specs:\n"
	       "    rack (3.0.1)\n      base64 (>= 0.1)\n    nokogiri (1.1-x86)\n"
	       "\nDEPENDENCIES\n    rack (~> 3)\n",
	       "gem rack 3.0.1 -;gem nokogiri 1.1-x86 -;");
	expect("composer.lock",
	       "{\"packages\": [{\"name\": \"v/a\", \"version\": \"v1.0\"}], "
	       "\"packages-dev\": [{\"name\": \"v/b\", \"version\": \"2\"}]}",
	       "composer v/a v1.0 -;composer v/b 2 -;");
}

static struct json *written(struct sbom *s)
{
	static const struct sbom_image image = {
		.name = "docker.io/library/x:1",
		.digest = "sha256:0123456789abcdef0123456789abcdef"
			  "0123456789abcdef0123456789abcdef",
		.created = "2020-01-02T05:04:05.123+02:00",
	};
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	sbom_write(s, &image, &out);
	return json_parse("sbom", out.buf, out.len, NULL);
}

static const char *locator(const struct json *j, size_t i)
{
	const struct json *p = json_at(json_get(j, "packages"), i);

	return json_get_str(json_at(json_get(p, "externalRefs"), 0),
			    "referenceLocator");
}

Test(sbom, writes_each_package_once)
{
	static const char os[] = "ID=debian\nVERSION_ID=\"12\"\n";
	static const char status[] = "Package: libc++\nVersion: 1:2~3\n"
				     "Architecture: amd64\n";
	static const char lock[] = "{\"packages\": {\"node_modules/@S/b\": "
				   "{\"version\": \"1\"}}}";
	cleanup_sbom struct sbom s = SBOM_INIT;
	cleanup_json struct json *j = NULL;

	sbom_read(&s, "etc/os-release", os, strlen(os));
	sbom_read(&s, "b/package-lock.json", lock, strlen(lock));
	sbom_read(&s, "a/package-lock.json", lock, strlen(lock));
	sbom_read(&s, "var/lib/dpkg/status", status, strlen(status));
	j = written(&s);
	cr_assert_eq(json_len(json_get(j, "packages")), 3);
	cr_expect_str_eq(json_get_str(json_get(j, "creationInfo"), "created"),
			 "2020-01-02T03:04:05Z");
	cr_expect_str_eq(locator(j, 1), "pkg:deb/debian/libc%2B%2B@1%3A2~3"
			 "?arch=amd64&distro=debian-12");
	cr_expect_str_eq(locator(j, 2), "pkg:npm/%40S/b@1");
	cr_expect_str_eq(json_get_str(json_at(json_get(j, "packages"), 2),
				      "sourceInfo"),
			 "listed in /a/package-lock.json, "
			 "/b/package-lock.json");
}

Test(sbom, takes_hostile_lists, .timeout = 10)
{
	cleanup_sbom struct sbom s = SBOM_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	for (i = 0; i < SBOM_PACKAGES_MAX + 5; i++)
		strbuf_addf(&text, "P:p%zu\nV:1\n\n", i);
	sbom_read(&s, "lib/apk/db/installed", text.buf, text.len);
	cr_expect_eq(s.nr, SBOM_PACKAGES_MAX);
	cr_expect_eq(s.gaps.nr, 1);
	strbuf_reset(&text);
	strbuf_addstr(&text, "Package: ");
	for (i = 0; i < 1000000; i++)
		strbuf_addch(&text, 'x');
	strbuf_addstr(&text, "\nVersion: 1\n");
	sbom_read(&s, "var/lib/dpkg/status", text.buf, text.len);
	cr_expect_eq(s.gaps.nr, 2);
}
