/* lock.c - locks by name: what several processes would make is made once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/signals.h"
#include "store/lock.h"

#define LOCKS "locks"
#define LOCK_DIGITS 15 /* 60 bits: an offset that off_t holds */

/*
 * One byte of one file stands for a name: nothing is left to sweep, and no
 * name can go while somebody waits for it. Two names that shared a byte would
 * only wait for each other's work.
 */
static int lock_byte(const char *name, struct flock *l, struct error *err)
{
	char digits[LOCK_DIGITS + 1];

	if (!store_is_hex(name, STORE_ID - 1))
		return error_set(err, ERR_INPUT, "'%.80s' names no lock",
				 name);
	snprintf(digits, sizeof(digits), "%s", name);
	*l = (struct flock){ .l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = (off_t)strtoull(digits, NULL, 16),
			     .l_len = 1 };
	return 0;
}

static int open_locks(const struct store *s, struct error *err)
{
	int fd = openat(s->fd, LOCKS, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return error_errno(err, "cannot open '%s/" LOCKS "'", s->path);
	return fd;
}

int store_lock_add(struct store *s, const char *name, int *lock_fd,
		   struct error *err)
{
	cleanup_close int fd = -1;
	struct flock l;

	if (lock_byte(name, &l, err) < 0)
		return -1;
	if (*lock_fd < 0) {
		fd = open_locks(s, err);
		if (fd < 0)
			return -1;
	}
	if (fcntl(fd < 0 ? *lock_fd : fd, F_OFD_SETLK, &l) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return 0;
		return error_errno(err, "cannot lock '%s/" LOCKS "'", s->path);
	}
	if (fd >= 0)
		*lock_fd = steal_fd(&fd);
	return 1;
}

int store_lock_try(struct store *s, const char *name, int *lock_fd,
		   struct error *err)
{
	int fd = -1, rc = store_lock_add(s, name, &fd, err);

	if (rc > 0)
		*lock_fd = fd;
	return rc;
}

int store_lock(struct store *s, const char *name, int *lock_fd,
	       struct error *err)
{
	const struct timespec pause = { .tv_nsec = STORE_LOCK_MS * 1000000L };
	int rc;

	while (!(rc = store_lock_try(s, name, lock_fd, err))) {
		if (signals_check(err) < 0)
			return -1;
		nanosleep(&pause, NULL);
	}
	return rc < 0 ? -1 : 0;
}

static void unlock(int fd, struct flock *l)
{
	l->l_type = F_UNLCK;
	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, l) < 0)
		log_debug("a lock of the store stays until this ends");
}

void store_lock_drop(int lock_fd, const char *name)
{
	struct flock l;

	if (lock_byte(name, &l, NULL) == 0)
		unlock(lock_fd, &l);
}

/* Processes forked meanwhile have the descriptor as well: closing it here
 * would not be enough. */
void store_unlock(int *lock_fd)
{
	struct flock all = { .l_whence = SEEK_SET };

	unlock(*lock_fd, &all);
	base_close_fd(lock_fd);
}
