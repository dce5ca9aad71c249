/* cgroup.c - control groups that limit a sandbox, where this host has some */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/bounds.h"

#define TEXT_MAX ((size_t)4 << 20)
#define PREFIX "devenv-"

/* A group in each hierarchy that limits something. */
struct runtime_cgroup {
	struct strvec dirs;
};

static const struct limit {
	const char *controller, *option;
} kinds[] = {
	{ "memory", "memory" }, { "pids", "pids-limit" }, { "cpu", "cpus" },
};

static uint64_t amount(const struct runtime_budget *b, size_t kind)
{
	const uint64_t amounts[] = { b->memory, b->pids, b->cpu_quota };

	return amounts[kind];
}

/* --- making them --- */

static int write_value(const char *dir, const char *name, const char *value)
{
	cleanup_free char *path = path_join(dir, name);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, strlen(value)) >= 0 ? 0 : -1;
}

static int write_number(const char *dir, const char *name, uint64_t n)
{
	cleanup_free char *value = xstrfmt("%" PRIu64, n);

	return write_value(dir, name, value);
}

/* As with docker, as much may be swapped out as may be in use. */
static int limit_memory(const char *dir, bool v2, uint64_t n)
{
	if (v2) {
		(void)write_number(dir, "memory.swap.max", n);
		return write_number(dir, "memory.max", n);
	}
	if (write_number(dir, "memory.limit_in_bytes", n) < 0)
		return -1;
	(void)write_number(dir, "memory.memsw.limit_in_bytes", 2 * n);
	return 0;
}

static int limit_cpu(const char *dir, bool v2, uint64_t quota)
{
	cleanup_free char *both = xstrfmt("%" PRIu64 " 100000", quota);

	if (v2)
		return write_value(dir, "cpu.max", both);
	if (write_number(dir, "cpu.cfs_period_us", 100000) < 0)
		return -1;
	return write_number(dir, "cpu.cfs_quota_us", quota);
}

static int set_limit(const char *dir, bool v2, size_t kind, uint64_t n)
{
	if (kind == 0)
		return limit_memory(dir, v2, n);
	return kind == 1 ? write_number(dir, "pids.max", n)
			 : limit_cpu(dir, v2, n);
}

/* Groups of sandboxes that ended while nobody looked. Whoever made one may be
 * about to use it as long as it lives. */
static void sweep(const char *base)
{
	DIR *d = opendir(base);
	struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL) {
		const char *name = entry->d_name;
		pid_t maker = 0;

		if (str_starts(name, PREFIX))
			maker = (pid_t)strtol(name + strlen(PREFIX), NULL, 10);
		if (maker > 0 && kill(maker, 0) < 0 && errno == ESRCH)
			(void)unlinkat(dirfd(d), name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

static char *make_group(const char *base)
{
	struct timespec now;
	cleanup_free char *dir = NULL;

	sweep(base);
	clock_gettime(CLOCK_MONOTONIC, &now);
	dir = xstrfmt("%s/" PREFIX "%d-%lld%09ld", base, getpid(),
		      (long long)now.tv_sec, now.tv_nsec);
	return mkdir(dir, 0755) < 0 ? NULL : steal_ptr(&dir);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strspn(p, " ,\n")) {
		size_t len = strcspn(p, " ,\n");

		if (len == n && !memcmp(p, word, n))
			return true;
		p += len;
	}
	return false;
}

/* Are there groups with this controller below `dir`? */
static bool passes_on(const char *dir, const char *controller)
{
	cleanup_free char *path = path_join(dir, "cgroup.subtree_control");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return fs_read_file(path, TEXT_MAX, &text, NULL) == 0 &&
	       has_word(text.buf, controller);
}

static int pass_on(const char *dir, const char *controller)
{
	cleanup_free char *enable = xstrfmt("+%s", controller);

	if (passes_on(dir, controller))
		return 0;
	return write_value(dir, "cgroup.subtree_control", enable);
}

/*
 * The group to make ours in. One with processes, as ours, has none below it
 * that limit something; the nearest above does that has all of `wanted`, bits
 * of `kinds`. At the top of all there may be processes, so it can be told to.
 */
static char *find_base(const struct runtime_group_place *place,
		       unsigned int wanted)
{
	cleanup_free char *dir = xstrdup(place->dir);

	for (;;) {
		bool top = str_eq(dir, place->top), all = true;
		char *up;

		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			const char *name = kinds[i].controller;

			if (wanted & 1U << i)
				all = all && (top ? pass_on(dir, name) == 0
						  : passes_on(dir, name));
		}
		if (all)
			return steal_ptr(&dir);
		if (top)
			return NULL;
		up = path_dir(dir);
		free(dir);
		dir = up;
	}
}

/* In the hierarchy of version 2 one group is for all controllers. */
static const char *group_for(struct runtime_cgroup *c,
			     const struct runtime_group_place *place,
			     size_t kind, unsigned int wanted)
{
	cleanup_free char *base = NULL;
	char *dir;

	for (size_t i = 0; place->v2 && i < c->dirs.nr; i++)
		if (path_within(c->dirs.v[i], place->top)) {
			cleanup_free char *up = path_dir(c->dirs.v[i]);

			return pass_on(up, kinds[kind].controller) == 0
				       ? c->dirs.v[i] : NULL;
		}
	if (!place->v2)
		base = xstrdup(place->dir);
	else
		base = find_base(place, wanted);
	if (!base)
		base = find_base(place, 1U << kind);
	dir = base ? make_group(base) : NULL;
	if (dir)
		strvec_push_own(&c->dirs, dir);
	return dir;
}

/* --- where they are --- */

/* "4:memory,x:/path" of a controller, "0::/path" where it is NULL. */
static char *own_path(const char *own, const char *controller)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, own, "\n");
	for (size_t i = 0; i < lines.nr; i++) {
		char *list = strchr(lines.v[i], ':');
		char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (controller ? has_word(list + 1, controller) : !list[1])
			return xstrdup(path);
	}
	return NULL;
}

/* "36 35 98:0 ROOT POINT options [fields] - TYPE source OPTIONS", in place. */
static bool read_mount(char *line, char *field[4])
{
	static const int wanted[] = { 3, 4 };
	char *tail = strstr(line, " - "), *rest = line, *word;
	size_t n = 0;

	if (!tail)
		return false;
	*tail = '\0';
	for (int i = 0; (word = strsep(&rest, " ")) != NULL && n < 2; i++)
		if (i == wanted[n])
			field[n++] = word;
	rest = tail + 3;
	field[2] = strsep(&rest, " ");
	(void)strsep(&rest, " ");
	field[3] = rest;
	/* Blanks in names are written as escapes: none of ours. */
	return n == 2 && rest && !strchr(field[1], '\\');
}

static bool make_place(char *const field[4], const char *path, bool v2,
		       struct runtime_group_place *out)
{
	const char *below = path_below(path, field[0]);

	/* From inside a namespace of theirs, others are "/../". */
	if (!below || strstr(path, "/.."))
		return false;
	out->top = xstrdup(field[1]);
	out->dir = *below ? path_join(field[1], below) : xstrdup(field[1]);
	out->v2 = v2;
	return true;
}

bool runtime_cgroup_find(const char *mounts, const char *own,
			 const char *controller,
			 struct runtime_group_place *out)
{
	cleanup_free char *first = own_path(own, controller);
	cleanup_free char *second = own_path(own, NULL);
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, mounts, "\n");
	for (size_t i = 0; i < lines.nr; i++) {
		char *field[4];
		bool v2;

		if (!strstr(lines.v[i], " - cgroup") ||
		    !read_mount(lines.v[i], field))
			continue;
		v2 = str_eq(field[2], "cgroup2");
		/* A controller is in one version only. */
		if (v2 ? first || !second
		       : !first || !has_word(field[3], controller))
			continue;
		if (make_place(field, v2 ? second : first, v2, out))
			return true;
	}
	return false;
}

/* --- for one sandbox --- */

static void warn(size_t kind, const char *why)
{
	log_warn("--%s is not acted on: no control group for '%s' can be made "
		 "here: %s", kinds[kind].option, kinds[kind].controller, why);
}

static void limit(struct runtime_cgroup *c, const struct strbuf text[2],
		  size_t kind, const struct runtime_budget *b)
{
	struct runtime_group_place place;
	unsigned int wanted = 0;
	const char *dir;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		wanted |= amount(b, i) ? 1U << i : 0;
	if (!(wanted & 1U << kind))
		return;
	if (!runtime_cgroup_find(text[0].buf, text[1].buf,
				 kinds[kind].controller, &place)) {
		warn(kind, "there are none");
		return;
	}
	errno = 0;
	dir = group_for(c, &place, kind, wanted);
	if (!dir || set_limit(dir, place.v2, kind, amount(b, kind)) < 0)
		warn(kind, errno ? strerror(errno) : "it is not passed on");
	free(place.dir);
	free(place.top);
}

static bool read_own(struct strbuf text[2])
{
	return fs_read_file("/proc/self/mountinfo", TEXT_MAX, &text[0],
			    NULL) == 0 &&
	       fs_read_file("/proc/self/cgroup", TEXT_MAX, &text[1], NULL) ==
		       0;
}

/* To make a group is one right, to bring somebody there from where we are
 * another: only a try tells. */
static bool may_enter(const int *groups)
{
	pid_t pid = fork();

	if (!pid)
		_exit(runtime_cgroup_enter(groups, NULL) < 0);
	return pid > 0 && runtime_reap(pid) == 0;
}

static void close_groups(int *groups)
{
	for (size_t i = 0; i < RUNTIME_GROUPS; i++) {
		if (groups[i])
			close(groups[i]);
		groups[i] = 0;
	}
}

struct runtime_cgroup *runtime_cgroup_make(const struct runtime_budget *b)
{
	struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };
	struct runtime_cgroup *c = xcalloc(1, sizeof(*c));
	int groups[RUNTIME_GROUPS] = { 0 };

	if ((b->memory || b->pids || b->cpu_quota) && read_own(text))
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			limit(c, text, i, b);
	strbuf_release(&text[0]);
	strbuf_release(&text[1]);
	if (c->dirs.nr && (runtime_cgroup_open(c, groups, NULL) < 0 ||
			   !may_enter(groups))) {
		log_warn("limits are not acted on: this process may not enter "
			 "the control group '%s'", c->dirs.v[0]);
		runtime_cgroup_remove(&c->dirs);
		strvec_release(&c->dirs);
	}
	close_groups(groups);
	if (c->dirs.nr)
		return c;
	runtime_cgroup_release(c);
	return NULL;
}

void runtime_cgroup_release(struct runtime_cgroup *c)
{
	if (c)
		strvec_release(&c->dirs);
	free(c);
}

static int open_groups(const struct strvec *dirs, int *groups,
		       struct error *err)
{
	for (size_t i = 0; i < dirs->nr && i < RUNTIME_GROUPS; i++) {
		cleanup_free char *path = path_join(dirs->v[i],
						    "cgroup.procs");

		groups[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (groups[i] < 0) {
			groups[i] = 0;
			return error_errno(err, "cannot open '%s'", path);
		}
	}
	return 0;
}

int runtime_cgroup_open(const struct runtime_cgroup *c, int *groups,
			struct error *err)
{
	return open_groups(&c->dirs, groups, err);
}

int runtime_cgroup_enter(const int *groups, struct error *err)
{
	for (size_t i = 0; i < RUNTIME_GROUPS && groups[i]; i++)
		if (write(groups[i], "0", 1) < 0)
			return error_errno(err, "cannot enter a control "
					   "group");
	return 0;
}

void runtime_cgroup_names(const struct runtime_sandbox *s,
			  struct strvec *dirs)
{
	cleanup_free char *path = xstrfmt("/proc/%d/cgroup", s->init);
	cleanup_strbuf struct strbuf theirs = STRBUF_INIT;
	struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };

	/* Most have none, and need no look at the mounts. */
	if (fs_read_file(path, TEXT_MAX, &theirs, NULL) < 0 ||
	    !strstr(theirs.buf, "/" PREFIX))
		return;
	for (size_t i = 0, n = read_own(text) ? ARRAY_SIZE(kinds) : 0; i < n;
	     i++) {
		struct runtime_group_place place, ours;
		const char *name = kinds[i].controller;

		if (!runtime_cgroup_find(text[0].buf, theirs.buf, name,
					 &place))
			continue;
		if (runtime_cgroup_find(text[0].buf, text[1].buf, name,
					&ours)) {
			cleanup_free char *last = path_base(place.dir);

			if (str_starts(last, PREFIX) &&
			    !str_eq(place.dir, ours.dir) &&
			    !strvec_has(dirs, place.dir))
				strvec_push(dirs, place.dir);
			free(ours.dir);
			free(ours.top);
		}
		free(place.dir);
		free(place.top);
	}
	strbuf_release(&text[0]);
	strbuf_release(&text[1]);
}

void runtime_cgroup_of(const struct runtime_sandbox *s, int *groups)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	runtime_cgroup_names(s, &dirs);
	if (!dirs.nr ||
	    (open_groups(&dirs, groups, NULL) == 0 && may_enter(groups)))
		return;
	log_warn("the command is not held to the limits of the environment: "
		 "this process may not enter '%s'", dirs.v[0]);
	close_groups(groups);
}

void runtime_cgroup_remove(const struct strvec *dirs)
{
	for (size_t i = 0; i < dirs->nr; i++)
		(void)rmdir(dirs->v[i]);
}
