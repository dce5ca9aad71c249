/* config.c - image configuration: parse, with unknown members carried */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

#define HISTORY_MAX 8192
#define LIST_MAX 10000 /* look-ups in Env are linear */

static void history_release(struct oci_history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->comment);
	free(h->author);
}

void oci_config_release(struct oci_config *c)
{
	size_t i;

	oci_platform_release(&c->platform);
	free(c->os_version);
	free(c->created);
	free(c->author);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	strvec_release(&c->env);
	strvec_release(&c->entrypoint);
	strvec_release(&c->cmd);
	strvec_release(&c->shell);
	strvec_release(&c->onbuild);
	strvec_release(&c->ports);
	strvec_release(&c->volumes);
	strvec_release(&c->labels);
	strvec_release(&c->health.test);
	strvec_release(&c->diff_ids);
	for (i = 0; i < c->n_history; i++)
		history_release(&c->history[i]);
	free(c->history);
	json_free(c->extra);
	json_free(c->extra_config);
	*c = (struct oci_config){ 0 };
}

struct oci_history *oci_config_add_history(struct oci_config *c)
{
	GROW(c->history, c->n_history, c->alloc_history);
	c->history[c->n_history] = (struct oci_history){ 0 };
	return &c->history[c->n_history++];
}

static void copy_histories(struct oci_config *to,
			   const struct oci_config *from)
{
	size_t i;

	for (i = 0; i < from->n_history; i++) {
		const struct oci_history *f = &from->history[i];
		struct oci_history *t = oci_config_add_history(to);

		t->created = xstrdup_null(f->created);
		t->created_by = xstrdup_null(f->created_by);
		t->comment = xstrdup_null(f->comment);
		t->author = xstrdup_null(f->author);
		t->empty_layer = f->empty_layer;
	}
}

void oci_config_copy(struct oci_config *to, const struct oci_config *from)
{
	*to = (struct oci_config){ 0 };
	oci_platform_copy(&to->platform, &from->platform);
	to->os_version = xstrdup_null(from->os_version);
	to->created = xstrdup_null(from->created);
	to->author = xstrdup_null(from->author);
	to->user = xstrdup_null(from->user);
	to->workdir = xstrdup_null(from->workdir);
	to->stop_signal = xstrdup_null(from->stop_signal);
	strvec_copy(&to->env, &from->env);
	strvec_copy(&to->entrypoint, &from->entrypoint);
	strvec_copy(&to->cmd, &from->cmd);
	strvec_copy(&to->shell, &from->shell);
	strvec_copy(&to->onbuild, &from->onbuild);
	to->has_entrypoint = from->has_entrypoint;
	to->has_cmd = from->has_cmd;
	strvec_copy(&to->ports, &from->ports);
	strvec_copy(&to->volumes, &from->volumes);
	strvec_copy(&to->labels, &from->labels);
	to->health = from->health;
	to->health.test = (struct strvec)STRVEC_INIT;
	strvec_copy(&to->health.test, &from->health.test);
	strvec_copy(&to->diff_ids, &from->diff_ids);
	copy_histories(to, from);
	to->extra = from->extra ? json_dup(from->extra) : NULL;
	to->extra_config = from->extra_config ? json_dup(from->extra_config)
					      : NULL;
}

void oci_config_scratch(struct oci_config *c, const struct oci_platform *p)
{
	*c = (struct oci_config){ 0 };
	oci_platform_copy(&c->platform, p);
	c->workdir = xstrdup("/");
	strvec_push(&c->env,
		    "PATH=/usr/local/sbin:/usr/local/bin:"
		    "/usr/sbin:/usr/bin:/sbin:/bin");
}

/*
 * Each taker removes its member from the object, so that what remains at the
 * end is what this program does not know. null is the same as absent, as in
 * the decoders of the peers.
 */
static int take(struct json *o, const char *key, enum json_kind kind,
		struct json **out, struct error *err)
{
	struct json *j = json_take(o, key);
	enum json_kind got = json_kind(j);

	/* Of a key that stands there twice only the last counts. */
	json_remove(o, key);
	*out = NULL;
	if (got == kind) {
		*out = j;
		return 0;
	}
	json_free(j);
	if (got == JSON_NULL)
		return 0;
	return error_set(err, ERR_INPUT,
			 "image configuration: '%s' must be %s, not %s", key,
			 json_kind_name(kind), json_kind_name(got));
}

static int take_str(struct json *o, const char *key, char **out,
		    struct error *err)
{
	cleanup_json struct json *j = NULL;

	if (take(o, key, JSON_STRING, &j, err) < 0)
		return -1;
	if (j && *json_str(j))
		*out = xstrdup(json_str(j));
	return 0;
}

static int take_int(struct json *o, const char *key, int64_t *out,
		    struct error *err)
{
	cleanup_json struct json *j = NULL;

	if (take(o, key, JSON_NUMBER, &j, err) < 0)
		return -1;
	if (j && !json_int(j, out))
		return error_set(err, ERR_INPUT,
				 "image configuration: '%s' is not a whole "
				 "number",
				 key);
	return 0;
}

static int take_list(struct json *o, const char *key, struct strvec *out,
		     bool *present, struct error *err)
{
	cleanup_json struct json *j = NULL;
	const struct json *item;

	if (take(o, key, JSON_ARRAY, &j, err) < 0)
		return -1;
	if (present)
		*present = j;
	if (json_len(j) > LIST_MAX)
		return error_set(err, ERR_INPUT,
				 "image configuration: '%s' has more than %d "
				 "entries",
				 key, LIST_MAX);
	for (item = json_first(j); item; item = json_next(item)) {
		if (!json_str(item))
			return error_set(err, ERR_INPUT,
					 "image configuration: '%s' holds %s "
					 "where only strings may be",
					 key,
					 json_kind_name(json_kind(item)));
		strvec_push(out, json_str(item));
	}
	return 0;
}

/* {"80/tcp": {}, ...}: a Go map used as a set. */
static int take_set(struct json *o, const char *key, struct strvec *out,
		    struct error *err)
{
	cleanup_json struct json *j = NULL;
	const struct json *m;

	if (take(o, key, JSON_OBJECT, &j, err) < 0)
		return -1;
	for (m = json_first(j); m; m = json_next(m))
		strvec_push(out, json_key(m));
	strvec_sort(out);
	return 0;
}

/* A key with "=" cannot be told apart in "K=V"; it stays in `extra_config`,
 * from where it is written back. */
static int take_labels(struct json *o, struct strvec *out, struct error *err)
{
	cleanup_json struct json *j = NULL;
	struct json *odd = NULL;
	const struct json *m;

	if (take(o, "Labels", JSON_OBJECT, &j, err) < 0)
		return -1;
	for (m = json_first(j); m; m = json_next(m)) {
		const char *value = json_str(m);

		if (!value && json_kind(m) != JSON_NULL)
			return error_set(err, ERR_INPUT,
					 "image configuration: a label must be "
					 "a string, not %s",
					 json_kind_name(json_kind(m)));
		value = value ? value : "";
		if (!strchr(json_key(m), '=')) {
			strvec_env_set(out, json_key(m), value);
			continue;
		}
		if (!odd)
			odd = json_set(o, "Labels", json_new_object());
		json_set_str(odd, json_key(m), value);
	}
	return 0;
}

static int take_health(struct json *o, struct oci_healthcheck *h,
		       struct error *err)
{
	cleanup_json struct json *j = NULL;
	int64_t retries = 0;

	if (take(o, "Healthcheck", JSON_OBJECT, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	h->set = true;
	if (take_list(j, "Test", &h->test, NULL, err) < 0 ||
	    take_int(j, "Interval", &h->interval, err) < 0 ||
	    take_int(j, "Timeout", &h->timeout, err) < 0 ||
	    take_int(j, "StartPeriod", &h->start_period, err) < 0 ||
	    take_int(j, "StartInterval", &h->start_interval, err) < 0 ||
	    take_int(j, "Retries", &retries, err) < 0)
		return -1;
	if (retries < 0 || retries > INT32_MAX)
		return error_set(err, ERR_INPUT,
				 "image configuration: 'Retries' is out of "
				 "range");
	h->retries = (int)retries;
	return 0;
}

static int take_config(struct oci_config *c, struct json *top,
		       struct error *err)
{
	cleanup_json struct json *j = NULL;

	if (take(top, "config", JSON_OBJECT, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (take_str(j, "User", &c->user, err) < 0 ||
	    take_str(j, "WorkingDir", &c->workdir, err) < 0 ||
	    take_str(j, "StopSignal", &c->stop_signal, err) < 0 ||
	    take_list(j, "Env", &c->env, NULL, err) < 0 ||
	    take_list(j, "Entrypoint", &c->entrypoint, &c->has_entrypoint,
		      err) < 0 ||
	    take_list(j, "Cmd", &c->cmd, &c->has_cmd, err) < 0 ||
	    take_list(j, "Shell", &c->shell, NULL, err) < 0 ||
	    take_list(j, "OnBuild", &c->onbuild, NULL, err) < 0 ||
	    take_set(j, "ExposedPorts", &c->ports, err) < 0 ||
	    take_set(j, "Volumes", &c->volumes, err) < 0 ||
	    take_labels(j, &c->labels, err) < 0 ||
	    take_health(j, &c->health, err) < 0)
		return -1;
	if (json_len(j))
		c->extra_config = steal_ptr(&j);
	return 0;
}

static int take_rootfs(struct oci_config *c, struct json *top,
		       struct error *err)
{
	cleanup_json struct json *j = NULL;
	cleanup_free char *type = NULL;
	size_t i;

	if (take(top, "rootfs", JSON_OBJECT, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (take_str(j, "type", &type, err) < 0 ||
	    take_list(j, "diff_ids", &c->diff_ids, NULL, err) < 0)
		return -1;
	if (type && !str_eq(type, "layers"))
		return error_set(err, ERR_INPUT,
				 "image configuration: rootfs type is not "
				 "'layers'");
	if (c->diff_ids.nr > OCI_LAYERS_MAX)
		return error_set(err, ERR_INPUT,
				 "image configuration: more than %d layers",
				 OCI_LAYERS_MAX);
	for (i = 0; i < c->diff_ids.nr; i++)
		if (!digest_valid(c->diff_ids.v[i]))
			return error_set(err, ERR_INPUT,
					 "image configuration: diff_ids[%zu] "
					 "is not a sha256 digest",
					 i);
	return 0;
}

static int take_history(struct oci_config *c, struct json *top,
			struct error *err)
{
	cleanup_json struct json *j = NULL;
	struct json *item;

	if (take(top, "history", JSON_ARRAY, &j, err) < 0)
		return -1;
	if (json_len(j) > HISTORY_MAX)
		return error_set(err, ERR_INPUT,
				 "image configuration: more than %d entries of "
				 "history",
				 HISTORY_MAX);
	for (item = json_first(j); item; item = json_next(item)) {
		struct oci_history *h = oci_config_add_history(c);

		if (json_kind(item) != JSON_OBJECT)
			return error_set(err, ERR_INPUT,
					 "image configuration: history holds "
					 "%s where only objects may be",
					 json_kind_name(json_kind(item)));
		h->empty_layer = json_get_bool(item, "empty_layer");
		if (take_str(item, "created", &h->created, err) < 0 ||
		    take_str(item, "created_by", &h->created_by, err) < 0 ||
		    take_str(item, "comment", &h->comment, err) < 0 ||
		    take_str(item, "author", &h->author, err) < 0)
			return -1;
	}
	return 0;
}

static int take_top(struct oci_config *c, struct json *j, struct error *err)
{
	if (json_kind(j) != JSON_OBJECT)
		return error_set(err, ERR_INPUT,
				 "image configuration: the document is not an "
				 "object");
	return take_str(j, "os", &c->platform.os, err) < 0 ||
	       take_str(j, "architecture", &c->platform.arch, err) < 0 ||
	       take_str(j, "variant", &c->platform.variant, err) < 0 ||
	       take_str(j, "os.version", &c->os_version, err) < 0 ||
	       take_str(j, "created", &c->created, err) < 0 ||
	       take_str(j, "author", &c->author, err) < 0 ||
	       take_config(c, j, err) < 0 || take_rootfs(c, j, err) < 0 ||
	       take_history(c, j, err) < 0 ? -1 : 0;
}

/* Some builders leave the platform out; such images are made for the machine
 * they run on. */
static void complete_platform(struct oci_platform *p)
{
	cleanup_oci_platform struct oci_platform host = { 0 };

	oci_platform_host(&host);
	if (!p->os)
		p->os = steal_ptr(&host.os);
	if (!p->arch)
		p->arch = steal_ptr(&host.arch);
}

int oci_config_parse(struct oci_config *c, const char *text, size_t n,
		     struct error *err)
{
	cleanup_json struct json *j = NULL;
	struct oci_config r = { 0 };

	if (n > OCI_CONFIG_MAX)
		return error_set(err, ERR_INPUT,
				 "image configuration: larger than %u bytes",
				 OCI_CONFIG_MAX);
	j = json_parse("image configuration", text, n, err);
	if (!j)
		return -1;
	if (take_top(&r, j, err) < 0) {
		oci_config_release(&r);
		return -1;
	}
	complete_platform(&r.platform);
	if (json_len(j))
		r.extra = steal_ptr(&j);
	*c = r;
	return 0;
}
