/* ids.c - which ids of the host a user namespace may use */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/proc.h"

#define MAP_MAX ((size_t)1 << 20)

/* One line that maps one id. */
bool runtime_ids_text_single(const char *text)
{
	unsigned int inside, outside, count;
	const char *end = strchr(text, '\n');

	return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 &&
	       count == 1 && (!end || !end[1]);
}

bool runtime_ids_single(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return fs_read_file("/proc/self/uid_map", MAP_MAX, &text, NULL) == 0 &&
	       runtime_ids_text_single(text.buf);
}

/* "name:start:count", or a number in place of the name. */
static bool parse_line(char *line, const char *name, uid_t id,
		       struct runtime_range *out)
{
	char *start = strchr(line, ':');
	char *count = start ? strchr(start + 1, ':') : NULL;
	uint64_t first, n, owner;

	if (!count)
		return false;
	*start++ = *count++ = '\0';
	if (!(name && str_eq(line, name)) &&
	    !(str_to_u64(line, UINT32_MAX, &owner) && owner == id))
		return false;
	if (!str_to_u64(start, UINT32_MAX - 1, &first) ||
	    !str_to_u64(count, UINT32_MAX - 1, &n) || !n || !first ||
	    first + n > UINT32_MAX)
		return false;
	out->start = (uint32_t)first;
	out->count = (uint32_t)n;
	return true;
}

bool runtime_range_find(const char *text, const char *name, uid_t id,
			struct runtime_range *out)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *line;
	struct runtime_range range, best = { 0 };

	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse_line(line, name, id, &range) &&
		    range.count > best.count)
			best = range;
	*out = best;
	return best.count > 0;
}

static bool read_range(const char *path, const char *name, uid_t uid,
		       struct runtime_range *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return fs_read_file(path, MAP_MAX, &text, NULL) == 0 &&
	       runtime_range_find(text.buf, name, uid, out);
}

/* The set-user-id helper by its own path: PATH is the caller's. */
static bool map_range(const char *program, pid_t pid, unsigned int id,
		      const struct runtime_range *range)
{
	cleanup_proc struct proc p = PROC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (access(program, X_OK) < 0)
		return false;
	strvec_push(&p.args, program);
	strvec_pushf(&p.args, "%d", pid);
	strvec_push(&p.args, "0");
	strvec_pushf(&p.args, "%u", id);
	strvec_push(&p.args, "1");
	strvec_push(&p.args, "1");
	strvec_pushf(&p.args, "%u", range->start);
	strvec_pushf(&p.args, "%u", range->count);
	p.timeout_ms = 10000;
	return proc_capture(&p, NULL, &out, 4096, NULL) == 0 && p.status == 0;
}

static int write_text(pid_t pid, const char *file, const char *text,
		      struct error *err)
{
	cleanup_free char *path = xstrfmt("/proc/%d/%s", pid, file);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return error_errno_code(err, ERR_HOST, "cannot write '%s'",
					path);
	return 0;
}

static int map_one(pid_t pid, uid_t uid, gid_t gid, struct error *err)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", uid);
	snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", gid);
	if (write_text(pid, "uid_map", uid_map, err) < 0 ||
	    write_text(pid, "setgroups", "deny", err) < 0)
		return -1;
	return write_text(pid, "gid_map", gid_map, err);
}

int runtime_ids_map(pid_t pid, uid_t uid, gid_t gid, bool *ranges,
		    struct error *err)
{
	struct passwd *pw = getpwuid(uid);
	cleanup_free char *name = xstrdup_null(pw ? pw->pw_name : NULL);
	struct runtime_range uids, gids;

	*ranges = read_range("/etc/subuid", name, uid, &uids) &&
		  read_range("/etc/subgid", name, uid, &gids) &&
		  map_range("/usr/bin/newgidmap", pid, gid, &gids);
	if (!*ranges)
		return map_one(pid, uid, gid, err);
	if (map_range("/usr/bin/newuidmap", pid, uid, &uids))
		return 0;
	error_set(err, ERR_HOST, "newuidmap could not map the ids of user %u",
		  uid);
	return error_hint(err, "/usr/bin/newuidmap must be set-user-id root "
			       "and /etc/subuid must list the user");
}
