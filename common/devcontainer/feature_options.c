/* feature_options.c - the options of a Feature as its script sees them */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "devcontainer/feature.h"

static bool is_word(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || c == '_');
}

/* Digits and underscores that a name begins with become one underscore, what
 * is no letter, digit or underscore one each: UTF-16 units, as JavaScript
 * counts them. */
void devcontainer_option_name(const char *name, struct strbuf *out)
{
	size_t begin = out->len;
	bool leading = true;

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c & 0xc0) == 0x80)
			continue;
		leading = leading && (!is_word(c) || isdigit(c) || c == '_');
		if (leading && out->len > begin)
			continue;
		strbuf_addch(out, leading || !is_word(c) ? '_' : toupper(c));
		if (!leading && c >= 0xf0)
			strbuf_addch(out, '_');
	}
}

/* Numbers and switches as text. */
static void set(struct strvec *env, const char *option,
		const struct json *value)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT, text = STRBUF_INIT;

	devcontainer_option_name(option, &name);
	if (!name.len)
		return;
	if (json_str(value))
		strbuf_addstr(&text, json_str(value));
	else
		json_write(&text, value, false);
	strvec_env_set(env, name.buf, text.buf);
}

static void note(const struct devcontainer_feature *f, struct strvec *notes,
		 const char *what, const char *option)
{
	strvec_pushf(notes, "%s%sFeature '%s': %s '%s'",
		     f->where ? f->where : "", f->where ? ": " : "", f->id,
		     what, option);
}

static void check(const struct devcontainer_feature *f, const char *option,
		  const struct json *value, struct strvec *notes)
{
	const struct json *declared =
		json_get(json_get(f->metadata.json, "options"), option);
	cleanup_strvec struct strvec allowed = STRVEC_INIT;

	if (!declared) {
		note(f, notes, "it declares no option", option);
		return;
	}
	json_get_strings(json_get(declared, "enum"), &allowed);
	if (allowed.nr && json_str(value) &&
	    !strvec_has(&allowed, json_str(value)))
		note(f, notes, "it declares other values for the option",
		     option);
}

static void set_defaults(const struct devcontainer_feature *f,
			 struct strvec *env)
{
	const struct json *m =
		json_first(json_get(f->metadata.json, "options"));

	for (; m; m = json_next(m))
		if (json_get(m, "default"))
			set(env, json_key(m), json_get(m, "default"));
}

void devcontainer_feature_env(const struct devcontainer_feature *f,
			      struct strvec *env, struct strvec *notes)
{
	const struct json *options = json_get(f->metadata.json, "options");
	const struct json *m;

	set_defaults(f, env);
	if (json_kind(f->options) != JSON_OBJECT) {
		/* "feature": "1.2" is short for its version. */
		if (json_get(options, "version") && f->options)
			set(env, "version", f->options);
		return;
	}
	for (m = json_first(f->options); m; m = json_next(m)) {
		check(f, json_key(m), m, notes);
		set(env, json_key(m), m);
	}
}
