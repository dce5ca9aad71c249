/* test_record.c - the document that commands hand to each other */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "record/record.h"

static void read_record(struct record *r, const char *text)
{
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(record_parse(r, "r", text, strlen(text), &err), 0,
		     "%s: %s", text, err.msg);
}

static void check_bad(const char *text, const char *want)
{
	struct record r = RECORD_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(record_parse(&r, "r", text, strlen(text), &err), -1,
		     "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

static void check_bad_plan(const char *plan, const char *want)
{
	cleanup_free char *text =
		xstrfmt("{\"schema\":\"devenv/1\",\n\"plan\":%s}", plan);
	cleanup_record struct record r = RECORD_INIT;
	struct record_plan p = RECORD_PLAN_INIT;
	cleanup_error struct error err = ERROR_INIT;

	read_record(&r, text);
	cr_assert_eq(record_plan_get(&p, &r, &err), -1, "accepted: %s", plan);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

Test(record, passes_unknown_sections_through)
{
	cleanup_record struct record r = RECORD_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	read_record(&r, "{\"zoo\":[1],\"schema\":\"devenv/1\",\"ape\":2}");
	record_write(&r, &out);
	cr_assert_str_eq(out.buf, "{\n  \"ape\": 2,\n"
				  "  \"schema\": \"devenv/1\",\n"
				  "  \"zoo\": [\n    1\n  ]\n}\n");
}

Test(record, refuses_other_documents_with_positions)
{
	check_bad("[]", "r:1:1: a record is an object");
	check_bad("{}", "r:1:1: schema: not \"devenv/1\"");
	check_bad("{\"schema\":\n \"devenv/2\"}",
		  "r:2:2: schema: not \"devenv/1\"");
	check_bad("{\"schema\":\"devenv/1\",\n\"plan\": []}",
		  "r:2:9: plan: expected an object");
	check_bad("{\"schema\":\"devenv/1\",\"pushed\":{}}",
		  "r:1:31: pushed: expected an array");
	check_bad("{\"schema\":\"devenv/1\",}", "r:1:21: trailing comma");
}

Test(record, is_told_from_a_tar_by_its_first_bytes)
{
	char tar[512] = "{name}";

	cr_assert(record_detect(" \n{\"schema\"", 11));
	cr_assert(!record_detect(tar, sizeof(tar)));
	cr_assert(!record_detect("\x1f\x8b", 2));
	cr_assert(!record_detect("", 0));
	cr_assert(!record_detect("\0{", 2));
}

Test(record_plan, comes_back_as_it_was_written)
{
	cleanup_record struct record r = RECORD_INIT;
	cleanup_record_plan struct record_plan p = RECORD_PLAN_INIT;
	cleanup_record_plan struct record_plan q = RECORD_PLAN_INIT;
	cleanup_error struct error err = ERROR_INIT;

	record_new(&r);
	p.kind = RECORD_TEMPLATE;
	p.context = xstrdup("/r/c");
	p.dockerfile = xstrdup("/r/c/Dockerfile");
	p.reference = xstrdup("registry/app");
	strvec_push(&p.args, "A=b=c");
	strvec_push(&p.args, "HOME");
	strvec_push(&p.warnings, "w");
	record_plan_set(&p, &r);
	cr_assert_eq(record_plan_get(&q, &r, &err), 0, "%s", err.msg);
	cr_assert_eq(q.kind, RECORD_TEMPLATE);
	cr_assert_str_eq(q.context, "/r/c");
	cr_assert_str_eq(q.dockerfile, "/r/c/Dockerfile");
	cr_assert_null(q.text);
	cr_assert_null(q.target);
	cr_assert_str_eq(q.reference, "registry/app");
	cr_assert_eq(q.args.nr, 2);
	cr_assert_str_eq(q.args.v[0], "A=b=c");
	cr_assert_str_eq(q.args.v[1], "HOME");
	cr_assert_str_eq(q.warnings.v[0], "w");
	cr_assert_eq(record_plan_check(&q, &err), 0, "%s", err.msg);
	free(q.dockerfile);
	q.dockerfile = NULL;
	cr_assert_eq(record_plan_check(&q, &err), -1);
	cr_assert_str_eq(err.msg, "the plan has no Dockerfile");
}

Test(record_plan, refuses_wrong_types_with_positions)
{
	check_bad_plan("{}", "r:2:8: plan.kind: expected one of devcontainer, "
			     "dockerfile, image, template, fallback");
	check_bad_plan("{\"kind\":\"image\",\"target\":1}",
		       "r:2:33: plan.target: expected a string");
	check_bad_plan("{\"kind\":\"image\",\"args\":{\"A\":1}}",
		       "r:2:31: plan.args: expected strings or null");
	check_bad_plan("{\"kind\":\"image\",\"dockerfile\":{}}",
		       "r:2:37: plan.dockerfile: expected an object with "
		       "\"path\" or \"text\"");
	check_bad_plan("{\"kind\":\"image\",\"warnings\":[1]}",
		       "r:2:35: plan.warnings: expected an array of strings");
}

Test(record, makes_paths_below_a_folder_relative)
{
	cleanup_record struct record r = RECORD_INIT;
	struct record_source s;

	read_record(&r, "{\"schema\":\"devenv/1\",\"source\":{\"path\":"
			"\"/w\"},\"plan\":{\"context\":\"/w/c\",\"dockerfile\""
			":{\"path\":\"/wx/D\"}}}");
	record_relative(&r, "/w");
	record_source_get(&s, &r);
	cr_assert_str_eq(s.path, ".");
	cr_assert_str_eq(json_get_str(record_get(&r, "plan"), "context"),
			 "c");
	cr_assert_str_eq(json_get_str(json_get(record_get(&r, "plan"),
					       "dockerfile"),
				      "path"),
			 "/wx/D");
}
