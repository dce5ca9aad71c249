/* test_dockerfile.c - the parser of the Dockerfile language */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>

#include "base/fs.h"
#include "dockerfile_fixture.h"

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
