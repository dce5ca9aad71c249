/* forget.c - remove single things that a newer one replaces */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reach.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* Does the state of an environment name it? */
static int is_used(struct store *s, const char *id, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i, k;

	if (store_list(s, "run", &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		cleanup_free char *dir = xstrfmt("run/%s", names.v[i]);
		cleanup_strvec struct strvec files = STRVEC_INIT;

		if (store_list(s, dir, &files, NULL) < 0)
			continue;
		for (k = 0; k < files.nr; k++) {
			cleanup_free char *path = xstrfmt("%s/%s", dir,
							  files.v[k]);
			cleanup_strbuf struct strbuf text = STRBUF_INIT;

			if (fs_read_at(s->fd, path, REACH_TEXT_MAX, &text,
				       NULL) == 0 &&
			    memmem(text.buf, text.len, id, strlen(id)))
				return 1;
		}
	}
	return 0;
}

int store_forget_layer(struct store *s, const char *id, struct error *err)
{
	int used = 1;

	if (!store_is_hex(id, STORE_ID - 1))
		return error_set(err, ERR_INPUT, "'%.80s' is no layer id", id);
	if (flock(s->use_fd, LOCK_EX | LOCK_NB) == 0)
		used = is_used(s, id, err);
	if (used == 0)
		used = layer_discard(s, id, err);
	if (flock(s->use_fd, LOCK_SH) < 0)
		log_debug("cannot go back to a shared lock");
	return used < 0 ? -1 : 0;
}
