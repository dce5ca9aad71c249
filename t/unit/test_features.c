/* test_features.c - Features: names, order of text, options, order, lock */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/feature.h"

static char folder[] = "/w/.devcontainer", top[] = "/w";
static const struct devcontainer_feature_place place = {
	.from = folder,
	.below = folder,
	.top = top,
};

/* --- collation --- */

Test(collate, sorts_as_the_root_collation)
{
	static const char *const sorted[] = {
		"",   "_",   "-",  ",",	 ";",  ":",  "!",  "?",	 ".",  "'",
		"\"", "(",   ")",  "[",	 "]",  "{",  "}",  "@",	 "*",  "/",
		"\\", "&",   "#",  "%",	 "`",  "^",  "+",  "<",	 "=",  ">",
		"|",  "~",   "$",  "0",	 "9",  "a",  "a_b", "a-b", "a.b",
		"ab", "aB",  "B",  "ba", "z1", "z10", "z9", "Z9",
	};

	for (size_t i = 0; i + 1 < ARRAY_SIZE(sorted); i++) {
		cr_expect_lt(devcontainer_collate(sorted[i], sorted[i + 1]), 0,
			     "%s < %s", sorted[i], sorted[i + 1]);
		cr_expect_gt(devcontainer_collate(sorted[i + 1], sorted[i]), 0);
		cr_expect_eq(devcontainer_collate(sorted[i], sorted[i]), 0);
	}
}

Test(collate, looks_at_case_only_when_all_else_is_equal)
{
	cr_expect_lt(devcontainer_collate("aB", "b"), 0);
	cr_expect_lt(devcontainer_collate("Ab", "aC"), 0);
	cr_expect_lt(devcontainer_collate("ab", "aB"), 0);
	cr_expect_lt(devcontainer_collate("aB", "Ab"), 0);
}

/* --- names --- */

static void check_oci(const char *text, const char *registry, const char *path,
		      const char *id, const char *tag)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref r;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_feature_ref_parse(&r, text, &place, &err), 0,
		     "%s: %s", text, err.msg);
	cr_expect_eq(r.source, DEVCONTAINER_FEATURE_OCI);
	cr_expect_str_eq(r.registry, registry);
	cr_expect_str_eq(r.path, path);
	cr_expect_str_eq(r.id, id);
	cr_expect(str_eq_null(r.tag, tag), "%s: tag %s", text, r.tag);
}

Test(feature_ref, reads_names_of_registries)
{
	check_oci("ghcr.io/devcontainers/features/node:1.2", "ghcr.io",
		  "devcontainers/features/node", "node", "1.2");
	check_oci("GHCR.io/A/Node", "ghcr.io", "a/node", "node", "latest");
	check_oci("localhost:5000/ns/x", "localhost:5000", "ns/x", "x",
		  "latest");
	check_oci("ghcr.io/devcontainers-contrib/features/a:2", "ghcr.io",
		  "devcontainers-extra/features/a", "a", "2");
	check_oci("a.b/c/d@sha256:01234567890123456789012345678901234567890123"
		  "45678901234567890123",
		  "a.b", "c/d", "d", NULL);
}

static void check_refused(const char *text, const char *msg, const char *hint)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref r;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_feature_ref_parse(&r, text, &place, &err),
		     -1, "accepted: %s", text);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, msg), "%s: %s", text, err.msg);
	if (hint)
		cr_expect(err.hint && strstr(err.hint, hint), "%s: %s", text,
			  err.hint);
}

Test(feature_ref, refuses_what_is_no_longer_in_use)
{
	check_refused("node", "short form",
		      "ghcr.io/devcontainers/features/node:1");
	check_refused("maven", "short form",
		      "ghcr.io/devcontainers/features/java:1");
	check_refused("mine", "short form", "./mine");
	check_refused("owner/repo/id@v1", "names no registry",
		      "ghcr.io/OWNER/REPOSITORY/ID:1");
}

Test(feature_ref, refuses_what_is_malformed)
{
	check_refused("ghcr.io/a", "no namespace", NULL);
	check_refused("ghcr.io/a//b", "path is malformed", NULL);
	check_refused("ghcr.io/a/b_", "path is malformed", NULL);
	check_refused("ghcr.io/a/b:", "tag is malformed", NULL);
	check_refused("ghcr.io/a/b:x/", "path is malformed", NULL);
	check_refused("ghcr.io/a/b@sha256:12", "digest is not", NULL);
	check_refused(".ghcr.io/a/b", "begins with no dot", NULL);
	check_refused("http://x/devcontainer-feature-a.tgz", "without TLS",
		      "https://");
	check_refused("https://x/feature-a.tgz", "names no Feature",
		      "devcontainer-feature-ID.tgz");
	check_refused("https://x/devcontainer-feature-.tgz",
		      "names no Feature", NULL);
	check_refused("https://x/devcontainer-feature-a%2e.tgz",
		      "names no Feature", NULL);
}

Test(feature_ref, keeps_local_ones_inside)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref r;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_feature_ref_parse(&r, "./Sub/../A", &place,
						    &err), 0);
	cr_expect_str_eq(r.dir, "/w/.devcontainer/A");
	cr_expect_str_eq(r.id, "A");
	check_refused("../a", "is outside of '/w/.devcontainer'", NULL);
	check_refused("./../../etc", "is outside", NULL);
	check_refused("/w/.devcontainer/a", "no absolute path", "./NAME");
}

static void check_place(const char *file, const char *below, const char *root)
{
	cleanup_devcontainer_feature_place
		struct devcontainer_feature_place p = { 0 };

	devcontainer_feature_place_of(&p, file);
	cr_expect_str_eq(p.below, below);
	cr_expect_str_eq(p.top, root);
}

Test(feature_ref, knows_the_folder_of_local_ones)
{
	check_place("/w/.devcontainer/devcontainer.json", "/w/.devcontainer",
		    "/w");
	check_place("/w/.devcontainer/a/devcontainer.json",
		    "/w/.devcontainer", "/w");
	check_place("/w/.devcontainer.json", "/w/.devcontainer", "/w");
	check_place("/w/other/devcontainer.json", "/w/other", "/w/other");
}

Test(feature_ref, takes_tarballs)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref r;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(devcontainer_feature_ref_parse(
			     &r, "https://x/a/devcontainer-feature-Go_1.tgz",
			     &place, &err), 0);
	cr_expect_eq(r.source, DEVCONTAINER_FEATURE_TARBALL);
	cr_expect_str_eq(r.id, "Go_1");
	cr_expect_str_eq(r.url, "https://x/a/devcontainer-feature-Go_1.tgz");
}

/* --- options --- */

static void check_name(const char *option, const char *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	devcontainer_option_name(option, &out);
	cr_expect_str_eq(out.buf, want, "%s: %s", option, out.buf);
}

Test(feature_options, names_variables)
{
	check_name("version", "VERSION");
	check_name("install-tools", "INSTALL_TOOLS");
	check_name("1weird.name", "_WEIRD_NAME");
	check_name("__x", "_X");
	check_name("-x", "_X");
	check_name("a-1_b", "A_1_B");
	check_name("", "");
	check_name("na\xc3\xafve", "NA_VE");
}

static void check_env(const char *metadata, const char *options,
		      const char *want)
{
	struct devcontainer_feature f = DEVCONTAINER_FEATURE_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT, notes = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	f.id = xstrdup("./f");
	f.options = json_parse("o", options, strlen(options), NULL);
	cr_assert_eq(devcontainer_feature_parse(&f.metadata, "m", metadata,
						strlen(metadata), &notes,
						&err), 0, "%s", err.msg);
	strvec_release(&notes);
	devcontainer_feature_env(&f, &env, &notes);
	for (size_t i = 0; i < env.nr; i++)
		strbuf_addf(&all, "%s;", env.v[i]);
	for (size_t i = 0; i < notes.nr; i++)
		strbuf_addf(&all, "%s;", notes.v[i]);
	cr_expect_str_eq(all.buf, want);
	devcontainer_feature_release(&f);
}

#define DECLARED \
	"{\"id\":\"f\",\"version\":\"1\",\"name\":\"F\",\"options\":{" \
	"\"version\":{\"type\":\"string\",\"default\":\"lts\"}," \
	"\"b\":{\"type\":\"boolean\",\"default\":false}," \
	"\"none\":{\"type\":\"string\"}," \
	"\"e\":{\"type\":\"string\",\"enum\":[\"x\",\"y\"],\"default\":\"x\"" \
	"}}}"

Test(feature_options, overlays_defaults)
{
	check_env(DECLARED, "{}", "VERSION=lts;B=false;E=x;");
	check_env(DECLARED, "{\"b\":true,\"none\":\"\"}",
		  "VERSION=lts;B=true;E=x;NONE=;");
	check_env(DECLARED, "{\"own\":7,\"e\":\"z\"}",
		  "VERSION=lts;B=false;E=z;OWN=7;"
		  "Feature './f': it declares no option 'own';"
		  "Feature './f': it declares other values for the option "
		  "'e';");
}

Test(feature_options, takes_a_version_in_short)
{
	check_env(DECLARED, "\"18\"", "VERSION=18;B=false;E=x;");
	check_env(DECLARED, "true", "VERSION=true;B=false;E=x;");
	check_env("{\"id\":\"f\",\"version\":\"1\",\"name\":\"F\"}", "\"18\"",
		  "");
}

/* --- metadata --- */

static void check_metadata(const char *text, const char *want)
{
	cleanup_devcontainer struct devcontainer m = DEVCONTAINER_INIT;
	cleanup_strvec struct strvec notes = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (devcontainer_feature_parse(&m, "m", text, strlen(text), &notes,
				       &err) < 0) {
		cr_expect_eq(err.code, ERR_INPUT);
		strbuf_addf(&all, "! %s", err.msg);
	}
	for (size_t i = 0; i < notes.nr; i++)
		strbuf_addf(&all, "%s;", notes.v[i]);
	cr_expect_str_eq(all.buf, want);
}

Test(feature_meta, names_what_is_wrong_unknown_or_missing)
{
	check_metadata("{\"id\":\"a\",\"version\":\"1\",\"name\":\"A\"}", "");
	check_metadata("{// c\n\"id\":\"a\",\n  \"verion\":\"1\"}",
		       "m:3:3: 'verion' is no property of a Feature;"
		       "m:1:1: the Feature has no 'version';"
		       "m:1:1: the Feature has no 'name';");
	check_metadata("{\"id\":\n 7}",
		       "! m:2:2: 'id' is a number, expected a string");
	check_metadata("{\"options\":{\"a\":\n{\"enum\":[1]}}}",
		       "! m:2:10: '0' is a number, expected a string");
	check_metadata("[]", "! m:1:1: expected an object");
}

Test(feature_meta, makes_the_entry_of_the_label)
{
	static const char text[] =
		"{\"id\":\"a\",\"version\":\"1\",\"name\":\"A\","
		"\"mounts\":[\"x\"],\"init\":true,\"containerEnv\":{\"a\":\"b\""
		"},\"postStartCommand\":\"p\",\"extensions\":[\"e\"]}";
	struct devcontainer_feature f = DEVCONTAINER_FEATURE_INIT;
	cleanup_strvec struct strvec notes = STRVEC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *entry = NULL;

	f.id = xstrdup("Ghcr.io/x/a:1");
	cr_assert_eq(devcontainer_feature_parse(&f.metadata, "m", text,
						sizeof(text) - 1, &notes,
						NULL), 0);
	entry = devcontainer_feature_entry(&f);
	json_write_unsorted(&out, entry, false);
	cr_expect_str_eq(out.buf,
			 "{\"id\":\"Ghcr.io/x/a:1\",\"postStartCommand\":\"p\","
			 "\"init\":true,\"mounts\":[\"x\"],\"customizations\":{"
			 "\"vscode\":{\"extensions\":[\"e\"]}}}");
	devcontainer_feature_release(&f);
}

/* --- order --- */

/* Features of a registry in memory: "registry/path" and metadata. */
struct shelf {
	const char *const (*v)[2];
	size_t nr;
	size_t peeked;
};

static const char *on_shelf(const struct shelf *s,
			    const struct devcontainer_feature *f)
{
	for (size_t i = 0; i < s->nr; i++)
		if (str_eq(s->v[i][0], f->ref.id))
			return s->v[i][1];
	return NULL;
}

static int find(void *arg, struct devcontainer_feature *f, struct error *err)
{
	const char *text = on_shelf(arg, f);
	cleanup_strvec struct strvec notes = STRVEC_INIT;

	if (!text)
		return error_set(err, ERR_REFUSED, "no '%s'", f->ref.id);
	digest_bytes(f->ref.id, strlen(f->ref.id), f->digest);
	return devcontainer_feature_parse(&f->metadata, f->ref.id, text,
					  strlen(text), &notes, err);
}

static void peek(void *arg, struct devcontainer_feature *f)
{
	struct shelf *s = arg;

	s->peeked++;
	if (on_shelf(s, f))
		cr_assert_eq(find(arg, f, NULL), 0);
}

static void check_order(struct shelf *s, const char *wanted,
			const char *override, const char *want)
{
	const struct devcontainer_feature_finder finder = { find, peek, s };
	cleanup_devcontainer_features struct devcontainer_features out = { 0 };
	cleanup_json struct json *w = json_parse("w", wanted, strlen(wanted),
						 NULL);
	cleanup_json struct json *o = override ?
		json_parse("o", override, strlen(override), NULL) : NULL;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (devcontainer_features_order(&out, w, o, &place, &finder, &err) < 0)
		strbuf_addf(&got, "! %s", err.msg);
	for (size_t i = 0; i < out.nr; i++) {
		json_write(&got, out.v[i].options, false);
		strbuf_addf(&got, "%s ", out.v[i].ref.id);
	}
	cr_expect_str_eq(got.buf, want);
}

#define ASK(id) "{\"id\":\"./" id "\",\"options\":{}}"

Test(feature_order, waits_for_dependencies)
{
	static const char *const v[][2] = {
		{ "a", "{\"dependsOn\":{\"./c\":{}}}" },
		{ "b", "{\"installsAfter\":[\"./a\",\"./gone\",\"nothing\"]}" },
		{ "c", "{\"dependsOn\":{\"./d\":{\"x\":true}}}" },
		{ "d", "{}" },
	};
	struct shelf s = { v, ARRAY_SIZE(v), 0 };

	check_order(&s, "[" ASK("b") "," ASK("a") "]", NULL,
		    "{\"x\":true}d {}c {}a {}b ");
	/* Other options make it another Feature. */
	check_order(&s, "[" ASK("d") "," ASK("a") "]", NULL,
		    "{}d {\"x\":true}d {}c {}a ");
	check_order(&s, "[" ASK("d") "," ASK("b") "," ASK("c") "]",
		    "[\"./b\"]", "{}b {}d {\"x\":true}d {}c ");
	cr_expect_eq(s.peeked, 0);
}

Test(feature_order, names_a_circle_and_what_is_missing)
{
	static const char *const v[][2] = {
		{ "a", "{\"dependsOn\":{\"./b\":{}}}" },
		{ "b", "{\"dependsOn\":{\"./a\":{}}}" },
		{ "c", "{\"dependsOn\":{\"./gone\":{}}}" },
		{ "d", "{\"installsAfter\":[\"./d\"]}" },
		{ "e", "{}" },
	};
	struct shelf s = { v, ARRAY_SIZE(v), 0 };

	check_order(&s, "[" ASK("e") "," ASK("a") "]", NULL,
		    "! Features wait for each other in a circle: './a', "
		    "'./b'");
	check_order(&s, "[" ASK("d") "]", NULL,
		    "! Features wait for each other in a circle: './d'");
	check_order(&s, "[{\"id\":\"./c\",\"where\":\"f:3:4\"}]", NULL,
		    "! f:3:4: Feature './c' depends on './gone': no 'gone'");
}

#define OCI(id) "{\"id\":\"a.b/n/" id "\",\"options\":{}}"

Test(feature_order, knows_former_names)
{
	static const char *const v[][2] = {
		{ "new", "{\"id\":\"new\",\"legacyIds\":[\"old\"]}" },
		{ "alone", "{\"id\":\"alone\"}" },
		{ "late", "{\"id\":\"late\",\"installsAfter\":"
			  "[\"a.b/n/old\",\"a.b/other/x\"]}" },
		{ "after", "{\"id\":\"after\",\"installsAfter\":"
			   "[\"a.b/n/new\"]}" },
		{ "zold", "{\"id\":\"zold\"}" },
	};
	struct shelf s = { v, ARRAY_SIZE(v), 0 };

	check_order(&s, "[" OCI("late") "," OCI("new") "]", NULL,
		    "{}new {}late ");
	cr_expect_eq(s.peeked, 0);
	/* Only a look at "new" could tell that none of these is meant. */
	check_order(&s, "[" OCI("zold") "," OCI("after") "]", NULL,
		    "{}after {}zold ");
	cr_expect_eq(s.peeked, 1);
}

Test(feature_order, compares_options_by_their_number_first)
{
	static const char *const v[][2] = { { "a", "{}" } };
	struct shelf s = { v, 1, 0 };

	check_order(&s,
		    "[{\"id\":\"./a\",\"options\":\"v\"},"
		    "{\"id\":\"./a\",\"options\":{\"b\":\"B\"}},"
		    "{\"id\":\"./a\",\"options\":{\"b\":\"a\"}},"
		    "{\"id\":\"./a\",\"options\":true},"
		    "{\"id\":\"./a\",\"options\":{}},"
		    "{\"id\":\"./a\",\"options\":{\"b\":\"B\"}}]",
		    NULL, "truea {}a {\"b\":\"a\"}a {\"b\":\"B\"}a \"v\"a ");
}

/* --- lockfile --- */

Test(lockfile, refuses_what_it_cannot_mean)
{
	static const char *const bad[][2] = {
		{ "[]", "l:1:1: expected an object" },
		{ "{\n\"features\": 1}",
		  "l:2:13: the lockfile has no object 'features'" },
		{ "{\"features\":{\"a\":\n{\"integrity\":\"x\"}}}",
		  "l:2:14: 'integrity' is not sha256:HEX" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_devcontainer_lock struct devcontainer_lock lock =
			DEVCONTAINER_LOCK_INIT;
		cleanup_error struct error err = ERROR_INIT;

		cr_assert_eq(devcontainer_lock_parse(&lock, "l", bad[i][0],
						     strlen(bad[i][0]), &err),
			     -1, "accepted: %s", bad[i][0]);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect_str_eq(err.msg, bad[i][1]);
	}
}

Test(lockfile, lies_beside_the_configuration)
{
	cleanup_free char *plain =
		devcontainer_lock_path("/w/.devcontainer/devcontainer.json");
	cleanup_free char *dotted =
		devcontainer_lock_path("/w/.devcontainer.json");

	cr_expect_str_eq(plain, "/w/.devcontainer/devcontainer-lock.json");
	cr_expect_str_eq(dotted, "/w/.devcontainer-lock.json");
}

static void add(struct devcontainer_features *list, const char *id,
		const char *metadata)
{
	struct devcontainer_feature f = DEVCONTAINER_FEATURE_INIT;
	cleanup_strvec struct strvec notes = STRVEC_INIT;

	f.id = xstrdup(id);
	cr_assert_eq(devcontainer_feature_ref_parse(&f.ref, id, &place, NULL),
		     0);
	cr_assert_eq(devcontainer_feature_parse(&f.metadata, "m", metadata,
						strlen(metadata), &notes,
						NULL), 0);
	digest_bytes("", 0, f.digest);
	GROW(list->v, list->nr, list->alloc);
	list->v[list->nr++] = f;
}

Test(lockfile, is_written_as_others_write_it)
{
#define EMPTY \
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	static const char want[] =
		"{\n  \"features\": {\n"
		"    \"a.b/n/x:1\": {\n"
		"      \"version\": \"1.0\",\n"
		"      \"resolved\": \"a.b/n/x@" EMPTY "\",\n"
		"      \"integrity\": \"" EMPTY "\",\n"
		"      \"dependsOn\": [\n"
		"        \"./l\",\n"
		"        \"a.b/n/y\"\n"
		"      ]\n"
		"    },\n"
		"    \"https://t/devcontainer-feature-t.tgz\": {\n"
		"      \"resolved\": \"https://t/devcontainer-feature-t.tgz\","
		"\n"
		"      \"integrity\": \"" EMPTY "\"\n"
		"    }\n"
		"  }\n"
		"}\n";
	cleanup_devcontainer_features struct devcontainer_features list = {
		0
	};
	cleanup_devcontainer_lock struct devcontainer_lock lock =
		DEVCONTAINER_LOCK_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	add(&list, "https://t/devcontainer-feature-t.tgz", "{}");
	add(&list, "./local", "{\"version\":\"9\"}");
	cr_expect(devcontainer_lock_needed(&list));
	add(&list, "a.b/n/x:1",
	    "{\"version\":\"1.0\",\"dependsOn\":{\"./l\":{},\"a.b/n/y\":{}}}");
	devcontainer_lock_write(&list, &out);
	cr_expect_str_eq(out.buf, want);
	cr_assert_eq(devcontainer_lock_parse(&lock, "l", out.buf, out.len,
					     NULL), 0);
	cr_expect(devcontainer_lock_matches(&lock, &out));
	cr_expect_str_eq(devcontainer_lock_get(&lock, "a.b/n/x:1"), EMPTY);
	cr_expect_null(devcontainer_lock_get(&lock, "a.b/n/x"));
}
