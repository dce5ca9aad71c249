/* test_compose.c - compose files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/strbuf.h"
#include "compose/compose.h"

/* Files of a project in memory. */
struct files {
	const char *const *v; /* path, text, ..., NULL */
};

static int read_file(void *arg, const char *path, struct strbuf *out,
		     struct error *err)
{
	const struct files *f = arg;

	for (size_t i = 0; f->v[i]; i += 2) {
		if (str_eq(f->v[i], path)) {
			strbuf_addstr(out, f->v[i + 1]);
			return 0;
		}
	}
	errno = ENOENT;
	return error_errno_code(err, ERR_INPUT, "cannot open '%s'", path);
}

static const char *get_env(void *arg, const char *name)
{
	(void)arg;
	if (str_eq(name, "SET"))
		return "value";
	return str_eq(name, "EMPTY") ? "" : NULL;
}

static int load(struct compose *c, const char *names,
		const char *const *texts, struct error *err)
{
	struct files f = { texts };
	struct compose_scope scope = { "/p", get_env, read_file, &f };
	cleanup_strvec struct strvec files = STRVEC_INIT;

	strvec_split(&files, names, " ");
	return compose_load(c, &files, &scope, err);
}

/* The value at "a/b" of the model, compact. */
static void check_at(const struct compose *c, const char *path,
		     const char *want)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct json *j = c->model;

	strvec_split(&keys, path, "/");
	for (size_t i = 0; i < keys.nr; i++)
		j = json_get(j, keys.v[i]);
	if (j)
		json_write(&out, j, false);
	strbuf_rtrim(&out);
	cr_expect_str_eq(out.buf, want, "%s: %s", path, out.buf);
}

static void check_one(const char *text, const char *path, const char *want)
{
	const char *const texts[] = { "/p/c.yml", text, NULL };
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(load(&c, "c.yml", texts, &err), 0, "%s", err.msg);
	check_at(&c, path, want);
}

static void check_bad(const char *text, const char *want)
{
	const char *const texts[] = { "/p/c.yml", text, NULL };
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_expect_eq(load(&c, "c.yml", texts, &err), -1, "%s", text);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_str_eq(err.msg, want);
}

static void check_expand(const char *text, const char *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	int rc = compose_interpolate(text, get_env, NULL, &out, NULL, &err);

	cr_expect_str_eq(rc ? err.msg : out.buf, want, "%s", text);
}

Test(compose, variables)
{
	check_expand("a $SET b", "a value b");
	check_expand("${SET}x", "valuex");
	check_expand("$$SET $${SET}", "$SET ${SET}");
	check_expand("${UNSET:-d} ${UNSET-d} ${EMPTY:-d} ${EMPTY-d}",
		     "d d d ");
	check_expand("${SET:+o} ${EMPTY:+o} ${EMPTY+o} ${UNSET+o}", "o  o ");
	check_expand("${UNSET:-${SET}/${EMPTY:-x}}", "value/x");
	check_expand("${UNSET:?no luck}",
		     "the variable UNSET has to be set: no luck");
	check_expand("${EMPTY?}", "");
	check_expand("${EMPTY:?}", "the variable EMPTY has to be set");
	check_expand("${SET", "'${SET' is no variable");
	check_expand("$ 5", "'$ 5' is no variable");
	check_expand("${}", "'${}' names no variable");
	check_expand("${SET!x}", "'${SET!x}' is no variable");
}

Test(compose, short_forms_become_long_ones)
{
	const char *text =
		"services:\n"
		"  app:\n"
		"    build: ./src\n"
		"    command: sh -c 'echo \"a b\"' c\\ d\n"
		"    environment: [A=1, B, SET, \"C=x=y\"]\n"
		"    ports: [80, \"8080:80/udp\", {target: 90, published: 91, "
		"host_ip: 127.0.0.1}]\n"
		"    volumes: [\"./a:/a:ro\", data:/d, /anon, {type: tmpfs, "
		"target: /t}]\n"
		"    depends_on: [db]\n"
		"    extra_hosts: [\"h:10.0.0.1\", \"v6:::1\"]\n"
		"    privileged: \"${UNSET:-true}\"\n"
		"    user: 1000\n"
		"    healthcheck: {test: curl x, retries: \"3\"}\n"
		"    tmpfs: /run\n"
		"  db: {image: \"pg:$SET\"}\n"
		"name: My.Project\n";

	check_one(text, "services/app/build", "{\"context\":\"/p/src\"}");
	check_one(text, "services/app/command",
		  "[\"sh\",\"-c\",\"echo \\\"a b\\\"\",\"c d\"]");
	check_one(text, "services/app/environment",
		  "{\"A\":\"1\",\"C\":\"x=y\",\"SET\":\"value\"}");
	check_one(text, "services/app/ports",
		  "[\"80\",\"8080:80/udp\",\"127.0.0.1:91:90\"]");
	check_one(text, "services/app/volumes",
		  "[{\"read_only\":true,\"source\":\"/p/a\",\"target\":\"/a\","
		  "\"type\":\"bind\"},{\"read_only\":false,\"source\":"
		  "\"data\",\"target\":\"/d\",\"type\":\"volume\"},"
		  "{\"read_only\":false,\"target\":\"/anon\",\"type\":"
		  "\"volume\"},{\"read_only\":false,\"target\":\"/t\","
		  "\"type\":\"tmpfs\"}]");
	check_one(text, "services/app/depends_on",
		  "{\"db\":{\"condition\":\"service_started\","
		  "\"required\":true}}");
	check_one(text, "services/app/extra_hosts",
		  "{\"h\":\"10.0.0.1\",\"v6\":\"::1\"}");
	check_one(text, "services/app/privileged", "true");
	check_one(text, "services/app/user", "\"1000\"");
	check_one(text, "services/app/healthcheck",
		  "{\"retries\":3,\"test\":[\"CMD-SHELL\",\"curl x\"]}");
	check_one(text, "services/app/tmpfs", "[\"/run\"]");
	check_one(text, "services/db/image", "\"pg:value\"");
	check_one(text, "name", "\"myproject\"");
}

Test(compose, later_files_win)
{
	const char *const texts[] = {
		"/p/.env", "FROM_ENV='single' # c\nOTHER=\"$FROM_ENV ${SET}\"\n",
		"/p/a.yml",
		"services:\n  s:\n    image: one\n    command: [a]\n"
		"    environment: {A: 1, B: \"$OTHER\"}\n"
		"    volumes: [\"x:/d\", \"y:/e\"]\n    cap_add: [A]\n"
		"    build: {context: ., args: {K: v, SET: }}\n",
		"/p/sub/b.yml",
		"services:\n  s:\n    image: two\n    command: b c\n"
		"    environment: [A=2]\n    volumes: [\"z:/d\"]\n"
		"    cap_add: [A, B]\n    build: {args: [K=w]}\n",
		NULL,
	};
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(load(&c, "a.yml sub/b.yml", texts, &err), 0, "%s",
		     err.msg);
	check_at(&c, "services/s/image", "\"two\"");
	check_at(&c, "services/s/command", "[\"b\",\"c\"]");
	check_at(&c, "services/s/environment",
		 "{\"A\":\"2\",\"B\":\"single value\"}");
	check_at(&c, "services/s/volumes",
		 "[{\"read_only\":false,\"source\":\"y\",\"target\":\"/e\","
		 "\"type\":\"volume\"},{\"read_only\":false,\"source\":\"z\","
		 "\"target\":\"/d\",\"type\":\"volume\"}]");
	check_at(&c, "services/s/cap_add", "[\"A\",\"B\"]");
	check_at(&c, "services/s/build/args",
		 "{\"K\":\"w\",\"SET\":\"value\"}");
	check_at(&c, "name", "\"p\"");
}

Test(compose, extends)
{
	const char *const texts[] = {
		"/p/c.yml",
		"services:\n  s:\n    extends: {file: lib/base.yml, service: b}\n"
		"    environment: {A: own}\n"
		"  t: {extends: s, image: mine}\n",
		"/p/lib/base.yml",
		"services:\n  b:\n    image: base\n    env_file: vars\n"
		"    volumes: [\"./x:/x\"]\n    environment: {A: base, B: base}\n",
		"/p/lib/vars", "A=file\nC=file\n",
		NULL,
	};
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(load(&c, "c.yml", texts, &err), 0, "%s", err.msg);
	check_at(&c, "services/s/environment",
		 "{\"A\":\"own\",\"B\":\"base\",\"C\":\"file\"}");
	check_at(&c, "services/s/volumes",
		 "[{\"read_only\":false,\"source\":\"/p/lib/x\",\"target\":"
		 "\"/x\",\"type\":\"bind\"}]");
	check_at(&c, "services/t/image", "\"mine\"");
	check_bad("services:\n  a: {extends: b, image: x}\n"
		  "  b: {extends: a}\n",
		  "c.yml:2:3: the service 'a' extends itself");
	check_bad("services:\n  a:\n    extends: {file: no.yml, service: b}\n",
		  "c.yml:3:14: cannot read 'no.yml'");
	check_bad("services:\n  a:\n    extends: gone\n",
		  "c.yml:3:14: there is no service 'gone' in 'c.yml'");
}

Test(compose, what_is_wrong_is_told_with_its_place)
{
	check_bad("services: []\n", "c.yml:1:11: a map of services expected");
	check_bad("- a\n", "c.yml:1:1: a map with 'services' expected");
	check_bad("services:\n  a: {command: [x]}\n",
		  "c.yml:2:3: the service 'a' has neither image nor build");
	check_bad("services:\n  a:\n    image: x\n    privileged: maybe\n",
		  "c.yml:4:17: true or false expected");
	check_bad("services:\n  a:\n    image: \"${UNSET:?say which}\"\n",
		  "c.yml:3:12: the variable UNSET has to be set: say which");
	check_bad("services:\n  a: {image: x, depends_on: [b]}\n",
		  "c.yml:2:3: the service 'a' depends on one that is not "
		  "there");
	check_bad("services:\n  a:\n    image: x\n    volumes:\n"
		  "    - a:/b\n    - c:d\n",
		  "c.yml:6:7: 'c:d' is not [SOURCE:]TARGET[:MODE] with an "
		  "absolute target");
	check_bad("include: [x]\n", "c.yml:1:1: 'include' is not supported");
	check_bad("services:\n  a:\n    image: x\n    command: \"a 'b\"\n",
		  "c.yml:4:14: a quote is not closed: a command expected");
}

Test(compose, what_is_not_acted_on_is_named)
{
	const char *const texts[] = {
		"/p/c.yml",
		"version: '3'\nnetworks: {n: }\nx-y: 1\nservices:\n  a:\n"
		"    image: $UNSET\n    restart: always\n    x-z: 1\n"
		"    build: {context: ., ssh: [default]}\n",
		NULL,
	};
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(load(&c, "c.yml", texts, &err), 0, "%s", err.msg);
	cr_assert_eq(c.warnings.nr, 4);
	cr_expect_str_eq(c.warnings.v[0],
			 "c.yml:2:1: 'networks' is not acted on");
	cr_expect_str_eq(c.warnings.v[1], "c.yml:6:5: the variable UNSET is "
					  "not set: it is empty");
	cr_expect_str_eq(c.warnings.v[2],
			 "c.yml:7:5: 'restart' is not acted on");
	cr_expect_str_eq(c.warnings.v[3],
			 "c.yml:9:25: 'ssh' is not acted on");
}

Test(compose, order)
{
	const char *const texts[] = {
		"/p/c.yml",
		"services:\n  a: {image: x, depends_on: [b, c]}\n"
		"  b: {image: x, depends_on: {c: {condition: "
		"service_healthy}}}\n  c: {image: x}\n"
		"  p: {image: x, profiles: [debug], depends_on: [a]}\n"
		"  q: {image: x, profiles: [q], depends_on: [r]}\n"
		"  r: {image: x, profiles: [q], depends_on: [q]}\n",
		NULL,
	};
	static const struct {
		const char *roots, *want;
	} rows[] = { { "", "c b a " }, { "p", "c b a p " }, { "b", "c b " },
		     { "q", "the service 'q' depends on itself" },
		     { "z", "there is no service 'z'" } };
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(load(&c, "c.yml", texts, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strvec struct strvec roots = STRVEC_INIT;
		cleanup_strvec struct strvec order = STRVEC_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_error struct error why = ERROR_INIT;
		int rc;

		strvec_split(&roots, rows[i].roots, " ");
		rc = compose_order(&c, &roots, &order, &why);
		for (size_t k = 0; k < order.nr; k++)
			strbuf_addf(&out, "%s ", order.v[k]);
		cr_expect_str_eq(rc ? why.msg : out.buf, rows[i].want);
	}
}

Test(compose, files_of_variables)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(compose_dotenv("f",
				    "# comment\nexport A = one two # c\n"
				    "B='$A'\nC=\"x\\n${A}\\$\"\n\nSET\nNONE\n"
				    "D=a#b\nE=\"two\nlines\"\nF=\n",
				    get_env, NULL, &env, &err),
		     0, "%s", err.msg);
	cr_expect_str_eq(strvec_env_get(&env, "A"), "one two");
	cr_expect_str_eq(strvec_env_get(&env, "B"), "$A");
	cr_expect_str_eq(strvec_env_get(&env, "C"), "x\none two$");
	cr_expect_str_eq(strvec_env_get(&env, "SET"), "value");
	cr_expect_null(strvec_env_get(&env, "NONE"));
	cr_expect_str_eq(strvec_env_get(&env, "D"), "a#b");
	cr_expect_str_eq(strvec_env_get(&env, "E"), "two\nlines");
	cr_expect_str_eq(strvec_env_get(&env, "F"), "");
	cr_expect_eq(compose_dotenv("f", "A=1\nB='x\n", get_env, NULL, &env,
				    &err), -1);
	cr_expect_str_eq(err.msg, "f:2:1: the quote is not closed");
}

/* `n` times one piece, which may hold a number. */
static void repeat(struct strbuf *out, int n, const char *piece)
{
	for (int i = 0; i < n; i++) {
		const char *at = strchr(piece, '#');

		if (at)
			strbuf_addf(out, "%.*s%d%s", (int)(at - piece), piece,
				    i, at + 1);
		else
			strbuf_addstr(out, piece);
	}
}

Test(compose, few_bytes_do_not_become_many)
{
	cleanup_strbuf struct strbuf t = STRBUF_INIT;

	strbuf_addstr(&t, "services: {a: {image: \"");
	repeat(&t, 210000, "$SET");
	strbuf_addstr(&t, "\"}}");
	check_bad(t.buf, "c.yml:1:23: with its variables the value is larger "
			 "than 1048576 bytes");

	strbuf_reset(&t);
	strbuf_addstr(&t, "services:\n  a: {image: x, cap_add: [");
	repeat(&t, 4097, "c#,");
	strbuf_addstr(&t, "]}\n");
	check_bad(t.buf, "c.yml:2:17: more than 4096 entries");

	strbuf_reset(&t);
	strbuf_addstr(&t, "services:\n  b: {image: x, cap_add: [");
	repeat(&t, 4000, "c#,");
	strbuf_addstr(&t, "]}\n");
	repeat(&t, 200, "  s#: {extends: b}\n");
	check_bad(t.buf, "c.yml:2:3: the project becomes larger than "
			 "33554432 bytes");
}

Test(compose, files_of_variables_are_bounded)
{
	cleanup_strbuf struct strbuf t = STRBUF_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT, more = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT, why = ERROR_INIT;

	strbuf_addstr(&t, "V0=0123456789abcdef\n");
	for (int i = 1; i < 20; i++)
		strbuf_addf(&t, "V%d=${V%d}${V%d}\n", i, i - 1, i - 1);
	cr_expect_eq(compose_dotenv("f", t.buf, get_env, NULL, &env, &err), -1);
	cr_expect_str_eq(err.msg, "f:18:1: with its variables the value is "
				  "larger than 1048576 bytes");

	strbuf_reset(&t);
	repeat(&t, 4097, "V#=\n");
	cr_expect_eq(compose_dotenv("f", t.buf, get_env, NULL, &more, &why),
		     -1);
	cr_expect_str_eq(why.msg, "f:4097:1: the variables are too many, or "
				  "too large");
}
