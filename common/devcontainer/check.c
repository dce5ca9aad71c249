/* check.c - the type of every property of a devcontainer.json */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "devcontainer/internal.h"

enum shape {
	STRING,
	BOOLEAN,
	INTEGER,
	STRINGS, /* array of strings */
	STRING_OR_LIST,
	STRING_OR_NULL,
	OBJECT,
	OBJECTS, /* object of objects */
	STRING_MAP,
	NULLABLE_MAP, /* of strings and null */
	COMMAND,      /* string, array, or object of those */
	PORT,
	PORTS,
	PORT_OR_PORTS,
	MOUNT,
	MOUNTS,
	FEATURE,
	FEATURES,
	OPTION, /* a scalar: text, a switch, a version written as a number */
	BUILD,
	HOST,
	GPU,
	SIZE,
	OPTION_TABLE, /* what a Feature declares */
	WORD, /* one of `words` */
};

struct property {
	const char *name;
	enum shape shape;
	const char *words;
};

static const struct property properties[] = {
	{ "$schema", STRING },
	{ "name", STRING },
	{ "image", STRING },
	{ "build", BUILD },
	{ "dockerFile", STRING },
	{ "context", STRING },
	{ "dockerComposeFile", STRING_OR_LIST },
	{ "service", STRING },
	{ "runServices", STRINGS },
	{ "workspaceFolder", STRING },
	{ "workspaceMount", STRING },
	{ "appPort", PORT_OR_PORTS },
	{ "runArgs", STRINGS },
	{ "overrideCommand", BOOLEAN },
	{ "shutdownAction", WORD, "none|stopContainer|stopCompose" },
	{ "init", BOOLEAN },
	{ "privileged", BOOLEAN },
	{ "capAdd", STRINGS },
	{ "securityOpt", STRINGS },
	{ "mounts", MOUNTS },
	{ "containerEnv", STRING_MAP },
	{ "remoteEnv", NULLABLE_MAP },
	{ "containerUser", STRING },
	{ "remoteUser", STRING },
	{ "updateRemoteUserUID", BOOLEAN },
	{ "userEnvProbe", WORD,
	  "none|loginShell|interactiveShell|loginInteractiveShell" },
	{ "forwardPorts", PORTS },
	{ "portsAttributes", OBJECTS },
	{ "otherPortsAttributes", OBJECT },
	{ "features", FEATURES },
	{ "overrideFeatureInstallOrder", STRINGS },
	{ "customizations", OBJECT },
	{ "extensions", STRINGS },
	{ "settings", OBJECT },
	{ "devPort", INTEGER },
	{ "hostRequirements", HOST },
	{ "secrets", OBJECTS },
	{ "initializeCommand", COMMAND },
	{ "onCreateCommand", COMMAND },
	{ "updateContentCommand", COMMAND },
	{ "postCreateCommand", COMMAND },
	{ "postStartCommand", COMMAND },
	{ "postAttachCommand", COMMAND },
	{ "waitFor", WORD,
	  "initializeCommand|onCreateCommand|updateContentCommand|"
	  "postCreateCommand|postStartCommand" },
	{ NULL },
};

/* What entries of a label have beside those. */
static const struct property entry_properties[] = {
	{ "id", STRING },
	{ "entrypoint", STRING },
	{ NULL },
};

static const struct property build_properties[] = {
	{ "dockerfile", STRING },   { "context", STRING },
	{ "args", STRING_MAP },	    { "target", STRING },
	{ "options", STRINGS },	    { "cacheFrom", STRING_OR_LIST },
	{ NULL },
};

static const struct property mount_properties[] = {
	{ "type", WORD, "bind|volume|tmpfs" },
	{ "source", STRING },
	{ "target", STRING },
	{ NULL },
};

static const struct property host_properties[] = {
	{ "cpus", INTEGER },
	{ "memory", SIZE },
	{ "storage", SIZE },
	{ "gpu", GPU },
	{ NULL },
};

static const struct property gpu_properties[] = {
	{ "cores", INTEGER },
	{ "memory", SIZE },
	{ NULL },
};

/* devcontainer-feature.json */
static const struct property feature_properties[] = {
	{ "$schema", STRING },
	{ "id", STRING },
	{ "version", STRING },
	{ "name", STRING },
	{ "description", STRING },
	{ "documentationURL", STRING },
	{ "licenseURL", STRING },
	{ "keywords", STRINGS },
	{ "options", OPTION_TABLE },
	{ "installsAfter", STRINGS },
	{ "dependsOn", FEATURES },
	{ "legacyIds", STRINGS },
	{ "currentId", STRING },
	{ "deprecated", BOOLEAN },
	{ "containerEnv", STRING_MAP },
	{ "privileged", BOOLEAN },
	{ "init", BOOLEAN },
	{ "capAdd", STRINGS },
	{ "securityOpt", STRINGS },
	{ "entrypoint", STRING },
	{ "mounts", MOUNTS },
	{ "customizations", OBJECT },
	{ "extensions", STRINGS },
	{ "settings", OBJECT },
	{ "onCreateCommand", COMMAND },
	{ "updateContentCommand", COMMAND },
	{ "postCreateCommand", COMMAND },
	{ "postStartCommand", COMMAND },
	{ "postAttachCommand", COMMAND },
	{ NULL },
};

static const struct property option_properties[] = {
	{ "type", STRING },
	{ "description", STRING },
	{ "default", OPTION },
	{ "enum", STRINGS },
	{ "proposals", STRINGS },
	{ NULL },
};

struct checker {
	const struct devcontainer *dc;
	struct strvec path;
	struct error *err;
};

static int check(struct checker *c, const struct property *p,
		 const struct json *j);

static int fail(struct checker *c, const struct json *j, const char *wanted)
{
	return devcontainer_fail(c->dc, &c->path, false, c->err,
				 "'%s' is %s, expected %s",
				 c->path.v[c->path.nr - 1],
				 json_kind_name(json_kind(j)), wanted);
}

static int check_kind(struct checker *c, const struct json *j,
		      enum json_kind kind)
{
	return json_kind(j) == kind ? 0 : fail(c, j, json_kind_name(kind));
}

/* Every element of an array or member of an object. */
static int check_each(struct checker *c, const struct json *j,
		      enum json_kind kind, enum shape shape)
{
	const struct property p = { .shape = shape };
	size_t i = 0;

	if (check_kind(c, j, kind) < 0)
		return -1;
	for (const struct json *m = json_first(j); m; m = json_next(m), i++) {
		if (json_key(m))
			strvec_push(&c->path, json_key(m));
		else
			strvec_pushf(&c->path, "%zu", i);
		if (check(c, &p, m) < 0)
			return -1;
		strvec_pop(&c->path);
	}
	return 0;
}

/* The known members of an object. */
static int check_members(struct checker *c, const struct property *table,
			 const struct json *j)
{
	for (; table->name; table++) {
		const struct json *m = json_get(j, table->name);

		if (!m)
			continue;
		strvec_push(&c->path, table->name);
		if (check(c, table, m) < 0)
			return -1;
		strvec_pop(&c->path);
	}
	return 0;
}

static int check_object(struct checker *c, const struct json *j,
			const struct property *members)
{
	if (check_kind(c, j, JSON_OBJECT) < 0)
		return -1;
	return check_members(c, members, j);
}

static int check_word(struct checker *c, const char *words,
		      const struct json *j)
{
	cleanup_strvec struct strvec list = STRVEC_INIT;

	if (check_kind(c, j, JSON_STRING) < 0)
		return -1;
	strvec_split(&list, words, "|");
	if (strvec_has(&list, json_str(j)))
		return 0;
	return devcontainer_fail(c->dc, &c->path, false, c->err,
				 "'%s' is not one of %s", json_str(j), words);
}

static int check_size(struct checker *c, const struct json *j)
{
	static const char *const units[] = { "", "kb", "mb", "gb", "tb" };
	const char *s = json_str(j);

	if (s && isdigit((unsigned char)*s)) {
		s += strspn(s, "0123456789");
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (str_eq(s, units[i]))
				return 0;
	}
	return fail(c, j, "a size such as \"4gb\"");
}

static int check_port(struct checker *c, const struct json *j)
{
	int64_t port;

	if (json_str(j) || (json_int(j, &port) && port >= 0 && port < 65536))
		return 0;
	return fail(c, j, "a port number or a string");
}

static int check_command(struct checker *c, const struct json *j)
{
	enum json_kind kind = json_kind(j);

	if (kind == JSON_STRING)
		return 0;
	if (kind == JSON_ARRAY)
		return check_each(c, j, kind, STRING);
	if (kind == JSON_OBJECT)
		return check_each(c, j, kind, STRING_OR_LIST);
	return fail(c, j, "a string, an array or an object");
}

static int check_feature(struct checker *c, const struct json *j)
{
	enum json_kind kind = json_kind(j);

	if (kind == JSON_STRING || kind == JSON_BOOL)
		return 0;
	if (kind != JSON_OBJECT)
		return fail(c, j, "an object, a string or a boolean");
	return check_each(c, j, kind, OPTION);
}

static int check_option(struct checker *c, const struct json *j)
{
	enum json_kind kind = json_kind(j);

	if (kind == JSON_STRING || kind == JSON_BOOL || kind == JSON_NUMBER)
		return 0;
	return fail(c, j, "a string or a boolean");
}

/* Each member is an object with known members. */
static int check_option_table(struct checker *c, const struct json *j)
{
	if (check_kind(c, j, JSON_OBJECT) < 0)
		return -1;
	for (const struct json *m = json_first(j); m; m = json_next(m)) {
		strvec_push(&c->path, json_key(m));
		if (check_object(c, m, option_properties) < 0)
			return -1;
		strvec_pop(&c->path);
	}
	return 0;
}

static int check_gpu(struct checker *c, const struct json *j)
{
	if (json_kind(j) == JSON_BOOL || str_eq_null(json_str(j), "optional"))
		return 0;
	if (json_kind(j) != JSON_OBJECT)
		return fail(c, j, "a boolean, \"optional\" or an object");
	return check_members(c, gpu_properties, j);
}

static int check_integer(struct checker *c, const struct json *j)
{
	int64_t value;

	return json_int(j, &value) ? 0 : fail(c, j, "a whole number");
}

static int check_scalar(struct checker *c, const struct property *p,
			const struct json *j)
{
	switch (p->shape) {
	case BOOLEAN:
		return check_kind(c, j, JSON_BOOL);
	case INTEGER:
		return check_integer(c, j);
	case PORT:
		return check_port(c, j);
	case OPTION:
		return check_option(c, j);
	case SIZE:
		return check_size(c, j);
	case WORD:
		return check_word(c, p->words, j);
	case STRING_OR_NULL:
		if (json_kind(j) == JSON_NULL)
			return 0;
		/* fallthrough */
	default:
		return check_kind(c, j, JSON_STRING);
	}
}

static int check(struct checker *c, const struct property *p,
		 const struct json *j)
{
	switch (p->shape) {
	case STRING_OR_LIST:
	case STRINGS:
		if (p->shape == STRING_OR_LIST && json_str(j))
			return 0;
		return check_each(c, j, JSON_ARRAY, STRING);
	case OBJECT:
		return check_kind(c, j, JSON_OBJECT);
	case OBJECTS:
		return check_each(c, j, JSON_OBJECT, OBJECT);
	case STRING_MAP:
		return check_each(c, j, JSON_OBJECT, STRING);
	case NULLABLE_MAP:
		return check_each(c, j, JSON_OBJECT, STRING_OR_NULL);
	case COMMAND:
		return check_command(c, j);
	case PORT_OR_PORTS:
		if (json_kind(j) != JSON_ARRAY)
			return check_port(c, j);
		/* fallthrough */
	case PORTS:
		return check_each(c, j, JSON_ARRAY, PORT);
	case MOUNT:
		return json_str(j) ? 0 : check_object(c, j, mount_properties);
	case MOUNTS:
		return check_each(c, j, JSON_ARRAY, MOUNT);
	case FEATURE:
		return check_feature(c, j);
	case FEATURES:
		return check_each(c, j, JSON_OBJECT, FEATURE);
	case BUILD:
		return check_object(c, j, build_properties);
	case HOST:
		return check_object(c, j, host_properties);
	case GPU:
		return check_gpu(c, j);
	case OPTION_TABLE:
		return check_option_table(c, j);
	default:
		return check_scalar(c, p, j);
	}
}

static int check_file(const struct devcontainer *dc,
		      const struct property *table, struct error *err)
{
	struct checker c = { .dc = dc, .err = err };
	int r = check_members(&c, table, dc->json);

	strvec_release(&c.path);
	return r;
}

int devcontainer_check(const struct devcontainer *dc, struct error *err)
{
	return check_file(dc, properties, err);
}

int devcontainer_check_feature(const struct devcontainer *dc,
			       struct error *err)
{
	return check_file(dc, feature_properties, err);
}

bool devcontainer_feature_knows(const char *property)
{
	for (const struct property *p = feature_properties; p->name; p++)
		if (str_eq(p->name, property))
			return true;
	return false;
}

static int check_member(const struct devcontainer *label,
			const struct strvec *path, const struct property *row,
			const struct json *value, struct error *err)
{
	struct checker c = { .dc = label, .err = err };
	int rc;

	strvec_copy(&c.path, path);
	strvec_push(&c.path, row->name);
	rc = check(&c, row, value);
	strvec_release(&c.path);
	return rc;
}

static void check_entry(const struct devcontainer *label,
			const struct strvec *path,
			const struct property *table, struct json *entry,
			struct strvec *warnings)
{
	for (; table->name; table++) {
		const struct json *value = json_get(entry, table->name);
		cleanup_error struct error why = ERROR_INIT;

		if (!value ||
		    check_member(label, path, table, value, &why) == 0)
			continue;
		strvec_pushf(warnings, "%s; it is ignored", why.msg);
		json_remove(entry, table->name);
	}
}

void devcontainer_check_entry(const struct devcontainer *label,
			      const struct strvec *path, struct json *entry,
			      struct strvec *warnings)
{
	check_entry(label, path, properties, entry, warnings);
	check_entry(label, path, entry_properties, entry, warnings);
}
