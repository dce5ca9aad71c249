/* test_metadata.c - labels of images and their merge */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/metadata.h"

static struct json *json_of(const char *text)
{
	struct json *j = json_parse("", text, strlen(text), NULL);

	cr_assert(j, "%s", text);
	return j;
}

/* The label's entries are `want`, and `warning` (or nothing) is told. */
static void check_label(const char *label, const char *want,
			const char *warning)
{
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_json struct json *j = devcontainer_label_read(label, &warnings);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write_unsorted(&out, j, false);
	cr_assert_str_eq(out.buf, want);
	cr_assert_eq(warnings.nr, warning ? 1 : 0, "%s", label);
	if (warning)
		cr_assert_str_eq(warnings.v[0], warning);
}

Test(metadata, reads_an_array_or_a_single_entry)
{
	check_label(NULL, "[]", NULL);
	check_label("", "[]", NULL);
	check_label("[]", "[]", NULL);
	check_label("{\"init\":true}", "[{\"init\":true}]", NULL);
	check_label("[{\"id\":\"a\"}, {\"x\":\"${localEnv:Y}\"}]",
		    "[{\"id\":\"a\"},{\"x\":\"${localEnv:Y}\"}]", NULL);
}

Test(metadata, ignores_what_is_broken_and_says_so)
{
	check_label("[{}", "[]",
		    "label devcontainer.metadata is ignored: 1:4: expected "
		    "',' or ']'");
	check_label("[{},]", "[]",
		    "label devcontainer.metadata is ignored: 1:4: trailing "
		    "comma");
	check_label("17", "[]",
		    "label devcontainer.metadata is ignored: it is a number, "
		    "expected an array");
	check_label("[1, {\"init\": true}]", "[{\"init\":true}]",
		    "label devcontainer.metadata:1:2: an entry is a number, "
		    "expected an object; it is ignored");
	check_label("[{}, {\"capAdd\": 7, \"init\": true}]",
		    "[{},{\"init\":true}]",
		    "label devcontainer.metadata:1:17: 'capAdd' is a number, "
		    "expected an array; it is ignored");
	check_label("{\"entrypoint\": [], \"id\": \"x\"}",
		    "[{\"id\":\"x\"}]",
		    "label devcontainer.metadata:1:16: 'entrypoint' is an "
		    "array, expected a string; it is ignored");
}

Test(metadata, has_a_bound)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "[{}");
	for (int i = 0; i < 10000; i++)
		strbuf_addstr(&text, ",{}");
	strbuf_addstr(&text, "]");
	check_label(text.buf, "[]",
		    "label devcontainer.metadata is ignored: it has more than "
		    "10000 values");
}

static void check_add(const char *label, const char *more, const char *want)
{
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_json struct json *j = json_of(more);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	devcontainer_label_add(label, j, &out, &warnings);
	cr_assert_str_eq(out.buf, want);
}

Test(metadata, adds_entries_to_a_label)
{
	check_add(NULL, "[]", "");
	check_add(NULL, "[{\"b\":1,\"a\":2}]", "[ {\"a\":2,\"b\":1} ]");
	check_add("{\"odd\":[1]}", "[{\"a\":2}]", "[ {\"odd\":[1]}, {\"a\":2} ]");
	check_add("[{\"id\":\"f\"},{}]", "[{\"a\":2},{\"b\":2}]",
		  "[ {\"id\":\"f\"}, {}, {\"a\":2}, {\"b\":2} ]");
	check_add("[oops", "[{\"a\":2}]", "[ {\"a\":2} ]");
}

Test(metadata, takes_what_belongs_in_a_label)
{
	cleanup_json struct json *config =
		json_of("{\"image\":\"x\",\"name\":\"n\",\"init\":false,"
			"\"initializeCommand\":\"x\",\"secrets\":{},"
			"\"remoteEnv\":{\"A\":\"${localEnv:B}\"},"
			"\"workspaceFolder\":\"/x\",\"runArgs\":[]}");
	cleanup_json struct json *j = devcontainer_label_entry(config);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, false);
	cr_assert_str_eq(out.buf, "{\"init\":false,\"remoteEnv\":{\"A\":"
				  "\"${localEnv:B}\"}}");
}

/* The value of one property of the merged entries; NULL: none. */
static void check_merge(const char *entries, const char *key,
			const char *want)
{
	cleanup_json struct json *list = json_of(entries);
	cleanup_json struct json *config = json_of("{}");
	cleanup_json struct json *j = devcontainer_merge(config, list);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (!want) {
		cr_assert_null(json_get(j, key), "%s", entries);
		return;
	}
	cr_assert(json_get(j, key), "%s: no %s", entries, key);
	json_write_unsorted(&out, json_get(j, key), false);
	cr_assert_str_eq(out.buf, want);
}

Test(metadata, merges_switches_and_words)
{
	check_merge("[{\"init\":true},{\"init\":false}]", "init", "true");
	check_merge("[{}]", "privileged", "false");
	check_merge("[{\"overrideCommand\":true},{\"overrideCommand\":false},"
		    "{}]", "overrideCommand", "false");
	check_merge("[{}]", "overrideCommand", NULL);
	check_merge("[{\"remoteUser\":\"a\"},{\"remoteUser\":\"\"}]",
		    "remoteUser", "\"a\"");
	check_merge("[{\"waitFor\":\"onCreateCommand\"},{\"waitFor\":"
		    "\"postCreateCommand\"},{}]", "waitFor",
		    "\"postCreateCommand\"");
	check_merge("[{\"updateRemoteUserUID\":true},"
		    "{\"updateRemoteUserUID\":false}]",
		    "updateRemoteUserUID", "false");
}

Test(metadata, merges_lists)
{
	check_merge("[{\"capAdd\":[\"B\",\"A\"]},{\"capAdd\":[\"A\",\"C\"]}]",
		    "capAdd", "[\"B\",\"A\",\"C\"]");
	check_merge("[{\"capAdd\":[]},{}]", "capAdd", NULL);
	check_merge("[{\"forwardPorts\":[1,\"localhost:2\",\"db:3\"]},"
		    "{\"forwardPorts\":[2,\"1\",\"mylocalhost:80\"]}]",
		    "forwardPorts", "[1,2,\"db:3\",\"1\",\"mylocalhost:80\"]");
	check_merge("[{\"mounts\":[\"type=bind,src=/a,dst=/x\",\"target=/y\"]},"
		    "{\"mounts\":[{\"type\":\"volume\",\"source\":\"v\","
		    "\"target\":\"/x\"}]}]", "mounts",
		    "[\"target=/y\",{\"type\":\"volume\",\"source\":\"v\","
		    "\"target\":\"/x\"}]");
	check_merge("[{\"entrypoint\":\"/a\"},{\"entrypoint\":\"\"},"
		    "{\"entrypoint\":\"/b\"}]", "entrypoints",
		    "[\"/a\",\"/b\"]");
	check_merge("[{\"onCreateCommand\":\"\"},{\"onCreateCommand\":[]},"
		    "{\"onCreateCommand\":{}},{\"onCreateCommand\":\"x\"}]",
		    "onCreateCommands", "[[],{},\"x\"]");
	check_merge("[]", "postAttachCommands", "[]");
}

Test(metadata, merges_maps)
{
	check_merge("[{\"remoteEnv\":{\"A\":\"1\",\"B\":\"2\"}},"
		    "{\"remoteEnv\":{\"A\":null}}]", "remoteEnv",
		    "{\"A\":null,\"B\":\"2\"}");
	check_merge("[]", "containerEnv", "{}");
	check_merge("[{\"portsAttributes\":{\"1\":{\"label\":\"a\","
		    "\"protocol\":\"http\"}}},"
		    "{\"portsAttributes\":{\"1\":{\"label\":\"b\"}}}]",
		    "portsAttributes", "{\"1\":{\"label\":\"b\"}}");
	check_merge("[{\"customizations\":{\"v\":{\"a\":1},\"w\":1}},"
		    "{\"customizations\":{\"v\":{\"a\":1}}}]",
		    "customizations", "{\"v\":[{\"a\":1},{\"a\":1}],"
		    "\"w\":[1]}");
}

Test(metadata, merges_what_the_host_needs)
{
	check_merge("[{}]", "hostRequirements", NULL);
	check_merge("[{\"hostRequirements\":{\"cpus\":2,\"memory\":\"4gb\"}},"
		    "{\"hostRequirements\":{\"cpus\":1,\"memory\":\"5000mb\","
		    "\"storage\":\"17\"}}]", "hostRequirements",
		    "{\"cpus\":2,\"memory\":\"5242880000\","
		    "\"storage\":\"17\"}");
	check_merge("[{\"hostRequirements\":{\"gpu\":true}},"
		    "{\"hostRequirements\":{\"gpu\":\"optional\"}}]",
		    "hostRequirements", "{\"cpus\":0,\"gpu\":{}}");
	check_merge("[{\"hostRequirements\":{\"gpu\":false}},"
		    "{\"hostRequirements\":{\"gpu\":\"optional\"}}]",
		    "hostRequirements", "{\"cpus\":0,\"gpu\":\"optional\"}");
	check_merge("[{\"hostRequirements\":{\"gpu\":{\"cores\":2,"
		    "\"memory\":\"1gb\"}}},"
		    "{\"hostRequirements\":{\"gpu\":{\"memory\":\"2gb\"}}}]",
		    "hostRequirements",
		    "{\"cpus\":0,\"gpu\":{\"cores\":2,"
		    "\"memory\":\"2147483648\"}}");
}

Test(metadata, leaves_the_rest_of_the_file)
{
	cleanup_json struct json *entries = json_of("[{\"init\":true}]");
	cleanup_json struct json *config =
		json_of("{\"image\":\"x\",\"onCreateCommand\":\"a\","
			"\"entrypoint\":\"b\",\"shutdownAction\":\"none\","
			"\"runArgs\":[\"-i\"]}");
	cleanup_json struct json *j = devcontainer_merge(config, entries);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, false);
	cr_assert_str_eq(out.buf,
			 "{\"containerEnv\":{},\"image\":\"x\",\"init\":true,"
			 "\"onCreateCommands\":[],\"portsAttributes\":{},"
			 "\"postAttachCommands\":[],\"postCreateCommands\":[],"
			 "\"postStartCommands\":[],\"privileged\":false,"
			 "\"remoteEnv\":{},\"runArgs\":[\"-i\"],"
			 "\"updateContentCommands\":[]}");
}
