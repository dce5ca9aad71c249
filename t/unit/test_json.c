/* test_json.c - what counts as JSON, JSON with comments and YAML */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "wrap/json.h"
#include "wrap/yaml.h"

static struct json *parse(const char *text, bool comments, struct error *err)
{
	return comments ? jsonc_parse("f", text, strlen(text), err) :
			  json_parse("f", text, strlen(text), err);
}

static void check_good(const char *text, bool comments, const char *want)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j = parse(text, comments, &err);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	cr_assert(j, "%s: %s", text, err.msg);
	json_write(&out, j, false);
	cr_assert_str_eq(out.buf, want);
}

static void check_bad(const char *text, bool comments, const char *want)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j = parse(text, comments, &err);

	cr_assert(!j, "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

Test(jsonc, accepts_comments_commas_and_unusual_blanks)
{
	check_good("/*a*/{//b\r\"x\"/*,*/:[1,/**/],}// end", true,
		   "{\"x\":[1]}");
	check_good("\xef\xbb\xbf{\xc2\xa0\"a\"\f:\v\"x\ty\"}", true,
		   "{\"a\":\"x\\ty\"}");
	check_good("[\"//\",\"/*\",\",]\"]", true, "[\"//\",\"/*\",\",]\"]");
}

Test(jsonc, keeps_to_the_grammar_without_comments)
{
	check_good(" [0, -1.5e+3, true, null, \"\\u00e9\\ud83d\\ude00\\/\"] ",
		   false, "[0,-1500,true,null,\"\xc3\xa9\xf0\x9f\x98\x80/\"]");
	check_bad("[1,]", false, "f:1:3: trailing comma");
	check_bad("[] // x", false, "f:1:4: unexpected text after the value");
	check_bad("\xef\xbb\xbf[]", false,
		  "f:1:1: unexpected byte, expected a value");
	check_bad("[\"a\tb\"]", false,
		  "f:1:4: control character in a string");
}

Test(jsonc, refuses_what_fault_tolerant_readers_swallow)
{
	check_bad("", true, "f:1:1: unexpected end, a value is missing");
	check_bad("{\"a\":1 \"b\":2}", true, "f:1:8: expected ',' or '}'");
	check_bad("[1,,2]", true, "f:1:4: unexpected ',', expected a value");
	check_bad("[,]", true, "f:1:2: unexpected ',', expected a value");
	check_bad("{\n\"a\": [1\n", true, "f:3:1: expected ',' or ']'");
	check_bad("{\"a", true, "f:1:2: string is not closed");
	check_bad("{\"a\":\"b\n\"}", true, "f:1:6: string is not closed");
	check_bad("{} x", true, "f:1:4: unexpected text after the value");
	check_bad("# c\n{}", true, "f:1:1: unexpected '#', expected a value");
	check_bad("{'a':1}", true,
		  "f:1:2: expected a property name in double quotes");
	check_bad("[012]", true, "f:1:2: number with a leading zero");
	check_bad("[1e400]", true, "f:1:2: number is out of range");
	check_bad("[1.]", true, "f:1:2: invalid number");
	check_bad("[-]", true, "f:1:2: invalid number");
	check_bad("/* x", true, "f:1:1: comment is not closed");
	check_bad("[truex]", true, "f:1:6: expected ',' or ']'");
	check_bad("{\"a\":1]", true, "f:1:7: expected ',' or '}'");
}

Test(jsonc, refuses_strings_that_cannot_be_kept)
{
	check_bad("[\"\\ud800\"]", true, "f:1:3: half of a surrogate pair");
	check_bad("[\"\\udc00\"]", true, "f:1:3: half of a surrogate pair");
	check_bad("[\"\\u0000\"]", true, "f:1:3: \\u0000 is not supported");
	check_bad("[\"\\u12\"]", true,
		  "f:1:3: '\\u' needs four hexadecimal digits");
	check_bad("[\"\\u", true,
		  "f:1:3: '\\u' needs four hexadecimal digits");
	check_bad("[\"\\x\"]", true, "f:1:3: invalid escape in a string");
	check_bad("[\"\xff\"]", true, "f:1:3: invalid UTF-8");
	check_bad("[\"\xed\xa0\x80\"]", true, "f:1:3: invalid UTF-8");
	check_bad("[\"\xc0\x80\"]", true, "f:1:3: invalid UTF-8");
}

Test(jsonc, bounds_depth_and_size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf keys = STRBUF_INIT;

	for (int i = 0; i <= JSON_MAX_DEPTH; i++)
		strbuf_addch(&text, '[');
	check_bad(text.buf, true, "f:1:257: too deeply nested");
	strbuf_addch(&keys, '{');
	for (int i = 0; i <= JSON_MAX_KEYS; i++)
		strbuf_addf(&keys, "\n\"%d\":0,", i);
	check_bad(keys.buf, true,
		  "f:20002:1: object has too many properties");
}

Test(jsonc, puts_one_replacement_for_each_broken_part)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "a\xff\xe2\x82z\xed\xa0\x80\xf0\x9f\x98");
	jsonc_repair_utf8(&text);
	cr_assert_str_eq(text.buf, "a\xef\xbf\xbd\xef\xbf\xbdz"
				   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				   "\xef\xbf\xbd");
	strbuf_release(&text);
}

static void check_place(const char *text, const char *path, bool of_key,
			unsigned line, unsigned col)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	unsigned got_line = 0, got_col = 0;

	strvec_split(&keys, path, " ");
	cr_assert(jsonc_locate(text, strlen(text), &keys, of_key, &got_line,
			       &got_col),
		  "%s", path);
	cr_assert_eq(got_line, line, "%s: line %u", path, got_line);
	cr_assert_eq(got_col, col, "%s: column %u", path, got_col);
}

Test(jsonc, locates_values_and_keys)
{
	static const char text[] = "// c\r\n{\"a\": 1, \"b\": [true, {\"}\": "
				   "\"x]\"},\r\n\t-2],\r\"a\": /* c */ 3}";
	cleanup_strvec struct strvec none = STRVEC_INIT;
	unsigned line, col;

	check_place(text, "", false, 2, 1);
	check_place(text, "b", true, 2, 10);
	check_place(text, "b 0", false, 2, 16);
	check_place(text, "b 1 }", false, 2, 28);
	check_place(text, "b 2", false, 3, 2);
	check_place(text, "a", false, 4, 14);
	check_place(text, "a", true, 4, 1);
	strvec_push(&none, "zz");
	cr_assert(!jsonc_locate(text, strlen(text), &none, false, &line,
				&col));
}

static void check_yaml(const char *text, const char *want)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j =
		yaml_parse("f", text, strlen(text), &err);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	cr_assert(j, "%s: %s", text, err.msg);
	json_write(&out, j, false);
	cr_assert_str_eq(out.buf, want);
}

static void check_bad_yaml(const char *text, const char *want)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j =
		yaml_parse("f", text, strlen(text), &err);

	cr_assert(!j, "accepted: %s", text);
	cr_assert_eq(err.code, ERR_INPUT);
	cr_assert_str_eq(err.msg, want);
}

Test(yaml, follows_the_core_schema)
{
	check_yaml("a: [1, 0x1f, 0o17, -2.5, .5, 1e3, 1.2.3, 0b1, '1']",
		   "{\"a\":[1,31,15,-2.5,0.5,1000,\"1.2.3\",\"0b1\",\"1\"]}");
	check_yaml("a: [true, False, yes, ~, null, NULL, nUll, '', x y]",
		   "{\"a\":[true,false,\"yes\",null,null,null,\"nUll\",\"\","
		   "\"x y\"]}");
	check_yaml("a:\nb: |\n  x\n  y\n", "{\"a\":null,\"b\":\"x\\ny\\n\"}");
	check_yaml("1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}");
}

Test(yaml, follows_aliases_and_merges)
{
	check_yaml("a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, k: 3}\n",
		   "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"k\":1,\"l\":2},"
		   "\"c\":{\"k\":3,\"l\":2}}");
	check_yaml("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n",
		   "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"m\":3},"
		   "\"c\":{\"k\":1,\"m\":3}}");
	check_bad_yaml("a: {<<: 1}", "f:1:9: '<<' needs a mapping");
}

Test(yaml, refuses_with_positions)
{
	check_bad_yaml("", "f:1:1: the file is empty");
	check_bad_yaml("a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a'");
	check_bad_yaml("a: 1\n---\nb: 2\n", "f:2:1: a second document");
	check_bad_yaml("a: !!int 3\n",
		       "f:1:4: unsupported tag 'tag:yaml.org,2002:int'");
	check_bad_yaml("a: !!str 3\n",
		       "f:1:4: unsupported tag 'tag:yaml.org,2002:str'");
	check_bad_yaml("? [a]\n: b\n", "f:1:3: a key must be a string");
	check_bad_yaml("a: \"x\\0y\"\n", "f:1:4: NUL character in a string");
	check_bad_yaml("a: &x [*x]\n", "f:1:4: too deeply nested");
}

Test(yaml, bounds_depth_and_aliases)
{
	cleanup_strbuf struct strbuf deep = STRBUF_INIT;
	cleanup_strbuf struct strbuf bomb = STRBUF_INIT;

	for (int i = 0; i <= YAML_MAX_DEPTH; i++)
		strbuf_addch(&deep, '[');
	check_bad_yaml(deep.buf, "f:1:65: too deeply nested");
	strbuf_addstr(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++)
		strbuf_addf(&bomb,
			    "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
			    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	check_bad_yaml(bomb.buf, "f:1:12: aliases repeat too many values");
}
