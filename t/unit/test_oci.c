/* test_oci.c - references, platforms, manifests, indexes, configurations */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "oci/oci.h"

#define D1 "sha256:" \
	"1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:" \
	"2222222222222222222222222222222222222222222222222222222222222222"

static void check_ref(const char *text, const char *want)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *got = NULL;

	cr_assert_eq(oci_ref_parse(&ref, text, &err), 0, "%s: %s", text,
		     err.msg);
	got = oci_ref_format(&ref);
	cr_assert_str_eq(got, want);
}

static void check_bad_ref(const char *text, const char *part)
{
	struct oci_ref ref = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(oci_ref_parse(&ref, text, &err), -1, "%s accepted", text);
	cr_assert_eq(err.code, ERR_USAGE);
	cr_assert(strstr(err.msg, part), "%s: '%s'", text, err.msg);
}

Test(oci_ref, normalises_names_of_docker_hub)
{
	check_ref("debian", "docker.io/library/debian:latest");
	check_ref("debian:12", "docker.io/library/debian:12");
	check_ref("user/app", "docker.io/user/app:latest");
	check_ref("index.docker.io/debian", "docker.io/library/debian:latest");
	check_ref("debian@" D1, "docker.io/library/debian@" D1);
}

Test(oci_ref, knows_hosts_in_any_case)
{
	check_ref("Registry.Example/a:T", "registry.example/a:T");
	check_ref("Registry-1.Docker.IO/debian",
		  "docker.io/library/debian:latest");
}

Test(oci_ref, keeps_hosts_ports_tags_and_digests)
{
	check_ref("localhost/a", "localhost/a:latest");
	check_ref("127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t");
	check_ref("[::1]:5000/a", "[::1]:5000/a:latest");
	check_ref("ghcr.io/a__b/c-d.e/f---g:v1@" D2,
		  "ghcr.io/a__b/c-d.e/f---g:v1@" D2);
}

Test(oci_ref, names_the_fault)
{
	char longtag[200];

	check_bad_ref("", "empty");
	check_bad_ref("Debian", "must be lower case");
	check_bad_ref("a//b", "not a repository name");
	check_bad_ref("a/", "not a repository name");
	check_bad_ref("a..b", "not a repository name");
	check_bad_ref("a/-b", "not a repository name");
	check_bad_ref("a/../b", "not a repository name");
	check_bad_ref("example.com/", "names no repository");
	check_bad_ref("debian:", "not a tag");
	check_bad_ref("debian:-x", "not a tag");
	check_bad_ref("debian:a b", "not a tag");
	check_bad_ref("debian@sha256:12", "not a digest");
	check_bad_ref("debian@sha512:12", "sha512");
	check_bad_ref("-x.example/a", "not a host name");
	check_bad_ref("example.com:0/a", "not a host name");
	check_bad_ref("example.com:99999/a", "not a host name");
	check_bad_ref("https://example.com/a", "must not have a scheme");
	memset(longtag, 'a', sizeof(longtag));
	memcpy(longtag, "x:", 2);
	longtag[sizeof(longtag) - 1] = '\0';
	check_bad_ref(longtag, "not a tag");
}

static void check_platform(const char *text, const char *want)
{
	cleanup_oci_platform struct oci_platform p = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *got = NULL;

	cr_assert_eq(oci_platform_parse(&p, text, &err), 0, "%s", err.msg);
	got = oci_platform_format(&p);
	cr_assert_str_eq(got, want);
}

Test(oci_platform, normalises_names)
{
	check_platform("linux/amd64", "linux/amd64");
	check_platform("Linux/x86_64", "linux/amd64");
	check_platform("linux/amd64/v1", "linux/amd64");
	check_platform("linux/amd64/v3", "linux/amd64/v3");
	check_platform("aarch64", "linux/arm64");
	check_platform("linux/arm64/v8", "linux/arm64");
	check_platform("linux/arm", "linux/arm/v7");
	check_platform("armhf", "linux/arm/v7");
	check_platform("armel", "linux/arm/v6");
	check_platform("linux/arm/6", "linux/arm/v6");
}

Test(oci_platform, rejects_what_is_no_platform)
{
	static const char *const bad[] = { "", "/", "linux/", "a/b/c/d",
					   "linux/am d64", "amd46" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct oci_platform p = { 0 };
		cleanup_error struct error err = ERROR_INIT;

		cr_assert_eq(oci_platform_parse(&p, bad[i], &err), -1, "%s",
			     bad[i]);
		cr_assert_eq(err.code, ERR_USAGE);
	}
}

Test(oci_manifest, survives_a_round_trip)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 }, again = { 0 };
	cleanup_strbuf struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	oci_descriptor_set(&m.config, OCI_CONFIG, D1, 12);
	oci_manifest_add_layer(&m, OCI_LAYER_GZIP, D2, 34);
	m.annotations = json_new_object();
	json_set_str(m.annotations, "k", "v");
	oci_manifest_write(&m, &a);
	cr_assert_str_eq(a.buf,
			 "{\"annotations\":{\"k\":\"v\"},"
			 "\"config\":{\"digest\":\"" D1 "\",\"mediaType\":\""
			 OCI_CONFIG "\",\"size\":12},"
			 "\"layers\":[{\"digest\":\"" D2 "\",\"mediaType\":\""
			 OCI_LAYER_GZIP "\",\"size\":34}],"
			 "\"mediaType\":\"" OCI_MANIFEST
			 "\",\"schemaVersion\":2}");
	cr_assert_eq(oci_manifest_parse(&again, a.buf, a.len, &err), 0, "%s",
		     err.msg);
	cr_assert_eq(again.n_layers, 1);
	cr_assert_eq(again.layers[0].size, 34);
	oci_manifest_write(&again, &b);
	cr_assert_str_eq(a.buf, b.buf);
}

static void bad_manifest(const char *text, const char *part)
{
	struct oci_manifest m = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(oci_manifest_parse(&m, text, strlen(text), &err), -1,
		     "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert(strstr(err.msg, part), "'%s' lacks '%s'", err.msg, part);
}

#define CONFIG "\"config\":{\"mediaType\":\"c\",\"digest\":\"" D1 \
	"\",\"size\":1}"

Test(oci_manifest, refuses_dangerous_documents)
{
	bad_manifest("", "manifest");
	bad_manifest("[]", "not an object");
	bad_manifest("{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}",
		     "ambiguous");
	bad_manifest("{\"schemaVersion\":1}", "schema 1");
	bad_manifest("{\"schemaVersion\":2,\"mediaType\":\"x\"}",
		     "not an image manifest");
	bad_manifest("{\"schemaVersion\":2,\"manifests\":[]}", "an index");
	bad_manifest("{\"schemaVersion\":2," CONFIG "}", "'layers'");
	bad_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{"
		     "\"mediaType\":\"l\",\"digest\":\"" D1
		     "\",\"size\":-1}]}", "layer 0 has no valid size");
	bad_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{"
		     "\"mediaType\":\"l\",\"digest\":\"sha256:../../x\","
		     "\"size\":1}]}", "not a digest");
	bad_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{"
		     "\"mediaType\":\"l\",\"digest\":\"" D1 "\",\"size\":1,"
		     "\"urls\":[\"http://x/\"]}]}", "foreign layer");
}

Test(oci_manifest, refuses_too_many_layers)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int i;

	oci_descriptor_set(&m.config, OCI_CONFIG, D1, 1);
	for (i = 0; i <= OCI_LAYERS_MAX; i++)
		oci_manifest_add_layer(&m, OCI_LAYER, D2, 1);
	oci_manifest_write(&m, &text);
	bad_manifest(text.buf, "513 layers");
}

#define ENTRY(digest, platform) \
	"{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":1,\"digest\":\"" digest \
	"\"" platform "}"
#define ARM(v) ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"," \
	"\"variant\":\"" v "\"}"
#define AMD ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}"
#define NOTE ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"

static int choose(const char *entries, const char *platform,
		  struct oci_descriptor *out, struct error *err)
{
	cleanup_oci_platform struct oci_platform p = { 0 };
	cleanup_free char *text =
		xstrfmt("{\"schemaVersion\":2,\"manifests\":[%s]}", entries);

	cr_assert_eq(oci_platform_parse(&p, platform, NULL), 0);
	return oci_index_choose(text, strlen(text), &p, out, err);
}

Test(oci_index, prefers_the_exact_platform_then_the_newest_that_runs)
{
	cleanup_oci_descriptor struct oci_descriptor a = { 0 }, b = { 0 };
	cleanup_oci_descriptor struct oci_descriptor c = { 0 };

	cr_assert_eq(choose(ENTRY(D1, ARM("v6")) "," ENTRY(D2, ARM("v7")),
			    "linux/arm/v7", &a, NULL), 0);
	cr_assert_str_eq(a.digest, D2);
	cr_assert_eq(choose(ENTRY(D1, ARM("v5")) "," ENTRY(D2, ARM("v6")),
			    "linux/arm/v7", &b, NULL), 0);
	cr_assert_str_eq(b.digest, D2);
	cr_assert_eq(choose(ENTRY(D1, NOTE) "," ENTRY(D2, AMD),
			    "linux/amd64", &c, NULL), 0);
	cr_assert_str_eq(c.digest, D2);
}

Test(oci_index, names_the_platforms_it_has)
{
	cleanup_error struct error err = ERROR_INIT, none = ERROR_INIT;
	cleanup_error struct error vague = ERROR_INIT;
	struct oci_descriptor d = { 0 };

	cr_assert_eq(choose(ENTRY(D1, ARM("v7")) "," ENTRY(D2, AMD),
			    "linux/s390x", &d, &err), -1);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert(strstr(err.msg, "linux/s390x"));
	cr_assert(strstr(err.msg, "linux/arm/v7, linux/amd64"));
	/* A newer variant does not run on an older machine. */
	cr_assert_eq(choose(ENTRY(D1, ARM("v7")), "linux/arm/v6", &d, &none),
		     -1);
	/* Of two that name no platform neither is taken. */
	cr_assert_eq(choose(ENTRY(D1, "") "," ENTRY(D2, ""), "linux/amd64",
			    &d, &vague), -1);
}

static const char full[] =
	"{\"architecture\":\"arm64\",\"author\":\"me\","
	"\"config\":{\"ArgsEscaped\":true,\"Cmd\":[],"
	"\"Entrypoint\":[\"/x\",\"y\"],\"Env\":[\"B=1\",\"A=2\"],"
	"\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}},"
	"\"Healthcheck\":{\"Interval\":30000000000,\"Retries\":3,"
	"\"Test\":[\"CMD\",\"true\"]},"
	"\"Labels\":{\"a\":\"b=c\",\"odd=key\":\"v\"},\"OnBuild\":[\"RUN x\"],"
	"\"Shell\":[\"/bin/bash\",\"-c\"],\"StopSignal\":\"SIGINT\","
	"\"User\":\"u:g\",\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\"},"
	"\"created\":\"2020-01-01T00:00:00Z\","
	"\"docker_version\":\"20.10\","
	"\"history\":[{\"created_by\":\"RUN x\"},{\"author\":\"me\","
	"\"comment\":\"c\",\"empty_layer\":true}],"
	"\"os\":\"linux\",\"os.features\":[\"f\"],"
	"\"rootfs\":{\"diff_ids\":[\"" D1 "\"],\"type\":\"layers\"},"
	"\"variant\":\"v8\"}";

Test(oci_config, keeps_every_member_byte_for_byte)
{
	cleanup_oci_config struct oci_config c = { 0 }, copy = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT, out2 = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(oci_config_parse(&c, full, strlen(full), &err), 0, "%s",
		     err.msg);
	cr_assert(c.has_cmd && !c.cmd.nr);
	cr_assert_str_eq(strvec_env_get(&c.labels, "a"), "b=c");
	cr_assert_eq(c.health.interval, 30000000000);
	cr_assert_eq(c.n_history, 2);
	cr_assert(c.history[1].empty_layer);
	oci_config_write(&c, &out);
	cr_assert_str_eq(out.buf, full);
	oci_config_copy(&copy, &c);
	oci_config_write(&copy, &out2);
	cr_assert_str_eq(out2.buf, full);
}

Test(oci_config, completes_a_missing_platform_and_takes_null_as_absent)
{
	static const char text[] = "{\"config\":{\"Cmd\":null,\"Labels\":null},"
				   "\"rootfs\":null,\"history\":null}";
	cleanup_oci_config struct oci_config c = { 0 };

	cr_assert_eq(oci_config_parse(&c, text, strlen(text), NULL), 0);
	cr_assert(!c.has_cmd);
	cr_assert_str_eq(c.platform.os, "linux");
	cr_assert(c.platform.arch);
}

static void bad_config(const char *text, const char *part)
{
	struct oci_config c = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(oci_config_parse(&c, text, strlen(text), &err), -1,
		     "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert(strstr(err.msg, part), "'%s' lacks '%s'", err.msg, part);
}

Test(oci_config, names_the_member_of_a_wrong_kind)
{
	bad_config("7", "not an object");
	bad_config("{\"config\":[]}", "'config'");
	bad_config("{\"config\":{\"Env\":\"x\"}}", "'Env'");
	bad_config("{\"config\":{\"Env\":[1]}}", "'Env'");
	bad_config("{\"config\":{\"Labels\":{\"a\":1}}}", "label");
	bad_config("{\"rootfs\":{\"diff_ids\":[\"x\"]}}", "diff_ids[0]");
	bad_config("{\"rootfs\":{\"type\":\"tar\"}}", "rootfs type");
	bad_config("{\"history\":[3]}", "history");
	bad_config("{\"config\":{\"Healthcheck\":{\"Retries\":-1}}}",
		   "'Retries'");
}

Test(oci_config, scratch_has_a_path_and_the_root_as_directory)
{
	cleanup_oci_config struct oci_config c = { 0 };
	cleanup_oci_platform struct oci_platform p = { 0 };

	oci_platform_host(&p);
	oci_config_scratch(&c, &p);
	cr_assert_str_eq(c.workdir, "/");
	cr_assert(strvec_env_get(&c.env, "PATH"));
	cr_assert_eq(c.env.nr, 1);
}
