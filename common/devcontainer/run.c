/* run.c - what a configuration asks of whoever runs it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/run.h"

#include <stdarg.h>

#include "devcontainer/run_internal.h"

void devcontainer_run_release(struct devcontainer_run *r)
{
	for (size_t i = 0; i < r->n_mounts; i++)
		devcontainer_mount_release(&r->mounts[i]);
	for (size_t i = 0; i < r->n_notes; i++)
		free(r->notes[i].text);
	free(r->mounts);
	free(r->notes);
	strvec_release(&r->cap_add);
	strvec_release(&r->env);
	strvec_release(&r->env_files);
	strvec_release(&r->hosts);
	strvec_release(&r->cap_drop);
	strvec_release(&r->group_add);
	strvec_release(&r->dns);
	strvec_release(&r->dns_search);
	strvec_release(&r->dns_options);
	strvec_release(&r->sysctls);
	free(r->ulimits);
	free(r->user);
	free(r->hostname);
	free(r->workdir);
	*r = (struct devcontainer_run)DEVCONTAINER_RUN_INIT;
}

void run_note(const struct run_reader *rd, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct devcontainer_run *r = rd->r;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	GROW(r->notes, r->n_notes, r->alloc_notes);
	r->notes[r->n_notes++] = (struct devcontainer_note){
		rd->property, rd->index, strbuf_detach(&text)
	};
}

void run_push_mount(const struct run_reader *rd,
		    const struct devcontainer_mount *m)
{
	struct devcontainer_run *r = rd->r;

	GROW(r->mounts, r->n_mounts, r->alloc_mounts);
	r->mounts[r->n_mounts++] = *m;
}

void run_add_mount(const struct run_reader *rd, const char *text)
{
	cleanup_error struct error why = ERROR_INIT;
	struct devcontainer_mount m;

	if (devcontainer_mount_parse(&m, text, &why) < 0) {
		run_note(rd, "%s; '%s' is left out", why.msg, text);
		return;
	}
	run_push_mount(rd, &m);
}

/* A value in the text form, where a comma would end it. */
static void add_field(struct strbuf *out, const struct json *mount,
		      const char *key)
{
	const char *value = json_get_str(mount, key);
	const char *quote = value && strchr(value, ',') ? "\"" : "";

	if (value)
		strbuf_addf(out, "%s%s%s=%s%s", out->len ? "," : "", quote,
			    key, value, quote);
}

static void add_mount(const struct run_reader *rd, const struct json *j)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *m;

	if (json_str(j)) {
		run_add_mount(rd, json_str(j));
		return;
	}
	add_field(&text, j, "type");
	add_field(&text, j, "source");
	add_field(&text, j, "target");
	for (m = json_first(j); m; m = json_next(m))
		if (!str_eq(json_key(m), "type") &&
		    !str_eq(json_key(m), "source") &&
		    !str_eq(json_key(m), "target"))
			run_note(rd, "'%s' of a mount is not acted on",
				 json_key(m));
	run_add_mount(rd, text.buf);
}

void run_add_security(const struct run_reader *rd, const char *text)
{
	static const char *const same[] = {
		/* nothing of the kind confines an environment */
		"apparmor=unconfined", "apparmor:unconfined",
		"label=disable", "label:disable",
		/* as it is anyway */
		"no-new-privileges=false", "no-new-privileges:false",
		"seccomp=builtin", "systempaths=confined",
	};

	if (str_eq(text, "seccomp=unconfined") ||
	    str_eq(text, "seccomp:unconfined")) {
		rd->r->no_seccomp = true;
		return;
	}
	if (str_eq(text, "no-new-privileges") ||
	    str_eq(text, "no-new-privileges=true") ||
	    str_eq(text, "no-new-privileges:true")) {
		rd->r->no_new_privs = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (str_eq(text, same[i]))
			return;
	run_note(rd, "the security option '%s' is not acted on", text);
}

/* The network is the host's: a port is where the program opens it. */
void run_add_port(const struct run_reader *rd, const char *text)
{
	cleanup_free char *bare = xstrndup(text, strcspn(text, "/"));
	char *colon = strrchr(bare, ':');
	const char *outside, *before;

	if (!colon)
		return;
	*colon = '\0';
	before = strrchr(bare, ':');
	outside = before ? before + 1 : bare;
	if (!str_eq(outside, colon + 1))
		run_note(rd, "port %s is not published as %s: the network is "
			 "the host's, where it is %s", colon + 1, outside,
			 colon + 1);
}

static void add_port(const struct run_reader *rd, const struct json *j)
{
	if (json_str(j))
		run_add_port(rd, json_str(j));
}

/* Every element of a list, or the value if it is none. */
static void each(struct devcontainer_run *r, const struct json *config,
		 const char *property,
		 void (*add)(const struct run_reader *rd,
			     const struct json *j))
{
	const struct json *j = json_get(config, property);
	struct run_reader rd = { r, property, 0 };

	if (json_kind(j) != JSON_ARRAY && j) {
		rd.index = SIZE_MAX;
		add(&rd, j);
		return;
	}
	for (j = json_first(j); j; j = json_next(j), rd.index++)
		add(&rd, j);
}

static void add_security(const struct run_reader *rd, const struct json *j)
{
	if (json_str(j))
		run_add_security(rd, json_str(j));
}

void devcontainer_run_get(struct devcontainer_run *r,
			  const struct json *config)
{
	r->privileged = json_get_bool(config, "privileged");
	json_get_strings(json_get(config, "capAdd"), &r->cap_add);
	each(r, config, "securityOpt", add_security);
	each(r, config, "mounts", add_mount);
	each(r, config, "appPort", add_port);
	run_add_args(r, json_get(config, "runArgs"));
}
