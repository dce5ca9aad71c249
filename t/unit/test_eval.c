/* test_eval.c - what Dockerfiles mean: scopes, stages, steps, history */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "build/build.h"

/*
 * One line a step: "STAGE:LINE: " and its history, then "cwd", "argv", "env"
 * and so on of the last step; or the message of the error. Bases that are
 * images have PATH=/bin and an ONBUILD where `trigger` is set.
 */
struct eval_case {
	const char *text;
	const char *args;   /* "A=1,B=2" */
	const char *target;
	const char *trigger;
	const char *want;   /* part of the result */
};

static void describe(struct strbuf *out, size_t stage,
		     const struct build_step *step)
{
	size_t i;

	strbuf_addf(out, "%zu:%u: %s", stage, step->line,
		    step->created_by ? step->created_by : "-");
	if (step->op == BUILD_RUN)
		strbuf_addf(out, " cwd=%s user=%s", step->cwd, step->user);
	for (i = 0; i < step->argv.nr; i++)
		strbuf_addf(out, " [%s]", step->argv.v[i]);
	if (step->script)
		strbuf_addf(out, " script %s=%s", step->script_name,
			    step->script);
	for (i = 0; i < step->env.nr; i++)
		strbuf_addf(out, " env:%s", step->env.v[i]);
	for (i = 0; i < step->proxy.nr; i++)
		strbuf_addf(out, " proxy:%s", step->proxy.v[i]);
	for (i = 0; i < step->n_mounts; i++)
		strbuf_addf(out, " mount:%s:%s:%s:%s:%zu:%s",
			    dockerfile_mount_type_name(step->mounts[i].m.type),
			    step->mounts[i].target ? step->mounts[i].target
						   : "",
			    step->mounts[i].id ? step->mounts[i].id : "",
			    step->mounts[i].env ? step->mounts[i].env : "",
			    step->mounts[i].from.stage + 1,
			    step->mounts[i].from.name ? step->mounts[i].from.name
						      : "");
	if (step->network)
		strbuf_addf(out, " network=%d", (int)step->network);
	if (step->insecure)
		strbuf_addstr(out, " insecure");
	if (step->hostname)
		strbuf_addf(out, " hostname=%s", step->hostname);
	if (step->op == BUILD_RUN && *step->cache_ns)
		strbuf_addf(out, " ns=%s", step->cache_ns);
	if (step->op == BUILD_COPY)
		strbuf_addf(out, " dest=%s%s", step->dest,
			    step->dest_is_dir ? " dir" : "");
	if (step->from_stage != SIZE_MAX)
		strbuf_addf(out, " from=%zu", step->from_stage);
	else if (step->from)
		strbuf_addf(out, " from=%s", step->from);
	for (i = 0; i < step->n_files; i++)
		strbuf_addf(out, " file %s=%s", step->files[i].name,
			    step->files[i].content);
	if (step->op == BUILD_META && step->created_by &&
	    str_starts(step->created_by, "WORKDIR"))
		strbuf_addstr(out, " meta");
	strbuf_addstr(out, "\n");
}

static int run_stage(struct build_eval *ev, size_t stage,
		     const struct eval_case *c, struct strbuf *out,
		     struct error *err)
{
	cleanup_oci_config struct oci_config image = { 0 };
	struct build_base base;

	build_eval_base(ev, stage, &base);
	strvec_push(&image.env, "PATH=/bin");
	strvec_push(&image.cmd, "old");
	image.has_cmd = true;
	if (c->trigger)
		strvec_push(&image.onbuild, c->trigger);
	if (build_eval_begin(ev, stage,
			     base.kind == BASE_STAGE ?
				     build_eval_config(ev, base.stage) :
			     base.kind == BASE_IMAGE ? &image : NULL, err) < 0)
		return -1;
	for (;;) {
		cleanup_build_step struct build_step step = { 0 };
		int r = build_eval_next(ev, stage, &step, err);

		if (r <= 0)
			return r;
		describe(out, stage, &step);
	}
}

static int run_all(const struct eval_case *c, struct strbuf *out,
		   struct error *err)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_build_eval struct build_eval *ev = NULL;
	cleanup_strvec struct strvec args = STRVEC_INIT;
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	const struct build_eval_options o = {
		.build_args = &args, .target = c->target, .platform = &p,
		.build_platform = &p,
	};
	cleanup_json struct json *config = NULL;
	size_t i;

	strvec_split(&args, c->args ? c->args : "", ",");
	if (dockerfile_parse(&df, "D", c->text, strlen(c->text), err) < 0 ||
	    build_eval_new(&ev, &df, &o, err) < 0)
		return -1;
	for (i = 0; i < build_eval_count(ev); i++)
		if (build_eval_needed(ev, i) &&
		    run_stage(ev, i, c, out, err) < 0)
			return -1;
	config = oci_config_to_json(
		build_eval_config(ev, build_eval_target(ev)));
	json_write(out, config, false);
	return 0;
}

static void see(const struct eval_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_error struct error err = ERROR_INIT;

		if (run_all(&cases[i], &out, &err) < 0)
			strbuf_addstr(&out, err.msg);
		cr_expect(strstr(out.buf, cases[i].want),
			  "%s\n gives %s\n not %s", cases[i].text, out.buf,
			  cases[i].want);
	}
}
#define SEE(...) \
	do { \
		static const struct eval_case cases_[] = { __VA_ARGS__ }; \
		see(cases_, ARRAY_SIZE(cases_)); \
	} while (0)
#define GIVES(t, w) { .text = t, .want = w }

/* --- expansion rules that need a scope --- */

/* [E07] */
Test(eval, what_is_expanded)
{
	SEE(GIVES("FROM x\nARG a=1\nCOPY --chown=$a --chmod=70$a s$a /d$a",
		  "COPY --chown=1 --chmod=701 s1 /d1 #"),
	    GIVES("FROM x\nARG a=1\nCMD [\"$a\"]", "CMD [\"$a\"]"),
	    GIVES("FROM x\nARG a=1\nRUN $a", "[$a]"),
	    GIVES("FROM x\nARG a=9\nSTOPSIGNAL $a\nUSER u$a\nVOLUME /v$a",
		  "\"StopSignal\":\"9\",\"User\":\"u9\",\"Volumes\":{\"/v9\""),
	    GIVES("FROM x\nARG a=1\nMAINTAINER $a", "MAINTAINER $a"));
}

/* [E08] */
Test(eval, env_sees_what_was_before)
{
	SEE(GIVES("FROM x\nENV a=0\nENV a=1 b=$a\n", "ENV a=1 b=0"),
	    GIVES("FROM x\nARG a=1 b=$a", "ARG a=1 b=1"));
}

/* [E09] */
Test(eval, expose_splits)
{
	SEE(GIVES("FROM x\nENV p=\"80 53/UDP\"\nEXPOSE $p 9-10",
		  "EXPOSE [53/udp 80/tcp 9/tcp 10/tcp]"));
}

/* [E10] */
Test(eval, copy_heredoc)
{
	SEE(GIVES("FROM x\nENV a=1\nCOPY <<A <<-'B' /d/\n$a \"q\" \\$a\nA\n"
		  "\t$a\nB\n", "file A=1 \"q\" $a\n file B=$a\n"));
}

/* --- arguments --- */

/* [A01] */
Test(eval, globals_reach_from_only)
{
	SEE(GIVES("ARG t=1\nARG u=i$t\nFROM $u\nRUN x$t\nENV y=$t",
		  "ENV y="),
	    GIVES("ARG t=1\nFROM x\nARG t\nENV y=$t", "ENV y=1"),
	    GIVES("FROM $nope", "D:1:1: base name ($nope) should not be "
				"blank"));
}

/* [A02] */
Test(eval, precedence)
{
	SEE({ "ARG a=g\nFROM x\nARG a=d\nRUN y", "a=c", NULL, NULL,
	      "RUN |1 a=c /bin/sh -c y # buildkit" },
	    { "ARG a=g\nFROM x\nARG a=d\nRUN y", NULL, NULL, NULL,
	      "RUN |1 a=d " },
	    { "FROM x\nARG a\nRUN y", "a=", NULL, NULL, " env:a=\n" },
	    GIVES("FROM x\nARG a\nRUN y", "env:PATH=/bin\n"),
	    GIVES("FROM x\nARG a=\nRUN y", "env:PATH=/bin env:a=\n"));
}

/* [A03] */
Test(eval, stages_inherit_arguments)
{
	SEE(GIVES("FROM x AS a\nARG v=1\nFROM a\nENV w=$v", "ENV w=1"),
	    GIVES("FROM x AS a\nARG v=1\nFROM y\nENV w=[$v]", "ENV w=[]"));
}

/* [A04] */
Test(eval, env_wins)
{
	SEE({ "FROM x\nENV a=e\nARG a=d\nRUN y", "a=c", NULL, NULL,
	      "RUN |1 a=e /bin/sh -c y # buildkit cwd=/ user= [/bin/sh] [-c] "
	      "[y] env:PATH=/bin env:a=e\n" });
}

/* [A05] */
Test(eval, several_pairs)
{
	SEE(GIVES("ARG a=\"x y\" b='z'\nFROM i\nARG a b\nENV c=\"$a$b\"",
		  "ENV c=x yz"));
}

/* [A06] */
Test(eval, proxies)
{
	SEE({ "FROM x\nRUN y", "HTTP_PROXY=p", NULL, NULL,
	      "RUN /bin/sh -c y # buildkit cwd=/ user= [/bin/sh] [-c] [y] "
	      "env:PATH=/bin proxy:HTTP_PROXY=p\n" },
	    { "FROM x\nARG HTTP_PROXY\nRUN y", "HTTP_PROXY=p", NULL, NULL,
	      "env:PATH=/bin env:HTTP_PROXY=p\n" },
	    { "FROM x\nENV a=[$no_proxy]", "no_proxy=p", NULL, NULL,
	      "ENV a=[]" });
}

/* [A07] */
Test(eval, platform_arguments)
{
	SEE(GIVES("FROM x\nARG TARGETPLATFORM BUILDARCH TARGETSTAGE\nENV "
		  "a=$TARGETPLATFORM b=$BUILDARCH c=$TARGETSTAGE",
		  "ENV a=linux/amd64 b=amd64 c=default"),
	    GIVES("FROM x\nENV a=[$TARGETARCH]", "ENV a=[]"),
	    { "FROM x\nARG TARGETARCH\nENV a=$TARGETARCH", "TARGETARCH=q",
	      NULL, NULL, "ENV a=q" });
}

/* [A08] */
Test(eval, source_date_epoch)
{
	SEE({ "FROM x", "SOURCE_DATE_EPOCH=x", NULL, NULL,
	      "invalid SOURCE_DATE_EPOCH: x" },
	    { "FROM x\nARG SOURCE_DATE_EPOCH\nENV a=$SOURCE_DATE_EPOCH",
	      "SOURCE_DATE_EPOCH=12", NULL, NULL, "ENV a=12" },
	    { "FROM x\nARG SOURCE_DATE_EPOCH\nENV a=[$SOURCE_DATE_EPOCH]",
	      "SOURCE_DATE_EPOCH=context", NULL, NULL, "ENV a=[]" },
	    { "FROM x AS s\nARG SOURCE_DATE_EPOCH\nENV "
	      "a=[$SOURCE_DATE_EPOCH]", "SOURCE_DATE_EPOCH=s", NULL, NULL,
	      "ENV a=[]" },
	    { "ARG SOURCE_DATE_EPOCH=nonsense\nFROM x", NULL, NULL, NULL,
	      "1:1: invalid SOURCE_DATE_EPOCH: nonsense" });
}

/* A file whose stage s is the epoch, and what that is found to be. */
static void epoch_is(const char *text, const char *url, const char *wrong)
{
	cleanup_strvec struct strvec args = STRVEC_INIT;
	const struct oci_platform p = { .os = (char[]){ "linux" },
					.arch = (char[]){ "amd64" } };
	const struct build_eval_options o = { .build_args = &args,
					      .platform = &p,
					      .build_platform = &p };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_build_eval struct build_eval *ev = NULL;
	cleanup_error struct error err = ERROR_INIT;
	const struct build_remote *source;
	const char *name;
	int rc;

	strvec_push(&args, "SOURCE_DATE_EPOCH=s");
	cr_assert_eq(dockerfile_parse(&df, "D", text, strlen(text), &err), 0,
		     "%s", err.msg);
	cr_assert_eq(build_eval_new(&ev, &df, &o, &err), 0, "%s", err.msg);
	rc = build_eval_epoch_from(ev, &name, &source, &err);
	cr_assert_eq(rc, wrong ? -1 : 0, "%s", text);
	if (wrong)
		cr_expect_str_eq(err.msg, wrong);
	else
		cr_expect_str_eq(source->url, url);
	build_eval_set_time(ev, 7);
	cr_expect_eq(build_eval_epoch(ev), 7);
}

/* [A08] */
Test(eval, source_date_epoch_of_a_stage_with_one_source)
{
	static const char wrong[] = "D:1:1: SOURCE_DATE_EPOCH stage does not "
				    "meet source-only requirements";

	epoch_is("FROM scratch AS s\nADD http://h/f /\nFROM x", "http://h/f",
		 NULL);
	epoch_is("FROM scratch AS S\nARG V=2\nADD --chown=1 "
		 "https://h/r.git#$V /x", "https://h/r.git#2", NULL);
	epoch_is("FROM x AS s\nADD http://h/f /", NULL, wrong);
	epoch_is("FROM scratch AS s", NULL, wrong);
	epoch_is("FROM scratch AS s\nADD f /", NULL, wrong);
	epoch_is("FROM scratch AS s\nADD http://h/f f /d/", NULL, wrong);
	epoch_is("FROM scratch AS s\nADD http://h/f /\nADD http://h/f /", NULL,
		 wrong);
	epoch_is("FROM scratch AS s\nADD http://h/f /\nENV a=b", NULL, wrong);
	epoch_is("FROM scratch AS s\nADD http://h/f <<e /d/\ne\n", NULL,
		 wrong);
}

/* --- stages --- */

/* [S02] */
Test(eval, last_name_so_far_wins)
{
	SEE(GIVES("FROM x AS a\nENV n=1\nFROM y AS a\nENV n=2\nFROM A",
		  "\"n=2\""));
}

/* [S03] */
Test(eval, scratch)
{
	SEE(GIVES("FROM scratch", "{\"Env\":[\"PATH=/usr/local/sbin:/usr/local"
		  "/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],\"WorkingDir\":\"/\"}"
		  ));
}

/* [S04] */
Test(eval, platform)
{
	SEE(GIVES("FROM --platform=$nope x", "D:1:1: empty platform value from "
		  "expression $nope"),
	    GIVES("FROM --platform=a/b/c/d x",
		  "D:1:1: failed to parse platform a/b/c/d"));
}

/* [S06] */
Test(eval, only_needed_stages)
{
	SEE(GIVES("FROM x AS a\nENV s=1\nFROM x AS b\nENV s=${t:?}\nFROM x\n"
		  "COPY --from=a / /", "from=0"),
	    { "FROM x AS a\nFROM x AS b\nENV s=${t:?}", NULL, "a", NULL,
	      "{\"Cmd\":[\"old\"]" });
}

/* [S07] */
Test(eval, cycles_and_order)
{
	SEE(GIVES("FROM x AS a\nCOPY --from=b / /\nFROM x AS b\n"
		  "COPY --from=a / /",
		  "D:1:1: circular dependency detected on stage: a"),
	    GIVES("FROM x AS a\nCOPY --from=a / /",
		  "circular dependency detected on stage: a"),
	    GIVES("FROM x AS a\n"
		  "RUN --mount=target=/b,\\\"source=/p,from=a\\\" c",
		  "mount:bind:/b:::0:\n"),
	    GIVES("FROM x AS a\nRUN --mount=target=/b,\\\"from=a\\\" c",
		  "circular dependency detected on stage: a"),
	    GIVES("FROM x AS a\nCOPY --from=b / /\nFROM x AS b",
		  "D:2:1: cannot copy from stage \"b\", it needs to be defined before "
		  "current stage \"a\""),
	    GIVES("FROM x\nCOPY --from=3 / /",
		  "D:2:1: invalid stage index 3"),
	    GIVES("FROM b AS a\nFROM x AS b", "{\"Cmd\""));
}

/* --- instructions --- */

/* [I01] */
Test(eval, run_forms)
{
	SEE(GIVES("FROM x\nRUN a  b", "[/bin/sh] [-c] [a  b]"),
	    GIVES("FROM x\nRUN [\"a\",\"b\"]", "RUN a b # buildkit cwd=/ user= "
		  "[a] [b]"),
	    GIVES("FROM x\nSHELL [\"/b\",\"-e\"]\nRUN a", "[/b] [-e] [a]"));
}

/* [I02] */
Test(eval, run_heredocs)
{
	SEE(GIVES("FROM x\nRUN <<-E\n\ta $b\n\tE\n", "[-c] [a $b\n]"),
	    GIVES("FROM x\nRUN <<E\n#!/bin/x\ny\nE\n",
		  "[/dev/pipes/E] script E=#!/bin/x\ny\n"),
	    GIVES("FROM x\nRUN cat <<E >f\na\nE\n", "[cat <<E >f\na\nE]"),
	    GIVES("FROM x\nRUN <<A <<-B\na\nA\n\tb\nB\n",
		  "[<<A <<-B\na\nA\n\tb\nB]"));
}

/* [I14] [I15] */
Test(eval, cmd_and_entrypoint)
{
	SEE(GIVES("FROM x\nCMD a", "\"Cmd\":[\"/bin/sh\",\"-c\",\"a\"]"),
	    GIVES("FROM x\nENTRYPOINT [\"e\"]", "{\"Entrypoint\":[\"e\"]"),
	    GIVES("FROM x\nCMD [\"c\"]\nENTRYPOINT [\"e\"]",
		  "\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"]"),
	    GIVES("FROM x AS a\nCMD [\"c\"]\nFROM a\nENTRYPOINT [\"e\"]",
		  "\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"]"),
	    GIVES("FROM x\nCMD [\"a\", \"b c\"]", "CMD [\"a\" \"b c\"]\n"));
}

/* [I16] [I17] */
Test(eval, env_and_label)
{
	SEE(GIVES("FROM x\nENV a=1 b=2\nENV a=3",
		  "\"Env\":[\"PATH=/bin\",\"a=3\",\"b=2\"]"),
	    GIVES("FROM x\nENV a b  \"c\"", "ENV a=b  c"),
	    GIVES("FROM x\nLABEL a=\"b c\" d=e", "LABEL a=b c d=e"));
}

/* [I21] */
Test(eval, workdir)
{
	SEE(GIVES("FROM x\nWORKDIR a/\nWORKDIR b\nRUN c", "cwd=/a/b "),
	    GIVES("FROM x\nWORKDIR /", "WORKDIR / meta"),
	    GIVES("FROM x\nWORKDIR /a\nCOPY b c/", "dest=/a/c/ dir"),
	    GIVES("FROM x\nWORKDIR /a\nCOPY b .", "dest=/a dir"));
}

/* [I24] */
Test(eval, healthcheck)
{
	SEE(GIVES("FROM x\nHEALTHCHECK --interval=90s --retries=3 CMD a b",
		  "HEALTHCHECK &{[\"CMD-SHELL\" \"a b\"] \"1m30s\" \"0s\" "
		  "\"0s\" \"0s\" '\\x03'}"),
	    GIVES("FROM x\nHEALTHCHECK none",
		  "HEALTHCHECK &{[\"NONE\"] \"0s\" \"0s\" \"0s\" \"0s\" "
		  "'\\x00'}"));
}

/* [I26] */
Test(eval, onbuild)
{
	SEE({ "FROM x\nRUN b", NULL, NULL, "RUN a\n",
	      "0:1: RUN /bin/sh -c a # buildkit" },
	    { "FROM x\nRUN b", NULL, NULL, "ENV q=1", "env:q=1\n" },
	    GIVES("FROM x AS a\nONBUILD COPY <<E /f\nz\nE\nFROM a",
		  "1:5: COPY <<E /f # buildkit dest=/f file E=z\n"),
	    GIVES("FROM x\nONBUILD RUN a", "\"OnBuild\":[\"RUN a\"]"),
	    { "FROM y AS s\nFROM x", NULL, NULL, "COPY --from=s / /",
	      "1:2: COPY / / # buildkit dest=/ dir from=0" },
	    { "FROM x", NULL, NULL, "FROM y",
	      "D:1:1: FROM isn't allowed as an ONBUILD trigger" });
}

/* [I28] */
Test(eval, several_sources_need_a_directory)
{
	SEE(GIVES("FROM x\nCOPY a b c", "D:2:1: when using COPY with more than "
		  "one source file, the destination must be a directory and "
		  "end with a /"));
}

/* [I38] */
Test(eval, heredoc_names_are_file_names)
{
	SEE(GIVES("FROM x\nCOPY <<'A B' /\nA B",
		  "D:2:1: the name of a heredoc must be one word"),
	    GIVES("FROM x\nCOPY <<../a /\n../a",
		  "D:2:1: heredoc name '../a' cannot be a file name"));
}

/* [I35] [I36] [I37] [I43] */
Test(eval, switches_of_copy)
{
	SEE(GIVES("FROM x\nCOPY --link --chown=1:2 a b",
		  "COPY --chown=1:2 a b # buildkit"),
	    GIVES("FROM x\nCOPY --link --chown=bob a b",
		  "D:2:1: --link cannot look up the owner 'bob'"),
	    GIVES("FROM x\nCOPY --link --chown=bob --chmod=644 a b",
		  "COPY --chown=bob --chmod=644 a b # buildkit"),
	    GIVES("FROM x\nCOPY --parents a b",
		  "COPY --parents a b # buildkit"),
	    GIVES("FROM x\nCOPY --exclude=c --exclude=!d a b", "COPY a b #"),
	    GIVES("FROM x\nCOPY --exclude=! a b",
		  "D:2:1: --exclude: '!': illegal exclusion pattern: \"!\""),
	    GIVES("FROM x\nCOPY --exclude=a[ a b",
		  "D:2:1: --exclude: 'a[': syntax error in pattern"),
	    GIVES("FROM x\nADD --unpack=false a b", "ADD a b # buildkit"));
}

Test(eval, unsupported_is_named)
{
	SEE(GIVES("FROM x\nRUN --device=a z", "RUN --device is"));
}

/* [I40] [I41] [I42] */
Test(eval, add_says_what_is_wrong_with_remote_sources)
{
	SEE(GIVES("FROM x\nADD --checksum=c a b",
		  "D:2:1: checksum requires an HTTP(S) or Git source"),
	    GIVES("FROM x\nADD --checksum=c http://a/b c",
		  "D:2:1: invalid checksum digest format 'c'"),
	    GIVES("FROM x\nADD --checksum=c http://a/b <<e c/\ne\n",
		  "checksum can't be specified for multiple sources"),
	    GIVES("FROM x\nADD http://a:x/b c",
		  "D:2:1: URL has a malformed port"),
	    GIVES("FROM x\nADD http://h/b https://u:pw@h/r.git?tag=t l c/",
		  "ADD http://h/b https://h/r.git?tag=t l c/ # buildkit"),
	    GIVES("FROM x\nADD github.com/a/b c",
		  "ADD github.com/a/b c # buildkit"));
}

/* [I34] */
Test(eval, from_means_a_stage_before_an_image)
{
	SEE(GIVES("FROM x AS img\nFROM y\nCOPY --from=IMG a b", "from=0"),
	    GIVES("FROM x\nCOPY --from=img a b", "from=img"));
}

/* [I04] [I05] [I06] [I08] [I09] [E07] */
Test(eval, I04_mounts_are_expanded_placed_and_sorted)
{
	SEE(GIVES("FROM x AS a\nFROM x\nARG D=/d T=cache\nWORKDIR /w\n"
		  "RUN --mount=from=A,target=x --mount=type=$T,target=$D/./y/ "
		  "z", "mount:cache:/d/y:/d/y::0: mount:bind:/w/x:::1:\n"),
	    GIVES("FROM x\nRUN --mount=from=img,target=/a --mount=target=/a/b z",
		  "mount:bind:/a:::0:img mount:bind:/a/b:::0:\n"),
	    GIVES("FROM x\nWORKDIR /w\nRUN --mount=type=cache,target=./a/../b z",
		  "mount:cache:/w/b:b::0:\n"),
	    GIVES("FROM x\nRUN --mount=type=cache,target=/a,id=\\'i\\' z",
		  "mount:cache:/a:i::0:\n"),
	    GIVES("FROM x\nRUN --mount=type=secret,id=a/b z",
		  "mount:secret:/run/secrets/b:a/b::0:\n"),
	    GIVES("FROM x\nRUN --mount=type=secret,target=/k/t z",
		  "mount:secret:/k/t:t::0:\n"),
	    GIVES("FROM x\nRUN --mount=type=secret,id=a,env=B z",
		  "mount:secret::a:B:0:\n"),
	    GIVES("FROM x\nRUN --mount=type=secret,id=a,env= z",
		  "mount:secret::a:a:0:\n"),
	    GIVES("FROM x\nRUN --mount=type=secret,id=a,env=B,target=c z",
		  "mount:secret:/c:a:B:0:\n"),
	    GIVES("FROM x\nRUN --mount=type=ssh --mount=type=ssh,id=o z",
		  "mount:ssh:/run/buildkit/ssh_agent.0:default:SSH_AUTH_SOCK:0: "
		  "mount:ssh:/run/buildkit/ssh_agent.1:o::0:\n"),
	    GIVES("FROM x\nRUN --mount=target=. z",
		  "D:2:1: invalid mount target \"/\""),
	    GIVES("FROM x\nARG t=nope\nRUN --mount=type=$t,target=/a z",
		  "D:3:1: unsupported mount type \"nope\""),
	    GIVES("FROM x\nARG t=bind\nRUN --mount=type=$t,target=/a,uid=1 z",
		  "D:3:1: uid not allowed for \"bind\" type mounts"),
	    GIVES("FROM x\nRUN --mount=type=secret,id=a,env=b=c z",
		  "D:2:1: RUN --mount: 'b=c' cannot name a variable"),
	    GIVES("FROM x\nRUN --mount=target=/a,source=${x?no} z",
		  "D:2:1: failed to process \"${x?no}\": x: no"));
}

/* [I11] [I12] [A09] */
Test(eval, I11_networks_and_rights)
{
	SEE(GIVES("FROM x\nRUN --network=none z", "network=1\n"),
	    GIVES("FROM x\nRUN --network=host z", "network=2\n"),
	    GIVES("FROM x\nRUN --network=default --security=sandbox z",
		  "env:PATH=/bin\n"),
	    GIVES("FROM x\nRUN --security=insecure z", "insecure\n"),
	    { "FROM x\nRUN z", "BUILDKIT_SANDBOX_HOSTNAME=h", NULL, NULL,
	      "hostname=h\n" },
	    { "FROM x\nRUN z", "BUILDKIT_SANDBOX_HOSTNAME=h i", NULL, NULL,
	      "D:2:1: BUILDKIT_SANDBOX_HOSTNAME: 'h i' is no host name" },
	    { "FROM x\nRUN z", "BUILDKIT_CACHE_MOUNT_NS=n", NULL, NULL,
	      "ns=n\n" });
}

Test(eval, a_mount_names_its_stage_in_a_csv_record)
{
	static const char *const rows[][2] = {
		{ "from=a", "a" },
		{ "type=bind,From=a,target=/b", "a" },
		{ "target=/b,\"from=a\"", "a" },
		{ "target=/b,\"from=a\"\"q,c\"", "a\"q,c" },
		{ "from=a,from=b", "b" },
		{ "\"source=/p,from=a\",target=/b", NULL },
		{ "target=/b", NULL },
		{ "", NULL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *from = dockerfile_mount_from(rows[i][0]);

		cr_expect(str_eq_null(from, rows[i][1]), "%s: %s", rows[i][0],
			  from ? from : "none");
	}
}

Test(eval, stages_view_shows_what_cannot_run_yet)
{
	static const char text[] = "FROM x AS a\nFROM y\nRUN --mount=from=a,"
				   "target=/b c\nCOPY --link d e/";
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_build_eval struct build_eval *ev = NULL;
	cleanup_json struct json *view = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	const struct build_eval_options o = { .platform = &p,
					      .build_platform = &p };

	cr_assert_eq(dockerfile_parse(&df, "D", text, strlen(text), &err), 0);
	cr_assert_eq(build_eval_new(&ev, &df, &o, &err), 0);
	view = build_stages_json(ev, &err);
	cr_assert_not_null(view, "%s", err.msg);
	json_write(&out, view, false);
	cr_expect_str_eq(
		out.buf,
		"[{\"base\":\"x\",\"config\":{},\"index\":0,\"name\":\"a\","
		"\"platform\":\"linux/amd64\",\"reachable\":true,\"steps\":[]},"
		"{\"base\":\"y\",\"config\":{},\"index\":1,\"name\":null,"
		"\"platform\":\"linux/amd64\",\"reachable\":true,\"steps\":[{"
		"\"destination\":null,\"line\":3,\"operation\":\"RUN\","
		"\"sources\":[],\"text\":\"RUN --mount=from=a,target=/b c\"},{"
		"\"destination\":\"/e/\",\"line\":4,\"operation\":\"COPY\","
		"\"sources\":[\"d\"],\"text\":\"COPY d e/\"}]}]");
}

static void see_bounded(const char *text)
{
	const struct eval_case c = { .text = text };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_lt(run_all(&c, &out, &err), 0);
	cr_expect(strstr(err.msg, "variables expand to more than"));
}

/* What many lines or stages make of one long value is counted together. */
static void see_too_much(const char *first, const char *each)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned i;

	strbuf_addf(&text, "FROM x AS a\nENV a=%0700000u%s", 0u, first);
	for (i = 0; i < 120; i++)
		strbuf_addf(&text, "\n%s%u", each, i);
	see_bounded(text.buf);
}

Test(eval, expansion_is_bounded)
{
	see_too_much("", "ENV b=\"$a\"");
	see_too_much("", "COPY x $a/");
	see_too_much("\nARG b=$a", "RUN ");
}

Test(eval, copies_of_variables_are_bounded)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned i;

	strbuf_addf(&text, "FROM x AS s0\nENV a=%0700000u", 0u);
	for (i = 1; i < 120; i++)
		strbuf_addf(&text, "\nFROM s%u AS s%u", i - 1, i);
	see_bounded(text.buf);
}

/* [I19] */
Test(eval, ports_are_counted)
{
	SEE(GIVES("FROM x\nEXPOSE 10000-20000/udp", "\"20000/udp\":{}"),
	    GIVES("FROM x\nEXPOSE 0-65535", "D:2:1: more than"));
}

Test(eval, unused_arguments_are_told)
{
	static const char text[] = "FROM x\nARG a";
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_build_eval struct build_eval *ev = NULL;
	cleanup_strvec struct strvec args = STRVEC_INIT;
	cleanup_strvec struct strvec unused = STRVEC_INIT;
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	const struct build_eval_options o = { .build_args = &args,
					      .platform = &p,
					      .build_platform = &p };

	strvec_split(&args, "a=1 b=2 http_proxy=p", " ");
	cr_assert_eq(dockerfile_parse(&df, "D", text, strlen(text), NULL), 0);
	cr_assert_eq(build_eval_new(&ev, &df, &o, NULL), 0);
	build_eval_unused(ev, &unused);
	cr_assert_eq(unused.nr, 1);
	cr_expect_str_eq(unused.v[0], "b");
}
