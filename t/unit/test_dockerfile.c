/* test_dockerfile.c - the Dockerfile language, row by row of its goal table */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <dirent.h>

#include "base/fs.h"
#include "dockerfile/dockerfile.h"

struct row {
	const char *in, *want;
};

/* The `ast` view of a text as compact JSON, or the message of its error. */
static char *ast(const char *text, size_t n)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j = NULL;
	struct strbuf out = STRBUF_INIT;

	if (dockerfile_parse(&df, "D", text, n, &err) < 0)
		return xstrdup(err.msg);
	j = dockerfile_to_json(&df);
	json_write(&out, j, false);
	return strbuf_detach(&out);
}

/* Each wanted text must be part of the view. */
static void see_ast(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_free char *got = ast(rows[i].in, strlen(rows[i].in));

		cr_expect(strstr(got, rows[i].want), "%s\n  gives %s\n  not %s",
			  rows[i].in, got, rows[i].want);
	}
}
#define SEE_AST(...) \
	do { \
		static const struct row rows_[] = { __VA_ARGS__ }; \
		see_ast(rows_, ARRAY_SIZE(rows_)); \
	} while (0)

/* "" when parsing and checking all instructions succeeds. */
static char *check(const char *text)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_stages struct dockerfile_stages s = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	if (dockerfile_parse(&df, "D", text, strlen(text), &err) < 0 ||
	    dockerfile_split(&df, &s, &err) < 0)
		return xstrdup(err.msg);
	return xstrdup("");
}

static void see_check(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_free char *got = check(rows[i].in);

		cr_expect_str_eq(got, rows[i].want,
				 "%s\n  gives %s\n  not %s", rows[i].in, got,
				 rows[i].want);
	}
}
#define SEE_CHECK(...) \
	do { \
		static const struct row rows_[] = { __VA_ARGS__ }; \
		see_check(rows_, ARRAY_SIZE(rows_)); \
	} while (0)
#define AT1 "D:1:1: dockerfile parse error on line 1: "
#define AT2 "D:2:1: dockerfile parse error on line 2: "

/* --- parser --- */

/* [P01] */
Test(dockerfile_parser, line_ends_and_byte_order_mark)
{
	SEE_AST({ "\xef\xbb\xbf" "FROM a\r\nRUN b\r\n",
		  "\"args\":[\"a\"],\"end\":1" },
		{ "RUN a \\\r\n  b\r\n", "[\"a   b\"]" },
		{ "  RUN a", "\"instruction\":\"RUN\",\"start\":1" });
}

/* [P02] */
Test(dockerfile_parser, long_lines_are_fine)
{
	cleanup_free char *text = xmalloc(200001);
	cleanup_free char *got = NULL;

	memset(text, 'a', 200000);
	memcpy(text, "RUN ", 4);
	text[200000] = '\0';
	got = check(text);
	cr_expect_str_eq(got, AT1 "no build stage in current context");
}

/* [P03] */
Test(dockerfile_parser, comments_are_whole_lines)
{
	SEE_AST({ "# x\n  # y\nRUN a # b", "[\"a # b\"]" });
}

/* [P04] */
Test(dockerfile_parser, directives_end_at_anything_else)
{
	SEE_AST({ "# Escape = `\nRUN a", "{\"escape\":\"`\"}" },
		{ "# syntax=x\n# check=skip=all\nRUN a",
		  "{\"check\":\"skip=all\",\"syntax\":\"x\"}" },
		{ "\n# escape=`\nRUN a", "\"directives\":{}" },
		{ "# c\n# escape=`\nRUN a", "\"directives\":{}" },
		{ "# foo=1\n# escape=`\nRUN a", "\"directives\":{}" },
		{ "# escape=\\\n# escape=`\n", AT2
		  "only one escape parser directive can be used" });
}

/* [P05] */
Test(dockerfile_parser, escape_is_one_of_two)
{
	SEE_AST({ "# escape=x\n", AT1
		  "invalid escape token 'x' does not match ` or \\" },
		{ "# escape=``\n", AT1
		  "invalid escape token '``' does not match ` or \\" },
		{ "# escape=`\nRUN a `\n b \\\nRUN c", "[\"a  b \\\\\"]" },
		{ "# escape=`\nENV a=` b", "\"value\":\"` b\"" },
		{ "# escape=`\nRUN --a=b` c d", "[\"--a=b c\"]" });
}

/* [P07] */
Test(dockerfile_parser, check_directive_is_checked)
{
	SEE_CHECK({ "# check=skip=A,B;error=true\nFROM a", "" },
		  { "# check=bad=1\nFROM a", AT1
		    "invalid check option \"bad\"" },
		  { "# check=error=maybe\nFROM a", AT1
		    "failed to parse check option \"error=maybe\": invalid "
		    "boolean" });
}

/* [P08] */
Test(dockerfile_parser, continuation_needs_a_lone_escape)
{
	SEE_AST({ "RUN a \\ \t\nb", "[\"a b\"]" },
		{ "RUN a \\\\\nRUN b", "[\"a \\\\\\\\\"]" },
		{ "\\\nRUN a", "[\"a\"]" });
}

/* [P09] */
Test(dockerfile_parser, lines_join_verbatim)
{
	SEE_AST({ "RUN a\\\nb\\\n  c", "[\"ab  c\"]" });
}

/* [P10] */
Test(dockerfile_parser, comments_inside_continuations_vanish)
{
	SEE_AST({ "RUN a \\\n# c\n  # d\n b", "[\"a  b\"]" },
		{ "RUN a \\\n\n  b\nRUN c", "[\"a   b\"],\"end\":3" });
}

/* [P11] */
Test(dockerfile_parser, continuation_at_the_end_and_empty_files)
{
	SEE_AST({ "RUN a \\", "[\"a\"]" },
		{ "# x\n\n", "file with no instructions" },
		{ "", "file with no instructions" });
}

/* [P12] */
Test(dockerfile_parser, keywords_in_any_case)
{
	SEE_AST({ "rUn\ta", "\"instruction\":\"RUN\"" },
		{ "FOO a", "\"instruction\":\"FOO\"" });
	SEE_CHECK({ "FROM a\nFOOBAR b", AT2 "unknown instruction: FOOBAR" },
		  { "FROM a\nRNU b", AT2
		    "unknown instruction: RNU (did you mean RUN?)" },
		  { "FORM a", AT1
		    "unknown instruction: FORM (did you mean FROM?)" });
}

/* [P13] */
Test(dockerfile_parser, flags)
{
	SEE_AST({ "RUN --a=\"b c\" --d -- --e", "[\"--a=b c\",\"--d\"]" },
		{ "RUN --a -- --e", "\"args\":[\"--e\"]" });
	SEE_CHECK(
		{ "FROM --x a", AT1 "unknown flag: --x" },
		{ "FROM --platfrom=a a", AT1
		  "unknown flag: --platfrom (did you mean platform?)" },
		{ "FROM --platform a", AT1
		  "missing a value on flag: --platform" },
		{ "FROM --platform=a --platform=a b", AT1
		  "duplicate flag specified: --platform" },
		{ "FROM a\nCOPY --link=x a b", AT2
		  "expecting boolean value for flag --link, not: x" },
		{ "FROM a\nCOPY --link= a b", AT2
		  "missing a value on flag: --link" },
		{ "FROM a\nCOPY --link --exclude=a --exclude=b a b", "" },
		{ "FROM a\nSTOPSIGNAL --x 9", AT2 "unknown flag: --x" });
}

/* [P14] */
Test(dockerfile_parser, exec_form)
{
	SEE_AST({ "RUN [\"a\", \"b\"]",
		  "[\"a\",\"b\"],\"end\":1,\"flags\":[],\"form\":\"exec\"" },
		{ "RUN ['a']", "\"form\":\"shell\"" },
		{ "CMD []", "\"args\":[],\"end\":1,\"flags\":[],\"form\":\"exec"
		  "\"" },
		{ "RUN [ -f x ] && y", "\"form\":\"shell\"" },
		{ "COPY [\"a b\", \"/c\"]", "[\"a b\",\"/c\"]" },
		{ "RUN [1]", AT1 "when using JSON array syntax, arrays must "
		  "be comprised of strings only" });
}

/* [P15] */
Test(dockerfile_parser, blank_words)
{
	SEE_AST({ "EXPOSE \"80  90\"", "[\"\\\"80\",\"90\\\"\"]" });
}

/* [P16] */
Test(dockerfile_parser, quoted_words)
{
	SEE_AST({ "ENV a=\"b c\" d=e\\ f g=''",
		  "{\"key\":\"a\",\"value\":\"\\\"b c\\\"\"},{\"key\":\"d\","
		  "\"value\":\"e\\\\ f\"},{\"key\":\"g\",\"value\":\"''\"}" });
}

/* [P17] */
Test(dockerfile_parser, pairs)
{
	SEE_AST({ "ENV a b  c", "{\"key\":\"a\",\"value\":\"b  c\"}" },
		{ "ENV a", AT1 "ENV must have two arguments" },
		{ "ENV a=1 b", AT1 "Syntax error - can't find = in \"b\". Must "
		  "be of the form: name=value" },
		{ "ARG x y= z=1", "[{\"key\":\"x\",\"value\":null},{\"key\":"
		  "\"y\",\"value\":\"\"},{\"key\":\"z\",\"value\":\"1\"}]" });
	SEE_CHECK({ "FROM a\nENV =x", AT2 "ENV names can not be blank" },
		  { "FROM a\nLABEL =x", AT2 "LABEL names can not be blank" },
		  { "ARG =x\nFROM a", AT1 "ARG names can not be blank" });
}

/* [P18] */
Test(dockerfile_parser, heredoc_words)
{
	SEE_AST({ "RUN 3<<-E\n\ta\n\tE\n", "{\"chomp\":true,\"content\":\"\\ta"
		  "\\n\",\"expand\":true,\"fd\":3,\"name\":\"E\"}" },
		{ "RUN cat << E\nx\nE", "\"content\":\"x\\n\"" },
		{ "RUN cat <<< E", "\"heredocs\":[]" },
		{ "RUN echo $((1 << 2))", "\"heredocs\":[]" },
		{ "CMD cat <<E", "\"heredocs\":[]" },
		{ "RUN [\"<<E\"]", "\"heredocs\":[]" },
		{ "ONBUILD RUN <<E\na\nE\nRUN b", "\"content\":\"a\\n\"" });
}

/* [P19] */
Test(dockerfile_parser, heredoc_bodies)
{
	SEE_AST({ "RUN a <<A <<B\n1\\\n# c\nA\n2\nB\nRUN x",
		  "\"content\":\"1\\\\\\n# c\\n\"" },
		{ "RUN a <<A <<B\n1\nA\n2\nB\nRUN x", "\"content\":\"2\\n\"" },
		{ "RUN <<A\n A\nA \nA\n", "\" A\\nA \\n\"" },
		{ "RUN <<A\nb\n", AT1 "unterminated heredoc" });
}

/* [P20] */
Test(dockerfile_parser, quoted_delimiters)
{
	SEE_AST({ "RUN <<'A B'\nA B\n",
		  "\"expand\":false,\"fd\":0,\"name\":\"A B\"" },
		{ "RUN <<\"E\"OF\nEOF", "\"expand\":false,\"fd\":0,\"name\":"
		  "\"EOF\"" },
		{ "RUN <<$EOF\n$EOF", "\"expand\":true,\"fd\":0,\"name\":"
		  "\"$EOF\"" });
}

/* [P21] */
Test(dockerfile_parser, only_arg_before_from)
{
	SEE_CHECK({ "RUN a\nFROM b", AT1 "no build stage in current context" },
		  { "ARG a", "D:1:1: dockerfile contains no stages to "
		    "build" });
}

/* [P22] */
Test(dockerfile_parser, lines)
{
	SEE_AST({ "\nRUN a \\\n b\n", "\"end\":3" },
		{ "RUN <<A\n1\nA\n", "\"end\":3" });
	SEE_CHECK({ "FROM a\n  USER", "D:2:3: dockerfile parse error on line "
		    "2: USER requires exactly one argument" });
}

/* [P23] */
Test(dockerfile_parser, comment_above)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	const char *text = "# far\n\n# a text\n# b\nARG a\nFROM b\n";

	cr_assert_eq(dockerfile_parse(&df, "D", text, strlen(text), &err), 0);
	cr_expect_str_eq(df.nodes[0].comment, "a text\nb");
	cr_expect_null(df.nodes[1].comment);
}

Test(dockerfile_parser, refuses_nul_and_oversize)
{
	cleanup_free char *nul = ast("FROM a\nRUN \0", 12);
	cleanup_free char *big = xmalloc(2u << 20);
	cleanup_free char *got = NULL;

	cr_expect_str_eq(nul, AT2 "NUL byte in the text");
	memset(big, '#', 2u << 20);
	got = ast(big, 2u << 20);
	cr_expect_str_eq(got, AT1 "file is larger than 1048576 bytes");
}

/* --- instructions --- */

/* [S01] */
Test(dockerfile_check, from)
{
	SEE_CHECK({ "FROM", AT1 "FROM requires either one or three "
		    "arguments" },
		  { "FROM a AS 1b", AT1 "invalid name for build stage: \"1b\", "
		    "name can't start with a number or contain symbols" },
		  { "FROM a aS B_x.y-1", "" });
}

/* [I04] */
Test(dockerfile_check, mounts)
{
	SEE_CHECK({ "FROM a\nRUN --mount=type=cache,target=/x,mode=0755 y",
		    "" },
		  { "FROM a\nRUN --mount=type=foo y", AT2
		    "unsupported mount type \"foo\"" },
		  { "FROM a\nRUN --mount=tpye=bind y", AT2
		    "unexpected key 'tpye' in 'tpye=bind' (did you mean "
		    "type?)" },
		  { "FROM a\nRUN --mount=from=$x,target=/y z", AT2
		    "'from' doesn't support variable expansion, define alias "
		    "stage instead" },
		  { "FROM a\nRUN --mount=type=bind,uid=1 z", AT2
		    "uid not allowed for \"bind\" type mounts" },
		  { "FROM a\nRUN --mount=type=secret z", AT2
		    "invalid secret mount. one of source, target required" },
		  { "FROM a\nRUN --mount=type=secret,id=a,src=b z", AT2
		    "both source and id can't be set" },
		  { "FROM a\nRUN --mount=type=secret,id=a,from=b z", AT2
		    "secret mount should not have a from" },
		  { "FROM a\nRUN --mount=type=ssh,src=b z", AT2
		    "ssh does not support source" },
		  { "FROM a\nRUN --mount=type=bind,target=/ z", AT2
		    "invalid mount target \"/\"" },
		  { "FROM a\nRUN --mount=target=/x,required z", AT2
		    "unexpected key 'required' for mount type 'bind'" },
		  { "FROM a\nRUN --mount=target=/x,size=1 z", AT2
		    "unexpected key 'size' for mount type 'bind'" },
		  { "FROM a\nRUN --mount=target=/x,sharing=locked z", AT2
		    "invalid cache sharing set for bind mount" },
		  { "FROM a\nRUN --mount=type=cache,target=/x,sharing=lokced z",
		    AT2 "unsupported sharing value \"lokced\" (did you mean "
		    "locked?)" },
		  { "FROM a\nRUN --mount=type=cache,target=/x,mode=9 z", AT2
		    "invalid value 9 for mode" },
		  { "FROM a\nRUN --mount=type=cache,target=/x,mode=10000 z",
		    AT2 "invalid value 10000 for mode" },
		  { "FROM a\nRUN --mount=type=cache,target=/x,uid=4294967295 z",
		    AT2 "invalid value 4294967295 for uid" },
		  { "FROM a\nRUN --mount=type=tmpfs,target=/x,size=1x z", AT2
		    "invalid value for size: 1x" },
		  { "FROM a\nRUN --mount=type=$t,target=/x,size=$s,uid=1 z",
		    "" },
		  { "FROM a\nRUN --mount=target=/x,ro=maybe z", AT2
		    "invalid value for ro: maybe" },
		  { "FROM a\nRUN --mount=target=/x,\\\"ro z", AT2
		    "failed to parse csv mounts: extraneous or missing \" in "
		    "quoted-field" });
}

static void see_mount(const char *value, const char *want)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	cleanup_dockerfile_mount struct dockerfile_mount m = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (dockerfile_mount_split(value, &fields, &err) < 0 ||
	    dockerfile_mount_parse(&m, &fields, &err) < 0) {
		cr_expect_str_eq(err.msg, want);
		return;
	}
	strbuf_addf(&out, "%s from=%s source=%s target=%s id=%s",
		    dockerfile_mount_type_name(m.type), m.from ? m.from : "-",
		    m.source ? m.source : "-", m.target ? m.target : "-",
		    m.id ? m.id : "-");
	strbuf_addf(&out, " %s %d %o %u:%u %llu", m.read_only ? "ro" : "rw",
		    (int)m.sharing, m.mode, m.uid, m.gid,
		    (unsigned long long)m.size);
	if (m.env)
		strbuf_addf(&out, " env=%s", m.env);
	if (m.required)
		strbuf_addstr(&out, " required");
	if (m.unused)
		strbuf_addf(&out, " unused=%s", m.unused);
	cr_expect_str_eq(out.buf, want, "%s: %s", value, out.buf);
}

/* [I04] [I05] [I06] [I07] [I08] [I09] */
Test(dockerfile_mount, values_and_defaults)
{
	see_mount("dst=/a",
		  "bind from=- source=- target=/a id=- ro 0 0 0:0 0");
	see_mount("Destination=/a,SRC=/b,From=c,readwrite",
		  "bind from=c source=/b target=/a id=- rw 0 0 0:0 0");
	see_mount("target=/a,rw=false",
		  "bind from=- source=- target=/a id=- ro 0 0 0:0 0");
	see_mount("target=/a,ro=0",
		  "bind from=- source=- target=/a id=- rw 0 0 0:0 0");
	see_mount("type=Cache,\"target=/a,b\",sharing=LOCKED,mode=0750,uid=1,"
		  "gid=2,id=x", "cache from=- source=- target=/a,b id=x rw 2 "
				"750 1:2 0");
	see_mount("type=tmpfs,target=/a,size=1.5k",
		  "tmpfs from=- source=- target=/a id=- rw 0 0 0:0 1536");
	see_mount("type=tmpfs,target=/a,size=2 GiB,id=x",
		  "tmpfs from=- source=- target=/a id=x rw 0 0 0:0 2147483648 "
		  "unused=id");
	see_mount("type=tmpfs,target=/a,size=99999999999999999t",
		  "invalid value for size: 99999999999999999t");
	see_mount("type=secret,id=a,required,env=",
		  "secret from=- source=- target=- id=a ro 0 0 0:0 0 env= "
		  "required");
	see_mount("type=ssh,required=true,mode=0666",
		  "ssh from=- source=- target=- id=- ro 0 666 0:0 0 required");
	see_mount("type=bind,target=/a,env=B",
		  "bind from=- source=- target=/a id=- ro 0 0 0:0 0 env=B "
		  "unused=env");
	see_mount("\"target=/a\"\"b\"",
		  "bind from=- source=- target=/a\"b id=- ro 0 0 0:0 0");
	see_mount("target=a\"b", "failed to parse csv mounts: bare \" in "
				 "non-quoted field");
	see_mount("", "failed to parse csv mounts: EOF");
	see_mount("bogus", "invalid field 'bogus' must be a key=value pair");
}

/* [I19] */
Test(dockerfile_check, ports)
{
	static const struct row bad[] = {
		{ "", "invalid port: \"\": no port specified" },
		{ "70000", "invalid port: \"70000\": invalid containerPort" },
		{ "5-4", "invalid port: \"5-4\": invalid containerPort" },
		{ "1/x", "invalid port: \"1/x\": invalid proto" },
	};
	cleanup_strvec struct strvec out = STRVEC_INIT;
	size_t i;

	cr_assert_eq(dockerfile_ports("80-82/UDP", &out, NULL), 0);
	cr_assert_eq(dockerfile_ports("1.2.3.4:5:6", &out, NULL), 0);
	cr_assert_eq(dockerfile_ports("[::1]:5:7/sctp", &out, NULL), 0);
	cr_assert_eq(out.nr, 5);
	cr_expect_str_eq(out.v[0], "80/udp");
	cr_expect_str_eq(out.v[3], "6/tcp");
	cr_expect_str_eq(out.v[4], "7/sctp");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_error struct error err = ERROR_INIT;

		cr_expect_eq(dockerfile_ports(bad[i].in, &out, &err), -1);
		cr_expect_str_eq(err.msg, bad[i].want);
	}
}

/* [I22] */
Test(dockerfile_check, volume)
{
	SEE_CHECK({ "FROM a\nVOLUME [\"\"]", AT2
		    "VOLUME specified can not be an empty string" },
		  { "FROM a\nVOLUME", AT2
		    "VOLUME requires at least one argument" });
}

/* [I23] */
Test(dockerfile_check, stop_signal)
{
	SEE_CHECK({ "FROM a\nSTOPSIGNAL sigterm", "" },
		  { "FROM a\nSTOPSIGNAL RTMIN+3", "" },
		  { "FROM a\nSTOPSIGNAL 9", "" },
		  { "FROM a\nSTOPSIGNAL 0", AT2 "invalid signal: 0" },
		  { "FROM a\nSTOPSIGNAL FOO", AT2 "invalid signal: FOO" });
}

/* [I24] */
Test(dockerfile_check, healthcheck)
{
	SEE_CHECK({ "FROM a\nHEALTHCHECK --interval=1m CMD x", "" },
		  { "FROM a\nHEALTHCHECK NONE x", AT2
		    "HEALTHCHECK NONE takes no arguments" },
		  { "FROM a\nHEALTHCHECK foo x", AT2
		    "Unknown type \"FOO\" in HEALTHCHECK (try CMD)" },
		  { "FROM a\nHEALTHCHECK CMD", AT2
		    "Missing command after HEALTHCHECK CMD" },
		  { "FROM a\nHEALTHCHECK --interval=1us CMD x", AT2
		    "Interval \"interval\" cannot be less than 1ms" },
		  { "FROM a\nHEALTHCHECK --retries=-1 CMD x", AT2
		    "--retries cannot be negative (-1)" },
		  { "FROM a\nHEALTHCHECK", AT2
		    "HEALTHCHECK requires at least one argument" });
}

/* [I25] */
Test(dockerfile_check, shell)
{
	SEE_CHECK({ "FROM a\nSHELL x", AT2
		    "SHELL requires the arguments to be in JSON form" },
		  { "FROM a\nSHELL []", AT2
		    "SHELL requires at least one argument" });
}

/* [I26] */
Test(dockerfile_check, onbuild)
{
	SEE_CHECK({ "FROM a\nONBUILD ONBUILD RUN x", AT2
		    "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed" },
		  { "FROM a\nONBUILD FROM x", AT2
		    "FROM isn't allowed as an ONBUILD trigger" },
		  { "FROM a\nONBUILD MAINTAINER x", AT2
		    "MAINTAINER isn't allowed as an ONBUILD trigger" });
}

/* [I27] */
Test(dockerfile_check, copy)
{
	SEE_CHECK({ "FROM a\nCOPY x", AT2 "COPY requires at least two "
		    "arguments, but only one was provided. Destination could "
		    "not be determined" },
		  { "FROM a\nCOPY http://x/y z", AT2
		    "source can't be a URL for COPY" },
		  { "FROM a\nCOPY https://x/y.git z", AT2
		    "source can't be a git ref for COPY" },
		  { "FROM a\nCOPY --from=$x y z", AT2 "variable expansion is "
		    "not supported for --from, define a new stage with FROM "
		    "using ARG from global scope as a workaround" });
}

/* [I33] */
Test(dockerfile_check, chmod)
{
	static const struct {
		const char *spec;
		unsigned mode, want;
		bool dir;
	} rows[] = {
		{ "755", 0600, 0755, false },
		{ "07777", 0, 07777, false },
		{ "u=rwX,go=rX", 0600, 0644, false },
		{ "u=rwX,go=rX", 0600, 0755, true },
		{ "a+x", 0644, 0755, false },
		{ "+x-w", 0644, 0555, false },
		{ "g=u", 0640, 0660, false },
		{ "u+s,o+t", 0755, 05755, false },
		{ "go-rwx", 0777, 0700, false },
	};
	cleanup_error struct error err = ERROR_INIT;
	unsigned mode;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(dockerfile_chmod(rows[i].spec, rows[i].mode,
					      rows[i].dir, &mode, NULL), 0);
		cr_expect_eq(mode, rows[i].want, "%s: %o", rows[i].spec, mode);
	}
	cr_expect_eq(dockerfile_chmod("888", 0, false, &mode, &err), -1);
	cr_expect_str_eq(err.msg, "invalid chmod parameter: '888'. it should "
				  "be octal string and between 0 and 07777");
}

/* [I38] */
Test(dockerfile_check, heredoc_is_no_destination)
{
	SEE_CHECK({ "FROM a\nCOPY x <<E\nE", AT2
		    "COPY cannot accept a heredoc as a destination" });
}

/* [I42] */
Test(dockerfile_check, checksum_wants_one_source)
{
	SEE_CHECK({ "FROM a\nADD --checksum=sha256:x a b c", AT2
		    "checksum can't be specified for multiple sources" });
}

/* [S05] */
Test(dockerfile_stages, target)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_stages struct dockerfile_stages s = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	const char *text = "FROM a AS build\nFROM b AS Test\nFROM c";
	size_t i;

	cr_assert_eq(dockerfile_parse(&df, "D", text, strlen(text), &err), 0);
	cr_assert_eq(dockerfile_split(&df, &s, &err), 0);
	cr_expect(dockerfile_target(&s, NULL, &i, &err) == 0 && i == 2);
	cr_expect(dockerfile_target(&s, "TEST", &i, &err) == 0 && i == 1);
	cr_expect(dockerfile_target(&s, "0", &i, &err) == 0 && i == 0);
	cr_expect_eq(dockerfile_target(&s, "biuld", &i, &err), -1);
	cr_expect_str_eq(err.msg, "target stage \"biuld\" could not be found "
				  "(did you mean build?)");
	error_release(&err);
	cr_expect_eq(dockerfile_target(&s, "7", &i, &err), -1);
	cr_expect_str_eq(err.msg, "invalid stage index 7");
}

/* --- small grammars --- */

Test(dockerfile_grammar, durations)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *again;
	} rows[] = {
		{ "1h2m3.5s", 3723500000000, "1h2m3.5s" },
		{ "90s", 90000000000, "1m30s" },
		{ "1.5ms", 1500000, "1.5ms" },
		{ "100us", 100000, "100\xc2\xb5s" },
		{ "0", 0, "0s" },
		{ "1h", 3600000000000, "1h0m0s" },
		{ "-5ns", -5, "-5ns" },
	};
	static const char *const bad[] = { "", "5", "s", ".s", "1x", "1s ",
					   "9999999999999h" };
	int64_t ns;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		cr_expect_eq(dockerfile_duration(rows[i].text, &ns, NULL), 0,
			     "%s", rows[i].text);
		cr_expect_eq(ns, rows[i].ns, "%s", rows[i].text);
		dockerfile_duration_format(&out, ns);
		cr_expect_str_eq(out.buf, rows[i].again);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(dockerfile_duration(bad[i], &ns, NULL), -1, "%s",
			     bad[i]);
}

Test(dockerfile_grammar, globs)
{
	static const struct {
		const char *pattern, *name;
		int want;
	} rows[] = {
		{ "*", "abc", 1 },	{ "a*", "abc", 1 },
		{ "a*", "ab/c", 0 },	{ "a*b*c", "axbxbxc", 1 },
		{ "a?c", "abc", 1 },	{ "a?c", "a/c", 0 },
		{ "[[]a", "[a", 1 },	{ "[a-c]x", "bx", 1 },
		{ "[^a-c]x", "dx", 1 }, { "[^a]", "a", 0 },
		{ "a/*/c", "a/b/c", 1 }, { "**", "a/b", 0 },
		{ "\\*", "*", 1 },	{ "[", "a", -1 },
		{ "a[", "b", -1 },	{ "[]a]", "a", -1 },
		{ "a\\", "a", -1 },	{ "[-x]", "x", -1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(dockerfile_glob(rows[i].pattern, rows[i].name),
			     rows[i].want, "%s %s", rows[i].pattern,
			     rows[i].name);
}

Test(dockerfile_grammar, quote_is_go_s)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	dockerfile_quote(&out, "a\"\\\n\t\x01\xff\xc3\xbc\xe2\x80\x8b");
	cr_expect_str_eq(out.buf, "\"a\\\"\\\\\\n\\t\\x01\\xff\xc3\xbc"
				  "\\u200b\"");
}

/* --- t/golden/dockerfile/CASE/{in.Dockerfile,expect.json} --- */

static void golden_case(const char *name)
{
	cleanup_free char *in = xstrfmt("t/golden/dockerfile/%s/in.Dockerfile",
					name);
	cleanup_free char *out = xstrfmt("t/golden/dockerfile/%s/expect.json",
					 name);
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	cr_assert_eq(fs_read_file(in, 1u << 20, &text, NULL), 0);
	cr_assert_eq(dockerfile_parse(&df, "D", text.buf, text.len, NULL), 0);
	j = dockerfile_to_json(&df);
	json_write(&got, j, true);
	cr_assert_eq(fs_read_file(out, 1u << 20, &want, NULL), 0);
	cr_expect_str_eq(got.buf, want.buf, "%s differs", in);
}

Test(golden_dockerfile, ast)
{
	DIR *dir = opendir("t/golden/dockerfile");
	struct dirent *e;
	size_t n = 0;

	cr_assert_not_null(dir);
	while ((e = readdir(dir))) {
		if (*e->d_name == '.')
			continue;
		golden_case(e->d_name);
		n++;
	}
	closedir(dir);
	cr_expect_gt(n, 2);
}
