/* repair.c - mend what verify finds, and say what became of it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"
#include "store/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* What is lost may take other things along, which take others. */
#define ROUNDS_MAX 8

void repair_say(const struct repair *r, struct strbuf *how, const char *fmt,
		...)
{
	va_list ap;

	if (r->o->dry_run)
		strbuf_addstr(how, "would be ");
	va_start(ap, fmt);
	strbuf_vaddf(how, fmt, ap);
	va_end(ap);
}

bool repair_lacks_base(struct repair *r, struct strbuf *how)
{
	cleanup_free char *path = base_absent(r->s);

	if (path)
		strbuf_addf(how,
			    "left as it is: name the base store '%s' with "
			    "--base-store",
			    path);
	return path;
}

int repair_fetch(struct repair *r, const char *origin,
		 const struct oci_descriptor *d, bool manifest,
		 struct strbuf *how)
{
	cleanup_error struct error why = ERROR_INIT;

	if (!r->o->fetch || !origin)
		return 0;
	if (r->o->dry_run ||
	    r->o->fetch(r->o->arg, origin, d, manifest, &why) == 0) {
		repair_say(r, how, "fetched again from %s", origin);
		return 1;
	}
	strbuf_addf(how, "not fetched (%s), ", why.msg);
	return 0;
}

/* Who may not change owners may have a file of its own. */
static int replace_by_copy(struct store *s, const char *path)
{
	cleanup_close int fd =
		openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct store_temp t = STORE_TEMP_INIT;
	struct stat st;
	int rc = -1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    store_temp_file(s, &t, NULL) < 0)
		return -1;
	if (fs_copy_data(fd, t.fd, (uint64_t)st.st_size, NULL) == 0 &&
	    fsync(t.fd) == 0)
		rc = renameat(s->fd, t.name, s->fd, path);
	if (rc == 0)
		t.name[0] = '\0';
	store_temp_drop(s, &t);
	return rc;
}

static enum outcome give_back(struct repair *r, const char *path, uid_t owner,
			      struct strbuf *how)
{
	if (r->o->dry_run ||
	    fchownat(r->s->fd, path, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) ==
		    0 ||
	    replace_by_copy(r->s, path) == 0) {
		repair_say(r, how, "given back to user %u", (unsigned)owner);
		return OUTCOME_MENDED;
	}
	strbuf_addf(how, "cannot be given back: %s", strerror(errno));
	return OUTCOME_LOST;
}

static enum outcome drop(struct repair *r, const char *path, struct strbuf *how,
			 struct error *err)
{
	repair_say(r, how, "removed");
	if (r->o->dry_run)
		return OUTCOME_MENDED;
	return store_discard(r->s, path, err) < 0 ? OUTCOME_FAILED
						  : OUTCOME_MENDED;
}

static enum outcome write_layout(struct repair *r, struct strbuf *how,
				 struct error *err)
{
	repair_say(r, how, "written again");
	if (r->o->dry_run)
		return OUTCOME_MENDED;
	return store_replace(r->s, STORE_LAYOUT, STORE_LAYOUT_TEXT,
			     strlen(STORE_LAYOUT_TEXT), true, err) < 0
		       ? OUTCOME_FAILED
		       : OUTCOME_MENDED;
}

static enum outcome write_index(struct repair *r, struct strbuf *how,
				struct error *err)
{
	repair_say(r, how, "written again from the images");
	if (r->o->dry_run)
		return OUTCOME_MENDED;
	return store_index_rebuild(r->s, true, err) < 0 ? OUTCOME_FAILED
						  : OUTCOME_MENDED;
}

static enum outcome give_name(struct repair *r, const char *path,
			      struct strbuf *how, struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };

	repair_say(r, how, "made again");
	if (r->o->dry_run || store_read_image(r->s, path, &i, NULL) <= 0)
		return OUTCOME_MENDED;
	return store_put_image(r->s, &i, err) < 0 ? OUTCOME_FAILED
						  : OUTCOME_MENDED;
}

static enum outcome mend(struct repair *r, const struct verify *v,
			 const struct finding *f, struct strbuf *how,
			 struct error *err)
{
	enum outcome rc;

	switch (f->damage) {
	case DAMAGE_STRAY:
		return drop(r, f->name, how, err);
	case DAMAGE_OWNER:
		return give_back(r, f->name, v->owner, how);
	case DAMAGE_LAYOUT:
		return write_layout(r, how, err);
	case DAMAGE_BLOB:
		return repair_blob(r, f->name, how, err);
	case DAMAGE_LAYER:
		return repair_layer(r, f->name, how, err);
	case DAMAGE_RECORD:
		return repair_record(r, f->name, how, err);
	case DAMAGE_NAME:
		return give_name(r, f->name, how, err);
	case DAMAGE_IMAGE:
		return repair_image(r, f->name, how, err);
	case DAMAGE_STEP:
		rc = drop(r, f->name, how, err);
		strbuf_addstr(how, ", its step will run again");
		return rc;
	case DAMAGE_INDEX:
		return write_index(r, how, err);
	}
	return OUTCOME_LOST;
}

static void add_record(void *arg, const char *path UNUSED,
		       struct store_image *i)
{
	struct repair *r = arg;

	GROW(r->records, r->n_records, r->alloc_records);
	r->records[r->n_records++] = *i;
	memset(i, 0, sizeof(*i));
}

static void forget_records(struct repair *r)
{
	for (size_t i = 0; i < r->n_records; i++)
		store_image_release(&r->records[i]);
	r->n_records = 0;
}

static int read_records(struct repair *r, struct error *err)
{
	forget_records(r);
	return store_each_record(r->s, false, add_record, r, err);
}

/* One that was told of before is passed over: 1 done now, 0 not, -1. */
static int mend_one(struct repair *r, const struct verify *v,
		    const struct finding *f, struct strindex *said,
		    struct error *err)
{
	cleanup_strbuf struct strbuf how = STRBUF_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	enum outcome rc;
	size_t ignored;

	if (strindex_get(said, f->text, strlen(f->text), &ignored))
		return 0;
	rc = mend(r, v, f, &how, err);
	if (rc == OUTCOME_FAILED)
		return -1;
	if (rc == OUTCOME_LOST && r->only_certain)
		return 0;
	strindex_add(said, f->text, strlen(f->text), 0);
	strbuf_addf(&line, "%s: %s", f->text, how.buf);
	r->o->report(r->o->arg, line.buf);
	++*(rc == OUTCOME_MENDED ? &r->result->mended : &r->result->lost);
	return 1;
}

/* 1: something was done, 0: nothing, -1. Records come first, as they say what
 * blobs and layers are needed for; and last, when what they are made of may be
 * here again. */
static int mend_all(struct repair *r, const struct verify *v,
		    struct strindex *said, struct error *err)
{
	int done = 0;

	r->only_certain = true;
	for (size_t i = 0; i < v->nr && done >= 0; i++)
		if (v->v[i].damage == DAMAGE_RECORD &&
		    mend_one(r, v, &v->v[i], said, err) < 0)
			done = -1;
	r->only_certain = false;
	if (done < 0 || read_records(r, err) < 0)
		return -1;
	for (size_t i = 0; i < v->nr; i++) {
		int rc = mend_one(r, v, &v->v[i], said, err);

		if (rc < 0)
			return -1;
		done |= rc;
	}
	return done;
}

static int repair_all(struct repair *r, struct error *err)
{
	cleanup_verify struct verify v = { .s = NULL };
	cleanup_strindex struct strindex said = { .nr = 0 };
	int changed = 1;

	if (verify_init(&v, r->s, err) < 0)
		return -1;
	v.alone = r->alone;
	for (int i = 0; changed > 0 && i < ROUNDS_MAX; i++) {
		if (verify_all(&v, err) < 0)
			return -1;
		changed = mend_all(r, &v, &said, err);
		if (r->o->dry_run)
			break;
	}
	return changed < 0 ? -1 : 0;
}

int store_repair(struct store *s, const struct store_repair_options *o,
		 struct store_repair_result *result, struct error *err)
{
	struct repair r = { .s = s, .o = o, .result = result };
	int rc;

	*result = (struct store_repair_result){ .lost = 0 };
	r.alone = flock(s->use_fd, LOCK_EX | LOCK_NB) == 0;
	rc = repair_all(&r, err);
	forget_records(&r);
	free(r.records);
	if (flock(s->use_fd, LOCK_SH) < 0)
		log_debug("cannot go back to a shared lock");
	return rc;
}
