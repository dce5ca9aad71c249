/* lockfile.c - devcontainer-lock.json: which Features were found */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "devcontainer/feature.h"
#include "devcontainer/internal.h"

void devcontainer_lock_release(struct devcontainer_lock *lock)
{
	json_free(lock->json);
	*lock = (struct devcontainer_lock)DEVCONTAINER_LOCK_INIT;
}

static int fail(const struct devcontainer *file, const struct strvec *path,
		const char *what, struct error *err)
{
	devcontainer_fail(file, path, false, err, "%s", what);
	return error_hint(err, "remove the lockfile, and it is written anew");
}

static int check_feature(const struct devcontainer *file,
			 const struct json *feature, struct error *err)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;
	const struct json *integrity = json_get(feature, "integrity");

	strvec_push(&path, "features");
	strvec_push(&path, json_key(feature));
	if (json_kind(feature) != JSON_OBJECT)
		return fail(file, &path, "expected an object", err);
	strvec_push(&path, "integrity");
	if (integrity &&
	    (!json_str(integrity) || !digest_valid(json_str(integrity))))
		return fail(file, &path, "'integrity' is not sha256:HEX", err);
	return 0;
}

static int check(const struct devcontainer *file, struct error *err)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;
	const struct json *features = json_get(file->json, "features");

	strvec_push(&path, "features");
	if (json_kind(features) != JSON_OBJECT)
		return fail(file, &path,
			    "the lockfile has no object "
			    "'features'",
			    err);
	for (const struct json *m = json_first(features); m; m = json_next(m))
		if (check_feature(file, m, err) < 0)
			return -1;
	return 0;
}

static bool is_blank(const char *text, size_t n)
{
	while (n && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
		n--;
	return !n;
}

int devcontainer_lock_parse(struct devcontainer_lock *lock, const char *name,
			    const char *text, size_t n, struct error *err)
{
	cleanup_devcontainer struct devcontainer file = DEVCONTAINER_INIT;

	*lock = (struct devcontainer_lock)DEVCONTAINER_LOCK_INIT;
	/* An empty file asks for a lock to be written. */
	if (is_blank(text, n))
		return 0;
	if (devcontainer_read(&file, name, text, n, err) < 0 ||
	    check(&file, err) < 0)
		return -1;
	lock->json = steal_ptr(&file.json);
	return 0;
}

const char *devcontainer_lock_get(const struct devcontainer_lock *lock,
				  const char *id)
{
	return json_get_str(json_get(json_get(lock->json, "features"), id),
			    "integrity");
}

const char *devcontainer_lock_version(const struct devcontainer_lock *lock,
				      const char *id)
{
	return json_get_str(json_get(json_get(lock->json, "features"), id),
			    "version");
}

static bool is_locked(const struct devcontainer_feature *f)
{
	return f->ref.source != DEVCONTAINER_FEATURE_LOCAL && !f->additional;
}

bool devcontainer_lock_needed(const struct devcontainer_features *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (is_locked(&list->v[i]))
			return true;
	return false;
}

static struct json *entry(const struct devcontainer_feature *f)
{
	const struct json *depends = json_get(f->metadata.json, "dependsOn");
	cleanup_free char *resolved =
		f->ref.source == DEVCONTAINER_FEATURE_TARBALL
			? xstrdup(f->ref.url)
			: xstrfmt("%s/%s@%s", f->ref.registry, f->ref.path,
				  f->digest);
	const char *version = json_get_str(f->metadata.json, "version");
	struct json *e = json_new_object(), *list;

	if (version)
		json_set_str(e, "version", version);
	json_set_str(e, "resolved", resolved);
	json_set_str(e, "integrity", f->digest);
	if (!json_len(depends))
		return e;
	list = json_set(e, "dependsOn", json_new_array());
	for (const struct json *m = json_first(depends); m; m = json_next(m))
		json_push(list, json_new_str(json_key(m)));
	return e;
}

/* Equal ids keep their order, and the later one replaces the earlier. */
static void sort(const struct devcontainer_feature **v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct devcontainer_feature *one = v[i];
		size_t j = i;

		for (; j && devcontainer_collate(v[j - 1]->id, one->id) > 0;
		     j--)
			v[j] = v[j - 1];
		v[j] = one;
	}
}

void devcontainer_lock_write(const struct devcontainer_features *list,
			     struct strbuf *out)
{
	cleanup_free const struct devcontainer_feature **v =
		xcalloc(list->nr + 1, sizeof(*v));
	cleanup_json struct json *top = json_new_object();
	struct json *features = json_set(top, "features", json_new_object());
	size_t n = 0;

	for (size_t i = 0; i < list->nr; i++)
		if (is_locked(&list->v[i]))
			v[n++] = &list->v[i];
	sort(v, n);
	for (size_t i = 0; i < n; i++)
		json_set(features, v[i]->id, entry(v[i]));
	json_write_unsorted(out, top, true);
}

bool devcontainer_lock_matches(const struct devcontainer_lock *lock,
			       const struct strbuf *text)
{
	cleanup_strbuf struct strbuf have = STRBUF_INIT;

	if (!lock->json)
		return false;
	json_write_unsorted(&have, lock->json, true);
	return str_eq(have.buf, text->buf);
}

char *devcontainer_lock_path(const char *config_file)
{
	cleanup_free char *dir = path_dir(config_file);
	cleanup_free char *base = path_base(config_file);

	return path_join(dir, *base == '.' ? ".devcontainer-lock.json"
					   : "devcontainer-lock.json");
}
