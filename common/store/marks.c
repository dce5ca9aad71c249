/* marks.c - how a layer says that something of the layers below is gone */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* How the layers of a store are written. */
enum store_form {
	STORE_FORM_UNKNOWN, /* nobody wrote one yet */
	STORE_FORM_TRUSTED, /* overlay's, by the first root */
	STORE_FORM_USER,    /* overlay's, in a user namespace */
	STORE_FORM_FILES,   /* files alone (no_nodes) */
};

static const char *const forms[] = { "", "trusted\n", "user\n", "files\n" };

static enum store_form form_of(const struct store *s)
{
	if (s->o.no_nodes)
		return STORE_FORM_FILES;
	return s->o.user_xattr ? STORE_FORM_USER : STORE_FORM_TRUSTED;
}

static enum store_form read_form(int dirfd, const char *path)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(dirfd, path, 64, &text, NULL) < 0)
		return STORE_FORM_UNKNOWN;
	for (size_t i = 1; i < ARRAY_SIZE(forms); i++)
		if (str_eq(text.buf, forms[i]))
			return (enum store_form)i;
	return STORE_FORM_UNKNOWN;
}

bool store_is_plain(const char *path)
{
	cleanup_free char *file = xstrfmt("%s/form", path);

	return read_form(AT_FDCWD, file) == STORE_FORM_FILES;
}

bool marks_same_form(const struct store *s, const struct store *base)
{
	return read_form(base->fd, "form") == form_of(s);
}

static int claim_form(struct store *s, struct error *err)
{
	enum store_form ours = form_of(s), found = read_form(s->fd, "form");
	cleanup_error struct error inner = ERROR_INIT;

	if (found == ours)
		return 0;
	if (found == STORE_FORM_UNKNOWN) {
		/* What syncs the layers of this form syncs its name as well;
		 * one that is read-only gets no layers. */
		if (store_replace(s, "form", forms[ours], strlen(forms[ours]),
				  false, &inner) < 0 && inner.sys != EROFS)
			return error_move(err, &inner);
		return 0;
	}
	error_set(err, ERR_SYSTEM, "the layers in store '%s' were written %s",
		  s->path, found == STORE_FORM_FILES ?
			  "without the right to mount" :
		  found == STORE_FORM_USER ? "in a user namespace"
					   : "by root");
	return error_hint(err, "use another store (--store), or the driver "
			       "that wrote this one");
}

int store_claim(struct store *s, struct error *err)
{
	if (claim_form(s, err) < 0 || base_note_ids(s, err) < 0)
		return -1;
	base_judge(s);
	return 0;
}

int store_put_whiteout(const struct store *s, int dirfd, const char *name,
		       struct error *err)
{
	cleanup_close int fd = -1;

	if (!s->o.no_nodes) {
		if (mknodat(dirfd, name, S_IFCHR, makedev(0, 0)) == 0)
			return 0;
		return error_errno(err, "cannot mark '%s' as gone", name);
	}
	fd = openat(dirfd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd >= 0 && store_put_xattr(dirfd, name, DEVICE_XATTR,
				       MARKS_WHITEOUT,
				       strlen(MARKS_WHITEOUT)) == 0)
		return 0;
	return error_errno(err, "cannot mark '%s' as gone", name);
}

/* An overlay below the store takes no marks of overlays. */
const char *marks_opaque(const struct store *s)
{
	return s->o.no_nodes	 ? "user.devenv.opaque"
	       : s->o.user_xattr ? "user.overlay.opaque"
				 : "trusted.overlay.opaque";
}

int store_put_opaque(const struct store *s, int dirfd, const char *name,
		     struct error *err)
{
	if (store_put_xattr(dirfd, name, marks_opaque(s), "y", 1) < 0)
		return error_errno(err, "cannot mark '%s' as opaque", name);
	return 0;
}

bool store_keeps_xattr(const char *name)
{
	return store_xattr_wanted(name) || str_eq(name, DEVICE_XATTR) ||
	       str_starts(name, PARKED_XATTR);
}
