/* test_devrun.c - what configurations ask of whoever runs them */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/run.h"

static void get(struct devcontainer_run *r, const char *text)
{
	cleanup_json struct json *j = json_parse("", text, strlen(text), NULL);

	cr_assert(j, "%s", text);
	devcontainer_run_get(r, j);
}

/* The only note of a configuration, or none. */
static void check_note(const char *text, const char *property, size_t index,
		       const char *want)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;

	get(&r, text);
	cr_assert_eq(r.n_notes, want ? 1 : 0, "%s: %zu notes", text,
		     r.n_notes);
	if (!want)
		return;
	cr_assert_str_eq(r.notes[0].text, want);
	cr_assert_str_eq(r.notes[0].property, property);
	cr_assert_eq(r.notes[0].index, index);
}

Test(devrun, reads_options_in_every_form)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;

	get(&r, "{\"capAdd\":[\"A\"],\"runArgs\":[\"--cap-add\",\"B\","
		"\"--cap-add=C\",\"-e\",\"X=1\",\"-eY=2\",\"-e=Z\","
		"\"--privileged\",\"-u\",\"a\",\"-ub\",\"--net\",\"none\","
		"\"--security-opt\",\"seccomp=unconfined\","
		"\"--security-opt=no-new-privileges\"]}");
	cr_assert_eq(r.n_notes, 0);
	cr_assert_eq(r.cap_add.nr, 3);
	cr_assert_str_eq(r.cap_add.v[2], "C");
	cr_assert_eq(r.env.nr, 3);
	cr_assert_str_eq(r.env.v[1], "Y=2");
	cr_assert_str_eq(r.env.v[2], "Z");
	cr_assert_str_eq(r.user, "b");
	cr_assert(r.privileged && r.no_network && r.no_seccomp &&
		  r.no_new_privs);
}

static void check_memory(const char *text, uint64_t want)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;
	cleanup_free char *config = xstrfmt("{\"runArgs\":[\"-m%s\"]}", text);

	get(&r, config);
	cr_assert_eq(r.memory, want, "%s: %llu", text,
		     (unsigned long long)r.memory);
	cr_assert_eq(r.n_notes, want ? 0 : 1, "%s", text);
}

Test(devrun, reads_amounts_as_docker_does)
{
	check_memory("512", 512);
	check_memory("512b", 512);
	check_memory("1k", 1024);
	check_memory("1.5MB", 3 << 19);
	check_memory("2GiB", UINT64_C(2) << 30);
	check_memory("1kk", 0);
	check_memory("ib", 0);
	check_memory("1ki", 0);
	check_memory("99999999p", 0);
	check_memory("99999999999999999999999999999", 0);
	check_memory("-1", 0);
}

static const struct devcontainer_ulimit *
limit_of(const struct devcontainer_run *r, const char *name)
{
	for (size_t i = 0; i < r->n_ulimits; i++)
		if (str_eq(devcontainer_ulimit_name(r->ulimits[i].resource),
			   name))
			return &r->ulimits[i];
	return NULL;
}

Test(devrun, reads_limits_and_clusters)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;

	get(&r, "{\"runArgs\":[\"--ulimit\",\"nofile=1:2\",\"--ulimit=core=-1\","
		"\"--ulimit=nofile=5\",\"--cpus\",\"1.5\",\"--pids-limit=-1\","
		"\"-itdu\",\"me\",\"-tw/x\",\"-qeA=b\",\"--read-only=false\","
		"\"--cap-drop\",\"ALL\",\"--gpus=all\",\"--stop-timeout=0\","
		"\"--device=/dev/a:rwm\",\"--device=/dev/a:/dev/b\"]}");
	cr_assert_eq(r.n_notes, 0, "%s", r.n_notes ? r.notes[0].text : "");
	cr_assert_eq(r.n_ulimits, 2);
	cr_assert_eq(limit_of(&r, "nofile")->hard, 5);
	cr_assert_eq(limit_of(&r, "core")->soft, UINT64_MAX);
	cr_assert_eq(r.cpu_quota, 150000);
	cr_assert_eq(r.pids, 0);
	cr_assert_eq(r.stop_timeout, 0);
	cr_assert_str_eq(r.user, "me");
	cr_assert_str_eq(r.workdir, "/x");
	cr_assert_str_eq(r.env.v[0], "A=b");
	cr_assert(!r.read_only && r.gpus);
	cr_assert_eq(r.n_mounts, 2);
	cr_assert_str_eq(r.mounts[0].target, "/dev/a");
	cr_assert_str_eq(r.mounts[1].target, "/dev/b");
}

Test(devrun, names_what_it_does_not_act_on)
{
	check_note("{\"runArgs\":[\"--init\",\"--cpu-shares\",\"9\"]}",
		   "runArgs", 1, "the option '--cpu-shares' is not acted on");
	check_note("{\"runArgs\":[\"--rm\",\"-it\",\"-itX\"]}", "runArgs", 2,
		   "the option '-X' is not acted on");
	check_note("{\"runArgs\":[\"--pid=host\"]}", "runArgs", 0,
		   "'--pid=host' is not acted on: an environment ends with all "
		   "its processes, so it sees no others");
	check_note("{\"runArgs\":[\"--device\",\"vendor/x=1\"]}", "runArgs", 0,
		   "'vendor/x=1' is no device of this host");
	check_note("{\"runArgs\":[\"--device=/dev/a:/dev/b:r\"]}", "runArgs", 0,
		   "'r' of the device '/dev/a' is not acted on: its mode on "
		   "this host decides");
	check_note("{\"runArgs\":[\"--dns=a.b\"]}", "runArgs", 0,
		   "'a.b' is no address of a name server");
	check_note("{\"runArgs\":[\"--dns-search=a b\"]}", "runArgs", 0,
		   "'a b' is not a word for resolv.conf");
	check_note("{\"runArgs\":[\"--sysctl=kernel.hostname=a\"]}", "runArgs",
		   0, "'kernel.hostname' is not set: it belongs to the whole "
		   "host");
	check_note("{\"runArgs\":[\"--sysctl=net../x=a\"]}", "runArgs", 0,
		   "'net../x=a' is not NAME=VALUE");
	check_note("{\"runArgs\":[\"-m\",\"4x\"]}", "runArgs", 0,
		   "'4x' is no amount of memory: write bytes, or a number with "
		   "k, m or g");
	check_note("{\"runArgs\":[\"--cpus=many\"]}", "runArgs", 0,
		   "'many' is no number of processors");
	check_note("{\"runArgs\":[\"--ulimit=files=1\"]}", "runArgs", 0,
		   "there is no limit 'files'");
	check_note("{\"runArgs\":[\"--ulimit=nofile=5:4\"]}", "runArgs", 0,
		   "'nofile=5:4' is no limit: write NAME=SOFT or "
		   "NAME=SOFT:HARD");
	check_note("{\"runArgs\":[\"-\"]}", "runArgs", 0,
		   "'-' is no option of docker run");
	check_note("{\"runArgs\":[\"--network=bridge\"]}", "runArgs", 0,
		   "the network 'bridge' is not supported: it is the host's");
	check_note("{\"runArgs\":[\"--hostname\",\"a b\"]}", "runArgs", 0,
		   "'a b' is not a host name");
	check_note("{\"runArgs\":[\"-v\",\"/a:/b:z\"]}", "runArgs", 0,
		   "'z' of volume '/a:/b:z' is not acted on");
	check_note("{\"securityOpt\":[\"label=disable\","
		   "\"seccomp=/x.json\"]}", "securityOpt", 1,
		   "the security option 'seccomp=/x.json' is not acted on");
	check_note("{\"appPort\":\"127.0.0.1:80:81/tcp\"}", "appPort",
		   SIZE_MAX, "port 81 is not published as 80: the network is "
		   "the host's, where it is 81");
	check_note("{\"appPort\":[80,\"80\",\"80:80/udp\"]}", NULL, 0, NULL);
	check_note("{\"mounts\":[{\"target\":\"/a\",\"readonly\":true}]}",
		   "mounts", 0, "'readonly' of a mount is not acted on");
}

static void check_mount(const char *text, enum devcontainer_mount_type type,
			const char *source, const char *target,
			bool read_only)
{
	CLEANUP(devcontainer_mount_release) struct devcontainer_mount m = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_mount_parse(&m, text, &err), 0, "%s: %s",
		     text, err.msg);
	cr_assert_eq(m.type, type);
	cr_assert(str_eq_null(m.source, source), "%s: %s", text, m.source);
	cr_assert_str_eq(m.target, target);
	cr_assert_eq(m.read_only, read_only);
}

static void check_bad_mount(const char *text, const char *want)
{
	struct devcontainer_mount m;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_mount_parse(&m, text, &err), -1);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

Test(devrun, reads_mounts)
{
	check_mount("type=bind,src=/a,dst=/b,ro", DEVCONTAINER_BIND, "/a",
		    "/b", true);
	check_mount("source=v,target=/b,consistency=cached,readonly=false",
		    DEVCONTAINER_VOLUME, "v", "/b", false);
	check_mount("type=bind,\"source=/a,b\",destination=/c",
		    DEVCONTAINER_BIND, "/a,b", "/c", false);
	check_mount("type=volume,target=/b", DEVCONTAINER_VOLUME, NULL, "/b",
		    false);
	check_bad_mount("type=bind,source=a,target=/b",
			"the source of a mount is not an absolute path");
	check_bad_mount("source=../x,target=/b",
			"'../x' is not a name for a volume");
	check_bad_mount("source=a,target=b",
			"the target of a mount is not an absolute path");
	check_bad_mount("type=tmpfs,target=/b,tmpfs-size=1/../",
			"'size=1/../' is not supported for a tmpfs");
	check_bad_mount("type=bind,source=/a,target=/b,bind-propagation=x",
			"'bind-propagation=x' of a mount is not supported");
}
