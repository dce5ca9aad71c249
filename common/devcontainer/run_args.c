/* run_args.c - what of `docker run` has a meaning without docker */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/run_internal.h"

typedef void set_flag(const struct run_reader *rd, const char *value);

static void set_capability(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->cap_add, value);
}

static void set_env(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->env, value);
}

static void set_env_file(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->env_files, value);
}

static void set_user(const struct run_reader *rd, const char *value)
{
	free(rd->r->user);
	rd->r->user = xstrdup(value);
}

static void set_hostname(const struct run_reader *rd, const char *value)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	if (!*value || *value == '-' || strlen(value) > 63 ||
	    strspn(value, set) != strlen(value)) {
		run_note(rd, "'%s' is not a host name", value);
		return;
	}
	free(rd->r->hostname);
	rd->r->hostname = xstrdup(value);
}

static void set_network(const struct run_reader *rd, const char *value)
{
	rd->r->no_network = str_eq(value, "none");
	if (!rd->r->no_network && !str_eq(value, "host"))
		run_note(rd, "the network '%s' is not supported: it is the "
			 "host's", value);
}

static void set_privileged(const struct run_reader *rd, const char *value)
{
	rd->r->privileged = !*value || str_is_true(value);
}

/* "SOURCE:TARGET[:MODE]", where a source without a slash is a volume. */
static void set_volume(const struct run_reader *rd, const char *value)
{
	cleanup_free char *first = xstrndup(value, strcspn(value, ":"));
	const char *rest = value + strlen(first);
	cleanup_free char *target = NULL, *text = NULL;
	const char *mode;

	if (!*rest) {
		text = xstrfmt("type=volume,\"target=%s\"", first);
		run_add_mount(rd, text);
		return;
	}
	target = xstrndup(rest + 1, strcspn(rest + 1, ":"));
	mode = rest + 1 + strlen(target);
	text = xstrfmt("type=%s,\"source=%s\",\"target=%s\"%s",
		       *first == '/' ? "bind" : "volume", first, target,
		       str_eq(mode, ":ro") ? ",ro" : "");
	run_add_mount(rd, text);
	if (*mode && !str_eq(mode, ":ro") && !str_eq(mode, ":rw"))
		run_note(rd, "'%s' of volume '%s' is not acted on", mode + 1,
			 value);
}

static void set_tmpfs(const struct run_reader *rd, const char *value)
{
	cleanup_free char *text = xstrfmt("type=tmpfs,\"target=%.*s\"",
					  (int)strcspn(value, ":"), value);

	run_add_mount(rd, text);
	if (strchr(value, ':'))
		run_note(rd, "'%s' of a tmpfs is not acted on",
			 strchr(value, ':') + 1);
}

/* An environment's own network has no gateway; the host's is the host. */
static void add_host(const struct run_reader *rd, const char *value)
{
	size_t n = strcspn(value, ":=");

	if (!n || !value[n] || value[strcspn(value, " \t\r\n")])
		run_note(rd, "'%s' is not NAME:ADDRESS", value);
	else
		strvec_pushf(&rd->r->hosts, "%.*s:%s", (int)n, value,
			     str_eq(value + n + 1, "host-gateway")
				     ? "127.0.0.1"
				     : value + n + 1);
}

static void set_shm(const struct run_reader *rd, const char *value)
{
	cleanup_free char *text =
		xstrfmt("type=tmpfs,target=/dev/shm,tmpfs-mode=1777,"
			"tmpfs-size=%s", value);

	run_add_mount(rd, text);
}

/* An environment has an init always. */
static void set_nothing(const struct run_reader *rd, const char *value)
{
	(void)rd;
	(void)value;
}

static const struct flag {
	const char *name;
	char letter;
	bool alone; /* takes no value of its own */
	set_flag *set; /* NULL: not acted on */
} flags[] = {
	{ "add-host", 0, false, add_host },
	{ "cap-add", 0, false, set_capability },
	{ "detach", 'd', true, NULL },
	{ "env", 'e', false, set_env },
	{ "env-file", 0, false, set_env_file },
	{ "hostname", 'h', false, set_hostname },
	{ "init", 0, true, set_nothing },
	{ "interactive", 'i', true, NULL },
	{ "label", 'l', false, NULL },
	{ "memory", 'm', false, NULL },
	{ "mount", 0, false, run_add_mount },
	{ "net", 0, false, set_network },
	{ "network", 0, false, set_network },
	{ "oom-kill-disable", 0, true, NULL },
	{ "privileged", 0, true, set_privileged },
	{ "publish", 'p', false, run_add_port },
	{ "publish-all", 'P', true, NULL },
	{ "read-only", 0, true, NULL },
	{ "rm", 0, true, NULL },
	{ "security-opt", 0, false, run_add_security },
	{ "shm-size", 0, false, set_shm },
	{ "tmpfs", 0, false, set_tmpfs },
	{ "tty", 't', true, NULL },
	{ "user", 'u', false, set_user },
	{ "volume", 'v', false, set_volume },
};

static const struct flag *find_long(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (str_eq(flags[i].name, name))
			return &flags[i];
	return NULL;
}

static const struct flag *find_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (letter && flags[i].letter == letter)
			return &flags[i];
	return NULL;
}

/* A word of the list. */
struct word {
	const struct flag *flag; /* NULL: unknown */
	char *name;		 /* as written, without a value */
	const char *value;	 /* that came with it, or NULL */
};

static void read_word(const char *text, struct word *w)
{
	bool is_long = str_starts(text, "--");
	const char *eq = strchr(text, '=');

	w->name = xstrndup(text, strcspn(text, "="));
	w->flag = is_long ? find_long(w->name + 2) : find_letter(text[1]);
	w->value = NULL;
	if (eq && (is_long || eq == text + 2))
		w->value = eq + 1;
	else if (!is_long && text[1] && text[2])
		w->value = text + 2; /* -uroot */
}

/* One word and perhaps the next, its value; how many were taken. */
static size_t take(const struct run_reader *rd, const struct strvec *words)
{
	const char *text = words->v[rd->index];
	const char *next = words->v[rd->index + 1];
	cleanup_free char *name = NULL;
	struct word w;
	bool two;

	if (*text != '-' || !text[1]) {
		run_note(rd, "'%s' is no option of docker run", text);
		return 1;
	}
	read_word(text, &w);
	name = w.name;
	/* What looks like no option may be the value of an unknown one. */
	two = !w.value && next && (w.flag ? !w.flag->alone : *next != '-');
	if (!w.flag || !w.flag->set)
		run_note(rd, "the option '%s' is not acted on", name);
	else if (!w.flag->alone && !w.value && !two)
		run_note(rd, "the option '%s' has no value", name);
	else
		w.flag->set(rd, two ? next : w.value ? w.value : "");
	return two ? 2 : 1;
}

void run_add_args(struct devcontainer_run *r, const struct json *list)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	struct run_reader rd = { r, "runArgs", 0 };

	json_get_strings(list, &words);
	while (rd.index < words.nr)
		rd.index += take(&rd, &words);
}
