/* user.c - names of users and groups, read as data from a root file system */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define ID_MAX UINT32_C(2147483647)
#define FILE_MAX ((size_t)10 << 20)
#define GROUPS_MAX 65536
#define FIELDS_MAX 7

void runtime_user_release(struct runtime_user *u)
{
	free(u->groups);
	free(u->name);
	free(u->home);
	free(u->shell);
	*u = (struct runtime_user){ 0 };
}

/* A missing file is empty. O_NONBLOCK: a FIFO must not hold us up. */
static int read_database(int rootfd, const char *path, struct strbuf *out,
			 struct error *err)
{
	cleanup_close int fd = fs_open_in_root(
		rootfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno_code(err, ERR_INPUT,
					"cannot open %s of the image", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT,
				 "%s of the image is not a regular file", path);
	if ((uintmax_t)st.st_size > FILE_MAX)
		return error_set(err, ERR_INPUT,
				 "%s of the image is larger than 10 MiB", path);
	return fs_read_fd(fd, FILE_MAX, out, err);
}

/* Cut the next line off `*text` and split it at colons, in place. Returns
 * the number of fields, -1 at the end. */
static int next_entry(char **text, char *field[FIELDS_MAX])
{
	char *line = *text, *end;
	int n = 0;

	if (!*line)
		return -1;
	end = strchr(line, '\n');
	*text = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	while (n < FIELDS_MAX) {
		field[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static bool parse_id(const char *s, uint32_t *id)
{
	uint64_t v;

	if (!str_to_u64(s, ID_MAX, &v))
		return false;
	*id = (uint32_t)v;
	return true;
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static bool matches(const char *name, uint32_t id, const char *word)
{
	uint32_t wanted;

	return str_eq(name, word) || (parse_id(word, &wanted) && wanted == id);
}

/* Fill `u` from the first line that `word` names; groups are untouched. */
static bool find_user(const struct strbuf *db, const char *word,
		      struct runtime_user *u)
{
	cleanup_free char *copy = xstrdup(db->buf);
	char *text = copy, *f[FIELDS_MAX];
	uint32_t uid, gid;
	int n;

	while ((n = next_entry(&text, f)) >= 0) {
		if (n < 4 || !parse_id(f[2], &uid) || !parse_id(f[3], &gid) ||
		    !matches(f[0], uid, word))
			continue;
		u->uid = uid;
		u->gid = gid;
		u->name = xstrdup(f[0]);
		u->home = n > 5 && *f[5] ? xstrdup(f[5]) : NULL;
		u->shell = n > 6 && *f[6] ? xstrdup(f[6]) : NULL;
		return true;
	}
	return false;
}

static bool find_group(const struct strbuf *db, const char *word, gid_t *gid)
{
	cleanup_free char *copy = xstrdup(db->buf);
	char *text = copy, *f[FIELDS_MAX];
	uint32_t id;
	int n;

	while ((n = next_entry(&text, f)) >= 0) {
		if (n < 3 || !parse_id(f[2], &id) || !matches(f[0], id, word))
			continue;
		*gid = id;
		return true;
	}
	return false;
}

static bool list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; *list; list += *list == ',') {
		size_t len = strcspn(list, ",");

		if (len == n && !memcmp(list, name, n))
			return true;
		list += len;
	}
	return false;
}

static void add_groups(const struct strbuf *db, struct runtime_user *u)
{
	cleanup_free char *copy = xstrdup(db->buf);
	char *text = copy, *f[FIELDS_MAX];
	size_t alloc = 0;
	uint32_t id;
	int n;

	while ((n = next_entry(&text, f)) >= 0) {
		if (n < 4 || !parse_id(f[2], &id) || !list_has(f[3], u->name))
			continue;
		if (u->n_groups == GROUPS_MAX)
			return;
		GROW(u->groups, u->n_groups, alloc);
		u->groups[u->n_groups++] = id;
	}
}

static int out_of_range(struct error *err, const char *word)
{
	return error_set(err, ERR_INPUT,
			 "user and group ids must be in the range 0-%u, not %s",
			 (unsigned int)ID_MAX, word);
}

/* Resolve the user part; `word` is not empty. */
static int resolve_user(const struct strbuf *passwd, const char *word,
			bool *found, struct runtime_user *u, struct error *err)
{
	uint32_t id;

	*found = find_user(passwd, word, u);
	if (*found)
		return 0;
	if (!is_number(word))
		return error_set(err, ERR_INPUT, "unable to find user %s: "
				 "no matching entries in passwd file", word);
	if (!parse_id(word, &id))
		return out_of_range(err, word);
	u->uid = id;
	u->gid = 0;
	return 0;
}

static int resolve_group(const struct strbuf *group, const char *word,
			 gid_t *gid, struct error *err)
{
	uint32_t id;

	if (find_group(group, word, gid))
		return 0;
	if (!is_number(word))
		return error_set(err, ERR_INPUT, "unable to find group %s: "
				 "no matching entries in group file", word);
	if (!parse_id(word, &id))
		return out_of_range(err, word);
	*gid = id;
	return 0;
}

/* "n:m" needs no database, so a broken one does not matter. */
static bool parse_pair(const char *user, const char *group, uint32_t *uid,
		       uint32_t *gid)
{
	return group && parse_id(user, uid) && parse_id(group, gid);
}

static int lookup(int rootfd, const char *spec, struct runtime_user *u,
		  struct error *err)
{
	cleanup_strbuf struct strbuf passwd = STRBUF_INIT, group = STRBUF_INIT;
	cleanup_free char *word = xstrdup(spec);
	char *colon = strchr(word, ':');
	const char *group_word = NULL;
	bool found, bare = !*spec;

	if (colon) {
		*colon = '\0';
		group_word = colon[1] ? colon + 1 : NULL;
	}
	if (parse_pair(word, group_word, &u->uid, &u->gid)) {
		struct runtime_user known = { 0 };

		if (!read_database(rootfd, "/etc/passwd", &passwd, NULL) &&
		    find_user(&passwd, word, &known)) {
			u->name = known.name;
			u->home = known.home;
			u->shell = known.shell;
		}
		return 0;
	}
	if (read_database(rootfd, "/etc/passwd", &passwd, err) < 0 ||
	    read_database(rootfd, "/etc/group", &group, err) < 0 ||
	    resolve_user(&passwd, *word ? word : "0", &found, u, err) < 0)
		return -1;
	if (group_word)
		return resolve_group(&group, group_word, &u->gid, err);
	if (found && !bare)
		add_groups(&group, u);
	return 0;
}

int runtime_user_lookup(int rootfd, const char *spec, struct runtime_user *u,
			struct error *err)
{
	cleanup_runtime_user struct runtime_user found = { 0 };

	if (lookup(rootfd, spec ? spec : "", &found, err) < 0)
		return -1;
	if (!found.home)
		found.home = xstrdup("/");
	*u = found;
	found = (struct runtime_user){ 0 };
	return 0;
}

static bool is_member(const struct runtime_user *u, gid_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return true;
	return false;
}

int runtime_user_join(int rootfd, const struct strvec *groups,
		      struct runtime_user *u, struct error *err)
{
	cleanup_strbuf struct strbuf db = STRBUF_INIT;

	if (!groups->nr)
		return 0;
	if (read_database(rootfd, "/etc/group", &db, err) < 0)
		return -1;
	u->groups = xrealloc_array(u->groups, u->n_groups + groups->nr,
				   sizeof(*u->groups));
	for (size_t i = 0; i < groups->nr; i++) {
		gid_t gid;

		if (resolve_group(&db, groups->v[i], &gid, err) < 0)
			return -1;
		if (!is_member(u, gid))
			u->groups[u->n_groups++] = gid;
	}
	return 0;
}

int runtime_chown_lookup(int rootfd, const char *spec, uid_t *uid,
			 gid_t *gid, struct error *err)
{
	cleanup_runtime_user struct runtime_user u = { 0 };

	if (lookup(rootfd, spec, &u, err) < 0)
		return -1;
	*uid = u.uid;
	*gid = is_number(spec) ? u.uid : u.gid;
	return 0;
}
