/* test_devcontainer.c - configurations and image templates */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/devcontainer.h"
#include "template/template.h"

static const char *fake_env(void *arg, const char *name)
{
	(void)arg;
	if (str_eq(name, "FOO"))
		return "bar";
	return str_eq(name, "EMPTY") ? "" : NULL;
}

static const struct devcontainer_scope scope = {
	.folder = "/w/app",
	.mount_root = "/w/app",
	.config_file = "/w/app/.devcontainer.json",
	.env = fake_env,
};

static void read_config(struct devcontainer *dc, const char *text)
{
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_parse(dc, "f", text, strlen(text), &err), 0,
		     "%s: %s", text, err.msg);
}

static struct json *resolved(const char *text)
{
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct json *j;

	read_config(&dc, text);
	j = devcontainer_resolve(&dc, &scope, &err);
	cr_assert(j, "%s: %s", text, err.msg);
	return j;
}

static void check_resolved(const char *text, const char *want)
{
	cleanup_json struct json *j = resolved(text);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, false);
	cr_assert_str_eq(out.buf, want);
}

static void check_bad(const char *text, const char *want)
{
	struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_parse(&dc, "f", text, strlen(text), &err),
		     -1, "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

static void check_id(const char *labels, const char *want)
{
	cleanup_json struct json *j =
		json_parse("", labels, strlen(labels), NULL);
	char id[DEVCONTAINER_ID];

	devcontainer_id(j, id);
	cr_assert_str_eq(id, want);
}

Test(devcontainer, makes_the_id_other_tools_make)
{
	check_id("{\"a\":\"b\"}",
		 "1mqafr5h2iu6dhh3k1m4vtnuhml2uiec4s7bntt1v0f25ao63i1n");
	check_id("{\"c\":\"d\",\"a\":\"b\"}",
		 "1e2sfmkjt1sga649hgk0s5f3u6nlqhlv9al481r91s7gkeo32p3o");
	check_resolved("{\"name\":\"${devcontainerId}\"}",
		       "{\"name\":\"0ub4nao4mj4dduem24ui3kb7bktfueqsd9a89brno"
		       "kuro22uq4fo\"}");
}

Test(devcontainer, replaces_variables_in_values_once)
{
	check_resolved("{\"a\":\"${localEnv:FOO}${env:FOO}\"}",
		       "{\"a\":\"barbar\"}");
	check_resolved("{\"a\":\"${localEnv:NO:x:y}${localEnv:EMPTY:z}\"}",
		       "{\"a\":\"x\"}");
	check_resolved("{\"${localEnv:FOO}\":[\"${containerEnv:A}\",1]}",
		       "{\"${localEnv:FOO}\":[\"${containerEnv:A}\",1]}");
	check_resolved("{\"a\":\"${localEnv:A\xe2\x80\xa8}"
		       "${env:\xe2\x82\xac:\xe2\x82\xac}\"}",
		       "{\"a\":\"${localEnv:A\xe2\x80\xa8}\xe2\x82\xac\"}");
	check_resolved("{\"a\":\"${localEnv:FOO ${nothing} ${no} ${x\"}",
		       "{\"a\":\" ${no} ${x\"}");
	check_resolved("{\"a\":\"${containerWorkspaceFolder}\","
		       "\"workspaceFolder\":\"/x/${localEnv:FOO}\"}",
		       "{\"a\":\"/x/bar\",\"workspaceFolder\":\"/x/bar\"}");
}

Test(devcontainer, refuses_a_variable_without_a_name)
{
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_error struct error err = ERROR_INIT;

	read_config(&dc, "{\n\"x\": [\"x\",\n \"${localEnv}\"]}");
	cr_assert_null(devcontainer_resolve(&dc, &scope, &err));
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, "f:3:2: '${localEnv}' names no environment "
				  "variable");
}

Test(devcontainer, moves_the_legacy_spelling)
{
	check_resolved("{\"extensions\":[\"b\"],\"settings\":{\"x\":1,\"y\":2},"
		       "\"devPort\":1,\"customizations\":{\"vscode\":"
		       "{\"extensions\":[\"a\"],\"settings\":{\"y\":3}}}}",
		       "{\"customizations\":{\"vscode\":{\"devPort\":1,"
		       "\"extensions\":[\"a\",\"b\"],\"settings\":"
		       "{\"x\":1,\"y\":3}}}}");
}

Test(devcontainer, names_the_value_of_a_wrong_type)
{
	check_bad("[1]", "f:1:1: expected an object");
	check_bad("{\n \"image\": 1}",
		  "f:2:11: 'image' is a number, expected a string");
	check_bad("{\"capAdd\": [\"a\",\n2]}",
		  "f:2:1: '1' is a number, expected a string");
	check_bad("{\"build\": {\"args\": {\"A\": true}}}",
		  "f:1:26: 'A' is a boolean, expected a string");
	check_bad("{\"containerEnv\": {\"A\": null}}",
		  "f:1:24: 'A' is null, expected a string");
	check_bad("{\"waitFor\": \"never\"}",
		  "f:1:13: 'never' is not one of initializeCommand|"
		  "onCreateCommand|updateContentCommand|postCreateCommand|"
		  "postStartCommand");
	check_bad("{\"forwardPorts\": [70000]}",
		  "f:1:19: '0' is a number, expected a port number or a "
		  "string");
	check_bad("{\"postCreateCommand\": {\"a\": {\"b\": \"c\"}}}",
		  "f:1:29: 'a' is an object, expected an array");
	check_bad("{\"features\": {\"x\": {\"v\": []}}}",
		  "f:1:26: 'v' is an array, expected a string or a boolean");
	check_bad("{\"hostRequirements\": {\"memory\": \"4 gb\"}}",
		  "f:1:33: 'memory' is a string, expected a size such as "
		  "\"4gb\"");
	check_bad("{\"mounts\": [{\"type\": \"disk\"}]}",
		  "f:1:22: 'disk' is not one of bind|volume|tmpfs");
}

static int get_build(const char *text, struct devcontainer_build *b,
		     struct error *err)
{
	static const struct devcontainer_scope sub = {
		.folder = "/w/app",
		.mount_root = "/w",
		.config_file = "/w/app/.devcontainer/devcontainer.json",
		.env = fake_env,
	};
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_json struct json *config = NULL;

	read_config(&dc, text);
	config = devcontainer_resolve(&dc, &sub, err);
	cr_assert(config);
	return devcontainer_build_get(b, &dc, config, &sub, NULL, err);
}

static void check_paths(const char *text, const char *dockerfile,
			const char *context)
{
	cleanup_devcontainer_build struct devcontainer_build b =
		DEVCONTAINER_BUILD_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(get_build(text, &b, &err), 0, "%s", err.msg);
	cr_assert_str_eq(b.dockerfile, dockerfile);
	cr_assert_str_eq(b.context, context);
}

static void check_bad_build(const char *text, const char *want)
{
	struct devcontainer_build b = DEVCONTAINER_BUILD_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(get_build(text, &b, &err), -1, "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

Test(devcontainer_build, takes_paths_from_the_file)
{
	check_paths("{\"build\":{\"dockerfile\":\"../Dockerfile\"}}",
		    "/w/app/Dockerfile", "/w/app");
	check_paths("{\"build\":{\"dockerfile\":\"D\",\"context\":\"../..\"}}",
		    "/w/app/.devcontainer/D", "/w");
	check_paths("{\"dockerFile\":\"D\",\"context\":\"..\","
		    "\"build\":{\"context\":\"x\"}}",
		    "/w/app/.devcontainer/D", "/w/app");
}

Test(devcontainer_build, stays_inside_the_repository)
{
	check_bad_build("{\"build\":{\"dockerfile\":\"D\",\n"
			"\"context\":\"../../..\"}}",
			"f:2:11: '../../..' is outside of '/w'");
	check_bad_build("{\"dockerFile\":\"/etc/passwd\"}",
			"f:1:15: '/etc/passwd' is outside of '/w'");
	check_bad_build("{\"image\":\"x\\nRUN id\"}",
			"f:1:10: 'x\nRUN id' is not an image name");
	check_bad_build("{}", "f:1:1: neither image, build.dockerfile nor "
			      "dockerComposeFile is given");
}

Test(devcontainer_build, names_what_it_does_not_act_on)
{
	cleanup_devcontainer_build struct devcontainer_build b =
		DEVCONTAINER_BUILD_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(get_build("{\"image\":\"x\",\n\"features\":{\"r.io/b/c\":"
			       "\"1\"},\n\"runServices\":[],\"build\":{\"options\":"
			       "[\"--target=t\",\"--build-arg\",\"A=b\","
			       "\"--no-cache\",\"--pull=true\",\"--label=a=b\","
			       "\"--network\",\"none\",\"--ssh\",\"x\"]}}",
			       &b, &err),
		     0, "%s", err.msg);
	cr_assert_str_eq(b.text, "FROM x\n");
	cr_assert_str_eq(b.target, "t");
	cr_assert_str_eq(b.args.v[0], "A=b");
	cr_assert(json_get_bool(b.options, "no_cache") &&
		  json_get_bool(b.options, "pull"));
	cr_assert_str_eq(json_get_str(b.options, "network"), "none");
	cr_assert_str_eq(json_get_str(json_get(b.options, "labels"), "a"),
			 "b");
	cr_assert_eq(json_len(b.features), 1);
	cr_assert_eq(b.warnings.nr, 2);
	cr_assert_str_eq(b.warnings.v[0], "f:3:131: build option "
					  "'--ssh' is not acted on: whoever "
					  "builds gives it, by --ssh of "
					  "devenv");
	cr_assert_str_eq(b.warnings.v[1], "f:3:1: 'runServices' is not "
					 "acted on");
}

Test(devcontainer, lists_commands_of_a_hook)
{
	cleanup_json struct json *j =
		resolved("{\"onCreateCommand\":{\"a\":\"x y\",\"b\":[\"p\","
			 "\"q\"],\"c\":\" \",\"d\":[]},"
			 "\"postCreateCommand\":\"z\"}");
	cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };
	cleanup_devcontainer_hook struct devcontainer_hook one = { 0 };

	devcontainer_hook_get(&h, json_get(j, "onCreateCommand"));
	cr_assert_eq(h.nr, 2);
	cr_assert_str_eq(h.v[0].name, "a");
	cr_assert(h.v[0].shell);
	cr_assert_str_eq(h.v[0].argv.v[0], "x y");
	cr_assert(!h.v[1].shell);
	cr_assert_eq(h.v[1].argv.nr, 2);
	devcontainer_hook_get(&one, json_get(j, "postCreateCommand"));
	cr_assert_eq(one.nr, 1);
	cr_assert_null(one.v[0].name);
}

Test(devcontainer, chooses_among_several_files)
{
	struct strvec present = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_null(devcontainer_choose(&present, NULL, &err));
	cr_assert(!error_is(&err));
	strvec_push(&present, ".devcontainer/go/devcontainer.json");
	cr_assert_str_eq(devcontainer_choose(&present, NULL, &err),
			 ".devcontainer/go/devcontainer.json");
	strvec_push(&present, ".devcontainer/js/devcontainer.json");
	cr_assert_str_eq(devcontainer_choose(&present, "js", &err),
			 ".devcontainer/js/devcontainer.json");
	cr_assert_null(devcontainer_choose(&present, NULL, &err));
	cr_assert_str_eq(err.msg, "several configurations: go, js");
	error_release(&err);
	strvec_push(&present, ".devcontainer.json");
	cr_assert_str_eq(devcontainer_choose(&present, NULL, &err),
			 ".devcontainer.json");
	strvec_release(&present);
}

static void check_template(const char *text, const char *want)
{
	cleanup_template_image struct template_image t = TEMPLATE_IMAGE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(template_image_parse(&t, "f", text, strlen(text), &err),
		     -1, "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

#define HEAD "name: a\ntype: image\n"

Test(template_image, reads_every_field)
{
	static const char text[] =
		HEAD "  // note\nspec:\n  context: ./sub\n"
		     "  dockerfile: ../Dockerfile\n  image: r/a\n"
		     "  credentials: [x, y]\n";
	cleanup_template_image struct template_image t = TEMPLATE_IMAGE_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(template_image_parse(&t, "f", text, strlen(text), &err),
		     0, "%s", err.msg);
	cr_assert_str_eq(t.name, "a");
	cr_assert_str_eq(t.context, "sub");
	cr_assert_str_eq(t.dockerfile, "../Dockerfile");
	cr_assert_str_eq(t.image, "r/a");
	cr_assert_eq(t.credentials.nr, 2);
	cr_assert_str_eq(t.warnings.v[0],
			 "f:3:3: '//' is not a YAML comment; write '#'");
}

Test(template_image, refuses_with_positions)
{
	check_template("[]", "f:1:1: expected a mapping with name, type and "
			     "spec");
	check_template("name: a\ntype: environment\n",
		       "f:2:7: environment templates are not supported by "
		       "this version");
	check_template("name: a\n", "f:1:1: 'type' is missing");
	check_template(HEAD, "f:1:1: 'spec' is missing");
	check_template("name: a\ntype: image\nspec: {context: ../x}",
		       "f:3:17: '../x' leads out of the repository");
	check_template("name: a\ntype: image\nspec: {dockerfile: /x}",
		       "f:3:20: '/x' leads out of the repository");
	check_template("name: a\ntype: image\nspec: {dockerfil: x}",
		       "f:3:8: unknown key 'dockerfil'");
	check_template("name: 1\ntype: image\nspec: {}",
		       "f:1:7: 'name' must be a string");
	check_template("name: a/b\ntype: image\nspec: {}",
		       "f:1:7: invalid name 'a/b'");
}
