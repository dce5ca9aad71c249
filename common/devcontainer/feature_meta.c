/* feature_meta.c - devcontainer-feature.json, and what images keep of it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"
#include "devcontainer/internal.h"

void devcontainer_feature_release(struct devcontainer_feature *f)
{
	free(f->id);
	json_free(f->options);
	free(f->where);
	free(f->asked_by);
	devcontainer_feature_ref_release(&f->ref);
	devcontainer_release(&f->metadata);
	strvec_release(&f->aliases);
	strvec_release(&f->why);
	*f = (struct devcontainer_feature)DEVCONTAINER_FEATURE_INIT;
}

void devcontainer_features_release(struct devcontainer_features *list)
{
	for (size_t i = 0; i < list->nr; i++)
		devcontainer_feature_release(&list->v[i]);
	free(list->v);
	*list = (struct devcontainer_features){ 0 };
}

static void note_unknown(const struct devcontainer *metadata,
			 struct strvec *notes)
{
	const struct json *m = json_first(metadata->json);

	for (; m; m = json_next(m)) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (devcontainer_feature_knows(json_key(m)))
			continue;
		devcontainer_where(metadata, json_key(m), &text);
		strbuf_addf(&text, "'%s' is no property of a Feature",
			    json_key(m));
		strvec_push(notes, text.buf);
	}
}

static void note_missing(const struct devcontainer *metadata,
			 struct strvec *notes)
{
	static const char *const required[] = { "id", "version", "name" };

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (!json_get(metadata->json, required[i]))
			strvec_pushf(notes, "%s:1:1: the Feature has no '%s'",
				     metadata->name, required[i]);
}

int devcontainer_feature_parse(struct devcontainer *metadata, const char *name,
			       const char *text, size_t n, struct strvec *notes,
			       struct error *err)
{
	cleanup_devcontainer struct devcontainer got = DEVCONTAINER_INIT;

	if (devcontainer_read(&got, name, text, n, err) < 0 ||
	    devcontainer_check_feature(&got, err) < 0)
		return -1;
	note_unknown(&got, notes);
	note_missing(&got, notes);
	devcontainer_move_legacy(got.json);
	*metadata = got;
	got = (struct devcontainer)DEVCONTAINER_INIT;
	return 0;
}

struct json *devcontainer_feature_entry(const struct devcontainer_feature *f)
{
	static const char *const kept[] = {
		"onCreateCommand",
		"updateContentCommand",
		"postCreateCommand",
		"postStartCommand",
		"postAttachCommand",
		"init",
		"privileged",
		"capAdd",
		"securityOpt",
		"entrypoint",
		"mounts",
		"customizations",
	};
	struct json *entry = json_new_object();

	json_set_str(entry, "id", f->id);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const struct json *j = json_get(f->metadata.json, kept[i]);

		if (j)
			json_add(entry, kept[i], json_dup(j));
	}
	return entry;
}

static struct json *dup_or(const struct json *j, struct json *otherwise)
{
	if (!j)
		return otherwise;
	json_free(otherwise);
	return json_dup(j);
}

struct json *devcontainer_feature_view(const struct devcontainer_feature *f)
{
	const struct json *m = f->metadata.json;
	struct json *view = json_new_object();

	json_set_str(view, "id", f->id);
	json_set(view, "options", dup_or(f->options, json_new_object()));
	json_set(view, "dependsOn",
		 dup_or(json_get(m, "dependsOn"), json_new_object()));
	json_set(view, "installsAfter",
		 dup_or(json_get(m, "installsAfter"), json_new_array()));
	return view;
}
