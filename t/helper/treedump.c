/* treedump.c - print a directory tree so that two of them can be compared */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/strvec.h"
#include "wrap/digest.h"

/*
 * usage: treedump DIR [SKIP...]
 *
 * One line an entry, sorted by name, parents first: type, mode, owner, what
 * it holds (size and digest, link target, device), xattrs, path. A further
 * name of a file met before is "= FIRST-NAME". Times are not shown. SKIP are
 * paths (from the top, without "/") that are left out with all below them.
 */

struct name {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct dump {
	struct name *names;
	size_t n_names, alloc_names;
	char **skip;
};

/* Blanks, control bytes and bytes of other encodings as \ooo. */
static void print_escaped(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c == '\\' || c >= 0x7f)
			printf("\\%03o", c);
		else
			putchar(c);
	}
}

static NORETURN void die(const char *what, const char *path)
{
	fprintf(stderr, "treedump: %s: %s: %s\n", what, path,
		strerror(errno));
	exit(2);
}

static void print_content(const char *at, off_t size)
{
	cleanup_close int fd = open(at, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t raw[DIGEST_RAW], buf[65536];
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	struct digest d;
	ssize_t n;

	if (fd < 0)
		die("open", at);
	digest_init(&d, false);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		digest_update(&d, buf, (size_t)n);
	digest_final(&d, raw);
	strbuf_add_hex(&hex, raw, 8);
	printf(" %lld %s", (long long)size, hex.buf);
}

/* Attributes that a layer keeps. */
static bool counts(const char *name)
{
	return str_eq(name, "security.capability") ||
	       (str_starts(name, "user.") &&
		!str_starts(name, "user.overlay."));
}

static void print_xattrs(const char *at)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	char list[8192], value[4096];
	ssize_t n = llistxattr(at, list, sizeof(list)), len;
	const char *p;
	size_t i;

	for (p = list; n > 0 && p < list + n; p += strlen(p) + 1)
		if (counts(p))
			strvec_push(&names, p);
	strvec_sort(&names);
	for (i = 0; i < names.nr; i++) {
		len = lgetxattr(at, names.v[i], value, sizeof(value));
		if (len < 0)
			die("getxattr", at);
		printf(" %s=", names.v[i]);
		print_escaped(value, (size_t)len);
	}
}

static const char *earlier(struct dump *d, const struct stat *st,
			   const char *path)
{
	size_t i;

	for (i = 0; i < d->n_names; i++)
		if (d->names[i].ino == st->st_ino &&
		    d->names[i].dev == st->st_dev)
			return d->names[i].path;
	GROW(d->names, d->n_names, d->alloc_names);
	d->names[d->n_names++] = (struct name){ st->st_dev, st->st_ino,
						xstrdup(path) };
	return NULL;
}

static void print_entry(struct dump *d, const char *at, const char *path,
			const struct stat *st)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	const char *first = NULL;
	char target[PATH_MAX];
	ssize_t n;

	printf("%c %04o %u:%u", types[(st->st_mode & S_IFMT) >> 12],
	       st->st_mode & 07777, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		first = earlier(d, st, path);
	if (first) {
		printf(" = ");
		print_escaped(first, strlen(first));
	} else if (S_ISREG(st->st_mode)) {
		print_content(at, st->st_size);
	} else if (S_ISLNK(st->st_mode)) {
		n = readlink(at, target, sizeof(target));
		if (n < 0)
			die("readlink", at);
		printf(" -> ");
		print_escaped(target, (size_t)n);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		printf(" %u,%u", major(st->st_rdev), minor(st->st_rdev));
	}
	print_xattrs(at);
	printf(" ");
	print_escaped(path, strlen(path));
	printf("\n");
}

static bool skipped(const struct dump *d, const char *path)
{
	char **s;

	for (s = d->skip; *s; s++)
		if (str_eq(*s, path))
			return true;
	return false;
}

static void dump(struct dump *d, const char *at, const char *path)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct dirent *e;
	struct stat st;
	DIR *dir;
	size_t i;

	if (lstat(at, &st) < 0)
		die("lstat", at);
	print_entry(d, at, *path ? path : ".", &st);
	if (!S_ISDIR(st.st_mode))
		return;
	dir = opendir(at);
	if (!dir)
		die("opendir", at);
	while ((e = readdir(dir)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			strvec_push(&names, e->d_name);
	closedir(dir);
	strvec_sort(&names);
	for (i = 0; i < names.nr; i++) {
		cleanup_free char *sub = xstrfmt("%s/%s", at, names.v[i]);
		cleanup_free char *rel = path_join(path, names.v[i]);

		if (!skipped(d, rel))
			dump(d, sub, rel);
	}
}

int main(int argc, char **argv)
{
	struct dump d = { 0 };

	if (argc < 2) {
		fprintf(stderr, "usage: treedump DIR [SKIP...]\n");
		return 2;
	}
	d.skip = argv + 2;
	dump(&d, argv[1], "");
	while (d.n_names)
		free(d.names[--d.n_names].path);
	free(d.names);
	return 0;
}
