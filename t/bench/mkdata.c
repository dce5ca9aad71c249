/* mkdata.c - a deterministic tree of files: half text, half noise */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PER_DIR 50   /* files of one directory */
#define PER_TOP 20   /* directories of one top directory */
#define LARGE 200    /* every so many-th file is a large one ... */
#define SHARE 3      /* ... and these hold one part in so many of all bytes */
#define CHUNK 65536

struct plan {
	uint64_t files, bytes, seed;
	uint64_t small, large; /* mean sizes */
};

/* splitmix64: any state gives a good sequence, so each file has its own. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Words of two syllables, some of them at the end of a line. */
static void fill_text(char *buf, size_t n, uint64_t *state)
{
	static const char syllables[32][4] = {
		"con", "fig", "re",  "turn", "val", "ue",  "int", "er",
		"na",  "me",  "stat", "ic",  "buf", "fer", "de",  "vice",
		"err", "or",  "in",  "dex",  "out", "put", "pa",  "th",
		"li",  "ne",  "co",  "de",   "mo",  "ve",  "key", "map",
	};
	size_t at = 0;

	while (at < n) {
		uint64_t r = next(state);
		int i;

		for (i = 0; i < 2; i++, r >>= 5) {
			const char *s = syllables[r & 31];
			size_t len = strnlen(s, 4);

			if (len > n - at)
				len = n - at;
			memcpy(buf + at, s, len);
			at += len;
		}
		if (at < n)
			buf[at++] = r & 7 ? ' ' : '\n';
	}
}

static void fill_noise(char *buf, size_t n, uint64_t *state)
{
	size_t at;

	for (at = 0; at < n; at += sizeof(uint64_t)) {
		uint64_t r = next(state);

		memcpy(buf + at, &r, n - at < sizeof(r) ? n - at : sizeof(r));
	}
}

static void fail(const char *what)
{
	fprintf(stderr, "mkdata: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_file(const struct plan *p, uint64_t i, const char *path)
{
	static char buf[CHUNK];
	uint64_t state = p->seed << 32 ^ i, size, at;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		fail(path);
	if (p->large && i % LARGE == LARGE - 1)
		size = p->large;
	else /* a quarter to seven quarters of the mean */
		size = p->small / 4 + next(&state) % (p->small * 3 / 2 + 1);
	for (at = 0; at < size; at += CHUNK) {
		size_t n = size - at < CHUNK ? size - at : CHUNK;
		size_t text = n / 2;

		fill_text(buf, text, &state);
		fill_noise(buf + text, n - text, &state);
		if (write(fd, buf, n) != (ssize_t)n)
			fail(path);
	}
	close(fd);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path);
}

int main(int argc, char **argv)
{
	struct plan p = { 0 };
	uint64_t i, n_large;
	char path[4096];

	if (argc != 5 || strlen(argv[1]) > 3500) {
		fputs("usage: mkdata DIR FILES BYTES SEED\n", stderr);
		return 2;
	}
	p.files = strtoull(argv[2], NULL, 10);
	p.bytes = strtoull(argv[3], NULL, 10);
	p.seed = strtoull(argv[4], NULL, 10);
	n_large = p.files / LARGE;
	p.large = n_large ? p.bytes / SHARE / n_large : 0;
	if (p.files > n_large)
		p.small = (p.bytes - p.large * n_large) / (p.files - n_large);
	make_dir(argv[1]);
	for (i = 0; i < p.files; i++) {
		uint64_t dir = i / PER_DIR;

		snprintf(path, sizeof(path), "%s/%03u", argv[1],
			 (unsigned)(dir / PER_TOP));
		if (i % (PER_DIR * PER_TOP) == 0)
			make_dir(path);
		snprintf(path, sizeof(path), "%s/%03u/%02u", argv[1],
			 (unsigned)(dir / PER_TOP), (unsigned)(dir % PER_TOP));
		if (i % PER_DIR == 0)
			make_dir(path);
		snprintf(path, sizeof(path), "%s/%03u/%02u/%05u.%s", argv[1],
			 (unsigned)(dir / PER_TOP), (unsigned)(dir % PER_TOP),
			 (unsigned)i, i % 3 ? "c" : "bin");
		make_file(&p, i, path);
	}
	return 0;
}
