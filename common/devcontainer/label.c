/* label.c - the metadata label of images, read and written */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/internal.h"
#include "devcontainer/metadata.h"

/* Values in a label: merging looks each up among the others. */
#define VALUES_MAX 10000

static const char *const in_label[] = {
	"onCreateCommand", "updateContentCommand", "postCreateCommand",
	"postStartCommand", "postAttachCommand", "waitFor", "customizations",
	"mounts", "containerEnv", "containerUser", "init", "privileged",
	"capAdd", "securityOpt", "remoteUser", "userEnvProbe", "remoteEnv",
	"overrideCommand", "portsAttributes", "otherPortsAttributes",
	"forwardPorts", "shutdownAction", "updateRemoteUserUID",
	"hostRequirements",
};

struct json *devcontainer_label_entry(const struct json *config)
{
	struct json *entry = json_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(in_label); i++) {
		const struct json *m = json_get(config, in_label[i]);

		if (m)
			json_add(entry, in_label[i], json_dup(m));
	}
	return entry;
}

static size_t count(const struct json *j)
{
	size_t n = 1;

	for (const struct json *m = json_first(j); m; m = json_next(m))
		n += count(m);
	return n;
}

static int parse(const char *text, struct devcontainer *label,
		 struct error *err)
{
	size_t n = strlen(text);
	enum json_kind kind;

	if (n > DEVCONTAINER_MAX)
		return error_set(err, ERR_INPUT, "it is larger than %d bytes",
				 DEVCONTAINER_MAX);
	label->json = json_parse("", text, n, err);
	if (!label->json)
		return -1;
	kind = json_kind(label->json);
	if (kind != JSON_ARRAY && kind != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "it is %s, expected an array",
				 json_kind_name(kind));
	if (count(label->json) > VALUES_MAX)
		return error_set(err, ERR_INPUT,
				 "it has more than %d values", VALUES_MAX);
	label->name = xstrdup("label " DEVCONTAINER_LABEL);
	label->text = xstrdup(text);
	label->n = n;
	return 0;
}

/* A label without entries, or one that is broken, is `false`. */
static bool read_label(const char *text, struct devcontainer *label,
		       struct strvec *warnings)
{
	cleanup_error struct error err = ERROR_INIT;
	const char *place;

	if (!text || !*text)
		return false;
	if (parse(text, label, &err) == 0)
		return true;
	place = str_skip(err.msg, ":");
	strvec_pushf(warnings, "label %s is ignored: %s", DEVCONTAINER_LABEL,
		     place ? place : err.msg);
	return false;
}

static void write_entry(const struct json *entry, struct strbuf *out)
{
	strbuf_addstr(out, out->len ? ", " : "[ ");
	json_write(out, entry, false);
}

void devcontainer_label_add(const char *text, const struct json *more,
			    struct strbuf *out, struct strvec *warnings)
{
	cleanup_devcontainer struct devcontainer label = DEVCONTAINER_INIT;
	const struct json *m;

	if (read_label(text, &label, warnings) &&
	    json_kind(label.json) == JSON_OBJECT)
		write_entry(label.json, out);
	else
		for (m = json_first(label.json); m; m = json_next(m))
			write_entry(m, out);
	for (m = json_first(more); m; m = json_next(m))
		write_entry(m, out);
	strbuf_addstr(out, out->len ? " ]" : "");
}

/* One entry, without what cannot be meant. */
static void take(const struct devcontainer *label, const struct json *entry,
		 const char *index, struct json *out, struct strvec *warnings)
{
	cleanup_json struct json *copy = json_dup(entry);
	cleanup_strvec struct strvec path = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (index)
		strvec_push(&path, index);
	if (json_kind(entry) == JSON_OBJECT) {
		devcontainer_check_entry(label, &path, copy, warnings);
		json_push(out, steal_ptr(&copy));
		return;
	}
	devcontainer_fail(label, &path, false, &err,
			  "an entry is %s, expected an object",
			  json_kind_name(json_kind(entry)));
	strvec_pushf(warnings, "%s; it is ignored", err.msg);
}

struct json *devcontainer_label_read(const char *text,
				     struct strvec *warnings)
{
	cleanup_devcontainer struct devcontainer label = DEVCONTAINER_INIT;
	struct json *out = json_new_array();
	size_t i = 0;

	if (!read_label(text, &label, warnings))
		return out;
	if (json_kind(label.json) == JSON_OBJECT) {
		take(&label, label.json, NULL, out, warnings);
		return out;
	}
	for (const struct json *m = json_first(label.json); m;
	     m = json_next(m), i++) {
		cleanup_free char *index = xstrfmt("%zu", i);

		take(&label, m, index, out, warnings);
	}
	return out;
}
