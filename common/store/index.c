/* index.c - index.json: the images that other tools can read here */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define INDEX_MAX ((size_t)64 << 20)

static struct json *read_index(struct store *s)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json *j = NULL;

	if (fs_read_at(s->fd, STORE_INDEX, INDEX_MAX, &text, NULL) == 0)
		j = json_parse(STORE_INDEX, text.buf, text.len, NULL);
	if (json_kind(j) == JSON_OBJECT)
		return j;
	/* Lost or damaged: `store verify` names it, the next image mends it. */
	json_free(j);
	return json_new_object();
}

static bool names(const struct json *entry, const char *reference)
{
	const char *name = json_get_str(json_get(entry, "annotations"),
					STORE_REF_NAME);

	return name && str_eq(name, reference);
}

static struct json *new_entry(const char *reference,
			      const struct oci_descriptor *manifest)
{
	struct json *entry = json_new_object();
	struct json *notes = json_new_object();

	json_set_str(notes, STORE_REF_NAME, reference);
	json_set(entry, "annotations", notes);
	json_set_str(entry, "digest", manifest->digest);
	json_set_str(entry, "mediaType", manifest->media_type);
	json_set_int(entry, "size", (int64_t)manifest->size);
	return entry;
}

static int update(struct store *s, const char *reference,
		  const struct oci_descriptor *manifest, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *index = read_index(s);
	struct json *fresh = json_new_array();
	size_t n = 0;

	for (struct json *m = json_first(json_get(index, "manifests")); m;
	     m = json_next(m)) {
		if (names(m, reference))
			n++;
		else
			json_push(fresh, json_dup(m));
	}
	if (!n && !manifest) {
		json_free(fresh);
		return 0;
	}
	if (manifest)
		json_push(fresh, new_entry(reference, manifest));
	json_set(index, "manifests", fresh);
	json_set_int(index, "schemaVersion", 2);
	json_write(&text, index, false);
	return store_replace(s, STORE_INDEX, text.buf, text.len, true, err);
}

/* The lock is on a file of its own, as index.json is replaced. */
static int lock_index(struct store *s, struct error *err)
{
	cleanup_close int lock = openat(s->fd, "index.lock",
					O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return error_errno(err, "cannot lock '%s/index.lock'",
				   s->path);
	return steal_fd(&lock);
}

int store_index_set(struct store *s, const char *reference,
		    const struct oci_descriptor *manifest, struct error *err)
{
	cleanup_close int lock = lock_index(s, err);

	return lock < 0 ? -1 : update(s, reference, manifest, err);
}

struct listing {
	struct store *s;
	struct json *list;
};

static void add_image(void *arg, const char *path, struct store_image *i)
{
	struct oci_descriptor desc = { .size = 0 };
	struct listing *l = arg;

	if (store_record_is_ref(path) && i->reference &&
	    store_index_entry(l->s, i, &desc))
		json_push(l->list, new_entry(i->reference, &desc));
}

int store_index_rebuild(struct store *s, bool sync, struct error *err)
{
	cleanup_close int lock = lock_index(s, err);
	cleanup_json struct json *index = json_new_object();
	struct listing l = { s, json_set(index, "manifests",
					 json_new_array()) };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (lock < 0 || store_each_record(s, false, add_image, &l, err) < 0)
		return -1;
	json_set_int(index, "schemaVersion", 2);
	json_write(&text, index, false);
	return store_replace(s, STORE_INDEX, text.buf, text.len, sync, err);
}
