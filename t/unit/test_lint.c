/* test_lint.c - the checks of a Dockerfile, rule by rule */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "build/build.h"

struct lint_case {
	const char *text;
	const char *want; /* "LINE RULE: MESSAGE\n" each, then "error: ..." */
	const char *args; /* "A=1,B=2" */
	const char *ignore; /* a .dockerignore */
	const struct oci_config *base; /* of every image */
};

static const struct oci_config *base_of(void *arg,
					const struct build_base *base)
{
	const struct lint_case *c = arg;

	(void)base;
	return c->base;
}

static int evaluate(const struct lint_case *c, struct dockerfile *df,
		    struct dockerfile_lint *l, struct error *err)
{
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	cleanup_strvec struct strvec args = STRVEC_INIT;
	const struct build_eval_options o = {
		.build_args = &args, .platform = &p, .build_platform = &p,
		.lint = l, .check = true,
	};
	struct dockerfile_ignore *ignore = NULL;
	int rc;

	strvec_split(&args, c->args ? c->args : "", ",");
	if (dockerfile_parse(df, "D", c->text, strlen(c->text), err) < 0 ||
	    build_lint_begin(l, df, &args, err) < 0)
		return -1;
	if (c->ignore &&
	    dockerfile_ignore_parse(&ignore, "I", c->ignore,
				    strlen(c->ignore), err) < 0)
		return -1;
	/* The callback only reads. */
	rc = build_lint(df, &o, ignore, base_of, (void *)(uintptr_t)c, err);
	dockerfile_ignore_free(ignore);
	return rc;
}

static void see(const struct lint_case *cases, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		cleanup_dockerfile struct dockerfile df = { 0 };
		cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_error struct error err = ERROR_INIT;
		int rc = evaluate(&cases[i], &df, &l, &err);

		dockerfile_lint_sort(&l);
		for (k = 0; k < l.nr; k++)
			strbuf_addf(&out, "%u %s: %s\n", l.v[k].line,
				    l.v[k].rule, l.v[k].message);
		if (rc < 0)
			strbuf_addf(&out, "error: %s", err.msg);
		cr_expect_str_eq(out.buf, cases[i].want,
				 "%s\n gives %s\n not %s", cases[i].text,
				 out.buf, cases[i].want);
	}
}
#define SEE(...) \
	do { \
		static const struct lint_case cases_[] = { __VA_ARGS__ }; \
		see(cases_, ARRAY_SIZE(cases_)); \
	} while (0)
#define FINDS(t, w) { .text = t, .want = w }
#define CLEAN(t) { .text = t, .want = "" }

Test(lint, StageNameCasing)
{
	SEE(FINDS("FROM scratch AS Base",
		  "1 StageNameCasing: Stage name 'Base' should be "
		  "lowercase\n"),
	    CLEAN("FROM scratch AS base"), CLEAN("FROM scratch"));
}

Test(lint, FromAsCasing)
{
	SEE(FINDS("FROM scratch as a", "1 FromAsCasing: 'as' and 'FROM' "
		  "keywords' casing do not match\n"),
	    FINDS("from scratch AS a", "1 FromAsCasing: 'AS' and 'from' "
		  "keywords' casing do not match\n"),
	    CLEAN("from scratch as a"), CLEAN("FROM scratch AS a"),
	    FINDS("From scratch as a", "1 ConsistentInstructionCasing: Command "
		  "'From' should match the case of the command majority "
		  "(uppercase)\n"));
}

Test(lint, NoEmptyContinuation)
{
	SEE(FINDS("FROM scratch\nCOPY a \\\n\nb\n",
		  "4 NoEmptyContinuation: Empty continuation line\n"),
	    CLEAN("FROM scratch\nCOPY a \\\n# x\nb\n\n"));
}

Test(lint, ConsistentInstructionCasing)
{
	SEE(FINDS("FROM scratch\nUSER a\nenv b=1\nUser c",
		  "3 ConsistentInstructionCasing: Command 'env' should match "
		  "the case of the command majority (uppercase)\n"
		  "4 ConsistentInstructionCasing: Command 'User' should match "
		  "the case of the command majority (uppercase)\n"),
	    FINDS("FROM scratch\nuser a\nenv b=1",
		  "1 ConsistentInstructionCasing: Command 'FROM' should match "
		  "the case of the command majority (lowercase)\n"),
	    CLEAN("arg x\nFROM scratch\nUSER a"),
	    CLEAN("from scratch\nuser a"));
}

Test(lint, DuplicateStageName)
{
	SEE(FINDS("FROM scratch AS a\nFROM scratch AS a",
		  "2 DuplicateStageName: Duplicate stage name \"a\", stage "
		  "names should be unique\n"),
	    CLEAN("FROM scratch AS a\nFROM scratch AS b"));
}

Test(lint, ReservedStageName)
{
	SEE(FINDS("FROM scratch AS scratch", "1 ReservedStageName: Stage name "
		  "should not use the same name as reserved stage "
		  "\"scratch\"\n"),
	    FINDS("FROM scratch AS context", "1 ReservedStageName: Stage name "
		  "should not use the same name as reserved stage "
		  "\"context\"\n"),
	    CLEAN("FROM scratch AS contexts"));
}

Test(lint, JSONArgsRecommended)
{
	SEE(FINDS("FROM scratch\nCMD a", "2 JSONArgsRecommended: JSON arguments "
		  "recommended for CMD to prevent unintended behavior related "
		  "to OS signals\n"),
	    FINDS("FROM scratch\nENTRYPOINT a", "2 JSONArgsRecommended: JSON "
		  "arguments recommended for ENTRYPOINT to prevent unintended "
		  "behavior related to OS signals\n"),
	    CLEAN("FROM scratch\nCMD [\"a\"]\nENTRYPOINT [\"b\"]"),
	    CLEAN("FROM scratch\nSHELL [\"/b\"]\nCMD a"),
	    CLEAN("FROM scratch AS a\nSHELL [\"/b\"]\nFROM a\nCMD a"),
	    CLEAN("FROM scratch\nRUN a\nHEALTHCHECK CMD a"));
}

Test(lint, MaintainerDeprecated)
{
	SEE(FINDS("FROM scratch\nMAINTAINER me", "2 MaintainerDeprecated: "
		  "Maintainer instruction is deprecated in favor of using "
		  "label\n"),
	    CLEAN("FROM scratch\nLABEL org.opencontainers.image.authors=me"));
}

Test(lint, UndefinedArgInFrom)
{
	SEE(FINDS("ARG VERSION=1\nFROM x:$VERSIO", "2 InvalidDefaultArgInFrom: "
		  "Default value for ARG x:$VERSIO results in empty or invalid "
		  "base image name\n2 UndefinedArgInFrom: FROM argument "
		  "'VERSIO' is not declared (did you mean VERSION?)\n"),
	    FINDS("FROM --platform=$BULIDPLATFORM x", "1 UndefinedArgInFrom: "
		  "FROM argument 'BULIDPLATFORM' is not declared (did you mean "
		  "BUILDPLATFORM?)\n"),
	    CLEAN("FROM x${SUFFIX:-y}"),
	    CLEAN("ARG TAG\nFROM x$TAG"),
	    CLEAN("FROM --platform=$BUILDPLATFORM x"));
}

Test(lint, WorkdirRelativePath)
{
	SEE(FINDS("FROM x\nWORKDIR a\nWORKDIR b", "2 WorkdirRelativePath: "
		  "Relative workdir \"a\" can have unexpected results if the "
		  "base image changes\n"),
	    CLEAN("FROM x\nWORKDIR /a\nWORKDIR b"),
	    CLEAN("FROM x\nARG d=/a\nWORKDIR $d"),
	    CLEAN("FROM x AS a\nWORKDIR /a\nFROM a\nWORKDIR b"));
}

Test(lint, UndefinedVar)
{
	static char home[] = "HOME=/x", *list[] = { home, NULL };
	static const struct oci_config base = {
		.env = { .v = list, .nr = 1 },
	};

	SEE(FINDS("FROM x\nCOPY $foo /", "2 UndefinedVar: Usage of undefined "
		  "variable '$foo'\n"),
	    FINDS("FROM x\nENV PATH=$PAHT:/b", "2 UndefinedVar: Usage of "
		  "undefined variable '$PAHT' (did you mean $PATH?)\n"),
	    FINDS("FROM x\nARG DIR_ASSETS=a\nCOPY $DIR_ASSET $DIR_ASSET /",
		  "3 UndefinedVar: Usage of undefined variable '$DIR_ASSET' "
		  "(did you mean $DIR_ASSETS?)\n"),
	    FINDS("ARG g=1\nFROM x\nARG v=$g", "3 UndefinedVar: Usage of "
		  "undefined variable '$g'\n"),
	    FINDS("FROM x\nLABEL a=${b%c} d=${e/f/g}", "2 UndefinedVar: Usage "
		  "of undefined variable '$b'\n2 UndefinedVar: Usage of "
		  "undefined variable '$e'\n"),
	    FINDS("FROM x\nENV a=$HOME", "2 UndefinedVar: Usage of undefined "
		  "variable '$HOME'\n"),
	    { "FROM x\nENV a=$HOME", .want = "", .base = &base },
	    CLEAN("FROM x\nARG foo\nCOPY x$foo /"),
	    CLEAN("FROM x\nENV PATH=$PATH:/b"),
	    CLEAN("FROM x\nENV a=${b:-c} d=${e+f}"),
	    CLEAN("FROM x AS a\nENV v=1\nFROM a\nENV w=$v"),
	    CLEAN("FROM x\nRUN echo $foo\nSHELL [\"$b\"]"));
}

Test(lint, MultipleInstructionsDisallowed)
{
	SEE(FINDS("FROM x\nCMD [\"a\"]\nENTRYPOINT [\"a\"]\nCMD [\"b\"]\n"
		  "ENTRYPOINT [\"b\"]\nHEALTHCHECK NONE\nHEALTHCHECK CMD a",
		  "2 MultipleInstructionsDisallowed: Multiple CMD instructions "
		  "should not be used in the same stage because only the last "
		  "one will be used\n3 MultipleInstructionsDisallowed: "
		  "Multiple ENTRYPOINT instructions should not be used in the "
		  "same stage because only the last one will be used\n"
		  "6 MultipleInstructionsDisallowed: Multiple HEALTHCHECK "
		  "instructions should not be used in the same stage because "
		  "only the last one will be used\n"),
	    CLEAN("FROM x\nCMD [\"a\"]\nFROM x\nCMD [\"b\"]"),
	    CLEAN("FROM x\nUSER a\nUSER b"));
}

Test(lint, LegacyKeyValueFormat)
{
	SEE(FINDS("FROM x\nENV a b\nLABEL c d e", "2 LegacyKeyValueFormat: "
		  "\"ENV key=value\" should be used instead of legacy \"ENV "
		  "key value\" format\n3 LegacyKeyValueFormat: \"LABEL "
		  "key=value\" should be used instead of legacy \"LABEL key "
		  "value\" format\n"),
	    CLEAN("FROM x\nENV a=b\nLABEL c=\"d e\""));
}

Test(lint, InvalidBaseImagePlatform)
{
	static char os[] = "linux", arm64[] = "arm64", amd64[] = "amd64";
	static const struct oci_config arm = { .platform = { os, arm64 } };
	static const struct oci_config same = { .platform = { os, amd64 } };

	SEE({ "FROM x", .base = &arm, .want = "1 InvalidBaseImagePlatform: "
	      "Base image x was pulled with platform \"linux/arm64\", expected "
	      "\"linux/amd64\" for current build\n" },
	    { "FROM x", .base = &same, .want = "" },
	    { "FROM --platform=linux/arm64 x AS arm64", .base = &arm,
	      .want = "" },
	    CLEAN("FROM x"));
}

Test(lint, RedundantTargetPlatform)
{
	SEE(FINDS("FROM --platform=$TARGETPLATFORM x",
		  "1 RedundantTargetPlatform: Setting platform to predefined "
		  "$TARGETPLATFORM in FROM is redundant as this is the default "
		  "behavior\n"),
	    FINDS("FROM --platform=\"${TARGETPLATFORM}\" x",
		  "1 RedundantTargetPlatform: Setting platform to predefined "
		  "${TARGETPLATFORM} in FROM is redundant as this is the "
		  "default behavior\n"),
	    CLEAN("FROM --platform=$BUILDPLATFORM x"));
}

Test(lint, SecretsUsedInArgOrEnv)
{
	SEE(FINDS("FROM x\nARG AWS_SECRET_ACCESS_KEY\nENV passwd=a DB_Token=b",
		  "2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions "
		  "for sensitive data (ARG \"AWS_SECRET_ACCESS_KEY\")\n"
		  "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions "
		  "for sensitive data (ENV \"DB_Token\")\n"
		  "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions "
		  "for sensitive data (ENV \"passwd\")\n"),
	    CLEAN("FROM x\nARG MONKEY KEYBOARD\nENV PUBLIC_KEY=a TOKEN_FILE=b "
		  "AUTH_VERSION=c"));
}

Test(lint, InvalidDefaultArgInFrom)
{
	SEE(FINDS("ARG TAG\nFROM x:${TAG}", "2 InvalidDefaultArgInFrom: Default "
		  "value for ARG x:${TAG} results in empty or invalid base "
		  "image name\n"),
	    FINDS("ARG I\nFROM $I", "2 InvalidDefaultArgInFrom: Default value "
		  "for ARG $I results in empty or invalid base image name\n"),
	    FINDS("FROM a:b:c AS S", "1 StageNameCasing: Stage name 'S' should "
		  "be lowercase\nerror: D:1:1: failed to parse stage name "
		  "\"a:b:c\": image reference 'a:b:c': 'b:c' is not a "
		  "tag"),
	    { "ARG I\nFROM $I", .args = "I=x", .want =
	      "2 InvalidDefaultArgInFrom: Default value for ARG $I results in "
	      "empty or invalid base image name\n" },
	    CLEAN("ARG TAG=1\nFROM x:${TAG}"), CLEAN("ARG TAG\nFROM x$TAG"));
}

Test(lint, FromPlatformFlagConstDisallowed)
{
	SEE(FINDS("FROM --platform=linux/amd64 x AS a",
		  "1 FromPlatformFlagConstDisallowed: FROM --platform flag "
		  "should not use constant value \"linux/amd64\"\n"),
	    CLEAN("FROM --platform=linux/amd64 x AS a-amd64"),
	    CLEAN("FROM --platform=linux/$BUILDARCH x AS a"));
}

Test(lint, CopyIgnoredFile)
{
	SEE({ "FROM x\nCOPY a/b c /d/\nADD ./c /e", .ignore = "a\nc", .want =
	      "2 CopyIgnoredFile: Attempting to Copy file \"a/b\" that is "
	      "excluded by .dockerignore\n2 CopyIgnoredFile: Attempting to "
	      "Copy file \"c\" that is excluded by .dockerignore\n"
	      "3 CopyIgnoredFile: Attempting to Add file \"c\" that is "
	      "excluded by .dockerignore\n" },
	    { "FROM x\nCOPY a /", .ignore = "a\n!a/b", .want = "" },
	    { "FROM x\nCOPY . /\nCOPY ab /", .ignore = "a", .want = "" },
	    { "FROM x\nCOPY . /", .ignore = "*", .want = "" },
	    { "FROM x AS s\nFROM x\nCOPY --from=s a /", .ignore = "a",
	      .want = "" },
	    { "FROM x\nADD http://h/a /", .ignore = "**/a", .want = "" },
	    CLEAN("FROM x\nCOPY a /"));
}

Test(lint, ExposeProtoCasing)
{
	SEE(FINDS("FROM x\nEXPOSE 80/TcP", "2 ExposeProtoCasing: Defined "
		  "protocol '80/TcP' in EXPOSE instruction should be "
		  "lowercase\n"),
	    CLEAN("FROM x\nEXPOSE 80/tcp 81"));
}

Test(lint, ExposeInvalidFormat)
{
	SEE(FINDS("FROM x\nARG p=5:6\nEXPOSE 127.0.0.1:80:80 $p",
		  "3 ExposeInvalidFormat: EXPOSE instruction should not define "
		  "an IP address or host-port mapping, found "
		  "'127.0.0.1:80:80'\n3 ExposeInvalidFormat: EXPOSE "
		  "instruction should not define an IP address or host-port "
		  "mapping, found '5:6'\n"),
	    CLEAN("FROM x\nEXPOSE 80-90/udp"));
}

Test(lint, InvalidDefinitionDescription)
{
#define NEW "# check=experimental=InvalidDefinitionDescription\n"
	SEE(FINDS(NEW "# the version\nARG v=1\n# a stage\nFROM x AS s",
		  "3 InvalidDefinitionDescription: Comment for ARG should "
		  "follow the format: `# v <description>`\n"
		  "5 InvalidDefinitionDescription: Comment for build stage "
		  "should follow the format: `# s <description>`\n"),
	    FINDS(NEW "# text\nARG v=1 w=2\nFROM x",
		  "3 InvalidDefinitionDescription: Comment for ARG should "
		  "follow the format: `# <arg_key> <description>`\n"),
	    CLEAN(NEW "# v the version\nARG v=1\n# s a stage\nFROM x AS s"),
	    CLEAN(NEW "ARG v=1\n# about x\n\nARG w\n# y\nFROM x"),
	    CLEAN("# the version\nARG v=1\nFROM x"));
}

/* [P07] */
Test(lint, directives_say_what_counts)
{
	SEE(CLEAN("# check=skip=StageNameCasing, FromAsCasing\n"
		  "FROM x as A"),
	    CLEAN("# check=skip=all\nFROM x as A\nMAINTAINER b"),
	    CLEAN("# check=experimental=all;skip=all\n# x\nFROM x as A"),
	    FINDS("# check=skip=Other\nFROM x as a", "2 FromAsCasing: 'as' and "
		  "'FROM' keywords' casing do not match\n"),
	    { "# check=skip=all\nFROM x as a", .want = "2 FromAsCasing: 'as' "
	      "and 'FROM' keywords' casing do not match\n",
	      .args = "BUILDKIT_DOCKERFILE_CHECK=skip=Other" },
	    { "FROM x as a", .want = "",
	      .args = "BUILDKIT_DOCKERFILE_CHECK=skip=all" },
	    { "FROM x", .args = "BUILDKIT_DOCKERFILE_CHECK=x", .want =
	      "error: BUILDKIT_DOCKERFILE_CHECK: invalid check option "
	      "\"x\"" });
}

/* [P07] */
Test(lint, comments_above_an_instruction_count_for_it_alone)
{
	SEE(FINDS("FROM x\n# why\n# check=skip=MaintainerDeprecated\n"
		  "MAINTAINER a\nMAINTAINER b", "5 MaintainerDeprecated: "
		  "Maintainer instruction is deprecated in favor of using "
		  "label\n"),
	    CLEAN("FROM x\n# check=skip=all\nmaintainer a"),
	    FINDS("FROM x\n# check=skip=all\n\nMAINTAINER a",
		  "4 MaintainerDeprecated: Maintainer instruction is "
		  "deprecated in favor of using label\n"),
	    FINDS("FROM x\n# check=this is prose\nMAINTAINER a",
		  "3 MaintainerDeprecated: Maintainer instruction is "
		  "deprecated in favor of using label\n"));
}

Test(lint, triggers_of_a_base_are_not_ours)
{
	static char trigger[] = "CMD $x", *list[] = { trigger, NULL };
	static const struct oci_config base = {
		.onbuild = { .v = list, .nr = 1 },
	};

	SEE({ "FROM x", .base = &base, .want = "" });
}

Test(lint, findings_are_bounded)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
	unsigned i;

	strbuf_addstr(&text, "FROM x\nENV");
	for (i = 0; i < 3 * DOCKERFILE_FINDINGS_MAX; i++)
		strbuf_addf(&text, " KEY_%u=1", i);
	cr_assert_eq(dockerfile_parse(&df, "D", text.buf, text.len, NULL), 0);
	cr_assert_eq(dockerfile_lint_init(&l, &df, NULL, NULL), 0);
	dockerfile_lint_text(&l);
	cr_expect_eq(l.nr, DOCKERFILE_FINDINGS_MAX);
	cr_expect(l.more);
}

static int build_error(const char *text, struct error *err)
{
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
	cleanup_build_eval struct build_eval *ev = NULL;
	const struct build_eval_options o = { .platform = &p,
					      .build_platform = &p,
					      .lint = &l };
	int r = 1;

	if (dockerfile_parse(&df, "D", text, strlen(text), err) < 0 ||
	    build_lint_begin(&l, &df, NULL, err) < 0 ||
	    build_eval_new(&ev, &df, &o, err) < 0 ||
	    build_eval_begin(ev, 0, NULL, err) < 0)
		return -1;
	while (r > 0) {
		cleanup_build_step struct build_step step = { 0 };

		r = build_eval_next(ev, 0, &step, err);
	}
	return r;
}

/* [P07] */
Test(lint, error_true_fails_a_build)
{
	static const char *const rows[][2] = {
		{ "# check=error=true\nFROM x as A\nUSER b",
		  "D:2:1: lint violation found for rules: FromAsCasing, "
		  "StageNameCasing" },
		{ "# check=error=true\nFROM x\nUSER b\nWORKDIR c",
		  "D:4:1: lint violation found for rules: "
		  "WorkdirRelativePath" },
		{ "FROM x\n# check=error=true\nMAINTAINER b",
		  "D:3:1: lint violation found for rules: "
		  "MaintainerDeprecated" },
		{ "# check=error=true;skip=FromAsCasing\nFROM x as a", NULL },
		{ "FROM x as A", NULL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;

		cr_expect_eq(build_error(rows[i][0], &err),
			     rows[i][1] ? -1 : 0, "%s", rows[i][0]);
		cr_expect(str_eq_null(err.msg, rows[i][1]), "%s: %s",
			  rows[i][0], err.msg ? err.msg : "no error");
	}
}
