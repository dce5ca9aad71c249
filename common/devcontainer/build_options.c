/* build_options.c - what of `docker build` a configuration may ask for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/internal.h"

static void replace_str(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
}

static struct json *options(struct devcontainer_build *b)
{
	if (!b->options)
		b->options = json_new_object();
	return b->options;
}

static bool set_arg(struct devcontainer_build *b, const char *value)
{
	const char *eq = strchr(value, '=');
	cleanup_free char *key = NULL;

	if (!eq)
		return false;
	key = xstrndup(value, (size_t)(eq - value));
	strvec_env_set(&b->args, key, eq + 1);
	return true;
}

static bool set_label(struct devcontainer_build *b, const char *value)
{
	cleanup_free char *key = xstrndup(value, strcspn(value, "="));
	struct json *labels = json_get(options(b), "labels");

	if (!*key)
		return false;
	if (!labels)
		labels = json_set(b->options, "labels", json_new_object());
	json_set_str(labels, key,
		     value[strlen(key)] ? value + strlen(key) + 1 : "");
	return true;
}

static bool set_network(struct devcontainer_build *b, const char *value)
{
	if (!str_eq(value, "none") && !str_eq(value, "host") &&
	    !str_eq(value, "default"))
		return false;
	json_set_str(options(b), "network", value);
	return true;
}

/* One of them; false: nothing here acts on it. */
static bool set_option(struct devcontainer_build *b, const char *name,
		       const char *value)
{
	if (str_eq(name, "--target"))
		replace_str(&b->target, value);
	else if (str_eq(name, "--platform"))
		replace_str(&b->platform, value);
	else if (str_eq(name, "--build-arg"))
		return set_arg(b, value);
	else if (str_eq(name, "--label"))
		return set_label(b, value);
	else if (str_eq(name, "--network"))
		return set_network(b, value);
	else if (str_eq(name, "--no-cache"))
		json_set_bool(options(b), "no_cache", true);
	else if (str_eq(name, "--pull"))
		json_set_bool(options(b), "pull", true);
	else
		return false;
	return true;
}

static bool is_any(const char *name, const char *const *names)
{
	while (*names)
		if (str_eq(name, *names++))
			return true;
	return false;
}

static bool is_alone(const char *name)
{
	static const char *const names[] = {
		"--force-rm", "--load", "--no-cache", "--pull",
		"--push",     "--quiet", "--rm",      "-q", NULL,
	};

	return is_any(name, names);
}

/* How docker shows a build and where it leaves the image: devenv has both. */
static bool is_harmless(const char *name)
{
	static const char *const names[] = { "--force-rm", "--load",
					     "--progress", "--quiet",
					     "--rm",	   "-q", NULL };

	return is_any(name, names);
}

/* A repository takes no files or keys of whoever builds it. */
static char *why_not(const char *name)
{
	static const char *const given[] = { "--secret", "--ssh", NULL };

	if (is_any(name, given))
		return xstrfmt("build option '%s' is not acted on: whoever "
			       "builds gives it, by %s of devenv", name, name);
	return xstrfmt("build option '%s' is not acted on", name);
}

/* "--pull=false" */
static bool is_off(const char *name, const char *value)
{
	return is_alone(name) && *value && !str_is_true(value);
}

void devcontainer_build_options(struct devcontainer_build *b,
				const struct json *list,
				void (*note)(void *arg, size_t i,
					     const char *text),
				void *arg)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;

	json_get_strings(list, &words);
	for (char **p = strvec_argv(&words); *p; p++) {
		const char *word = *p, *next = p[1];
		const char *eq = strchr(word, '=');
		cleanup_free char *name = xstrndup(word, strcspn(word, "="));
		bool two = !eq && next && *next != '-' && !is_alone(name);
		const char *value = eq ? eq + 1 : two ? next : "";

		if (!is_harmless(name) && !is_off(name, value) &&
		    !set_option(b, name, value)) {
			cleanup_free char *why = why_not(name);

			note(arg, (size_t)(p - words.v), why);
		}
		if (two)
			p++;
	}
}
