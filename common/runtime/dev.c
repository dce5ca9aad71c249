/* dev.c - the devices that every root has */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/internal.h"

struct node {
	const char *name;
	unsigned int major, minor;
};

static const struct node nodes[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

/* Without /proc they lead nowhere, which is better than a file of that name
 * that takes what a command writes. */
static const char *const links[][2] = {
	{ "/proc/self/fd", "fd" },
	{ "/proc/self/fd/0", "stdin" },
	{ "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" },
};

static int make_node(int dir, const struct node *n)
{
	return mknodat(dir, n->name, S_IFCHR | 0666,
		       makedev(n->major, n->minor));
}

static int make_links(int dev)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i][0], dev, links[i][1]) < 0)
			return -1;
	return 0;
}

static int open_node(int dir, const struct node *n, struct error *err)
{
	cleanup_close int fd =
		openat(dir, n->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open the device '%s'", n->name);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(n->major, n->minor))
		return error_set(err, ERR_HOST,
				 "/dev/%s is not the device it should be",
				 n->name);
	return steal_fd(&fd);
}

int runtime_dev_open(int dir, const char *name, struct error *err)
{
	const struct node *n = nodes;

	while (!str_eq(n->name, name))
		n++;
	return open_node(dir, n, err);
}

/* Where they can be made, or this host's where that is not allowed. */
static int find_nodes(int scratch, bool *host, struct error *err)
{
	cleanup_close int dir =
		openat(scratch, "nodes", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*host = false;
	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(nodes); i++) {
		if (make_node(dir, &nodes[i]) == 0)
			continue;
		if (errno != EPERM)
			return error_errno(err, "cannot make the device '%s'",
					   nodes[i].name);
		close(dir);
		dir = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
		*host = true;
		break;
	}
	if (dir < 0)
		return error_errno(err, "cannot open /dev");
	return steal_fd(&dir);
}

static int bind_node(int dev, int dir, bool host, const struct node *n,
		     struct error *err)
{
	cleanup_close int node = -1, mnt = -1;

	if (host) {
		node = open_node(dir, n, err);
		if (node < 0)
			return -1;
	}
	mnt = runtime_clone(host ? node : dir, host ? "" : n->name, false, err);
	if (mnt < 0)
		return -1;
	if (mknodat(dev, n->name, S_IFREG | 0666, 0) < 0)
		return error_errno(err, "cannot make '%s'", n->name);
	return runtime_attach_at(mnt, dev, n->name, err);
}

int runtime_dev_fill(int dev, int scratch, struct error *err)
{
	bool host;
	cleanup_close int dir = find_nodes(scratch, &host, err);

	if (dir < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (bind_node(dev, dir, host, &nodes[i], err) < 0)
			return -1;
	if (make_links(dev) < 0 || symlinkat("pts/ptmx", dev, "ptmx") < 0)
		return error_errno(err, "cannot make the links of /dev");
	return 0;
}

int runtime_dev_make(int dev, struct error *err)
{
	mode_t old = umask(0);
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(nodes) && rc == 0; i++)
		rc = make_node(dev, &nodes[i]);
	if (rc == 0)
		rc = mkdirat(dev, "shm", 01777);
	umask(old);
	if (rc == 0 && make_links(dev) == 0)
		return 0;
	error_errno_code(err, ERR_HOST, "cannot fill /dev of a step");
	return error_hint(err, "without the right to mount, devices must be "
			       "made (CAP_MKNOD): those of this host cannot "
			       "be bound");
}
