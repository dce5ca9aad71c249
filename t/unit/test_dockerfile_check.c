/* test_dockerfile_check.c - instructions, row by row of the goal table */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile_fixture.h"

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
