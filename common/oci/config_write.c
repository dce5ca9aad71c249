/* config_write.c - image configuration as byte-stable JSON */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

static void put_str(struct json *o, const char *key, const char *s)
{
	if (s && *s)
		json_set_str(o, key, s);
}

static void put_int(struct json *o, const char *key, int64_t i)
{
	if (i)
		json_set_int(o, key, i);
}

static void put_list(struct json *o, const char *key, const struct strvec *sv,
		     bool even_empty)
{
	if (sv->nr || even_empty)
		json_set_strvec(o, key, sv);
}

static void put_set(struct json *o, const char *key, const struct strvec *sv)
{
	struct json *set;
	size_t i;

	if (!sv->nr)
		return;
	set = json_set(o, key, json_new_object());
	for (i = 0; i < sv->nr; i++)
		json_add(set, sv->v[i], json_new_object());
}

static void put_labels(struct json *o, const struct strvec *labels)
{
	struct json *set = json_get(o, "Labels");
	size_t i;

	if (!labels->nr)
		return;
	if (json_kind(set) != JSON_OBJECT)
		set = json_set(o, "Labels", json_new_object());
	for (i = 0; i < labels->nr; i++) {
		const char *s = labels->v[i], *eq = strchr(s, '=');
		cleanup_free char *key = eq ? xstrndup(s, (size_t)(eq - s))
					    : xstrdup(s);

		json_set_str(set, key, eq ? eq + 1 : "");
	}
}

static void put_health(struct json *o, const struct oci_healthcheck *h)
{
	struct json *j;

	if (!h->set)
		return;
	j = json_set(o, "Healthcheck", json_new_object());
	put_list(j, "Test", &h->test, false);
	put_int(j, "Interval", h->interval);
	put_int(j, "Timeout", h->timeout);
	put_int(j, "StartPeriod", h->start_period);
	put_int(j, "StartInterval", h->start_interval);
	put_int(j, "Retries", h->retries);
}

struct json *oci_config_to_json(const struct oci_config *c)
{
	struct json *j = c->extra_config ? json_dup(c->extra_config)
					 : json_new_object();

	put_str(j, "User", c->user);
	put_set(j, "ExposedPorts", &c->ports);
	put_list(j, "Env", &c->env, false);
	put_list(j, "Entrypoint", &c->entrypoint, c->has_entrypoint);
	put_list(j, "Cmd", &c->cmd, c->has_cmd);
	put_set(j, "Volumes", &c->volumes);
	put_str(j, "WorkingDir", c->workdir);
	put_labels(j, &c->labels);
	put_str(j, "StopSignal", c->stop_signal);
	put_health(j, &c->health);
	put_list(j, "OnBuild", &c->onbuild, false);
	put_list(j, "Shell", &c->shell, false);
	return j;
}

static void put_history(struct json *top, const struct oci_config *c)
{
	struct json *list;
	size_t i;

	if (!c->n_history)
		return;
	list = json_set(top, "history", json_new_array());
	for (i = 0; i < c->n_history; i++) {
		const struct oci_history *h = &c->history[i];
		struct json *j = json_push(list, json_new_object());

		put_str(j, "created", h->created);
		put_str(j, "created_by", h->created_by);
		put_str(j, "comment", h->comment);
		put_str(j, "author", h->author);
		if (h->empty_layer)
			json_set_bool(j, "empty_layer", true);
	}
}

static void put_platform(struct json *top, const struct oci_config *c)
{
	put_str(top, "os", c->platform.os);
	put_str(top, "architecture", c->platform.arch);
	put_str(top, "variant", c->platform.variant);
	put_str(top, "os.version", c->os_version);
}

struct json *oci_config_platform(const struct oci_config *c)
{
	struct json *j = json_new_object();

	put_platform(j, c);
	return j;
}

void oci_config_write(const struct oci_config *c, struct strbuf *out)
{
	cleanup_json struct json *top = c->extra ? json_dup(c->extra)
						 : json_new_object();
	struct json *rootfs;

	put_platform(top, c);
	put_str(top, "created", c->created);
	put_str(top, "author", c->author);
	json_set(top, "config", oci_config_to_json(c));
	rootfs = json_set(top, "rootfs", json_new_object());
	json_set_str(rootfs, "type", "layers");
	json_set_strvec(rootfs, "diff_ids", &c->diff_ids);
	put_history(top, c);
	json_write(out, top, false);
}
