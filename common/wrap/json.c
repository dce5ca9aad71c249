/* json.c - JSON values over cJSON */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/json.h"

#include <cJSON.h>
#include <math.h>

/* `struct json` is never defined: a pointer to one is cJSON's. */
static cJSON *raw(const struct json *j)
{
	return (cJSON *)(uintptr_t)j;
}

static struct json *ours(cJSON *c)
{
	return (struct json *)c;
}

static struct json *made(cJSON *c)
{
	if (!c)
		abort(); /* only when memory is out */
	return ours(c);
}

void json_free(struct json *j)
{
	cJSON_Delete(raw(j));
}

void json_free_ptr(struct json **j)
{
	json_free(*j);
}

static struct json *parse(const char *name, const char *text, size_t n,
			  bool comments, struct error *err)
{
	cleanup_strbuf struct strbuf copy = STRBUF_INIT;
	cJSON *c;

	strbuf_add(&copy, text, n);
	if (jsonc_scan(name, copy.buf, copy.len, comments, err) < 0)
		return NULL;
	c = cJSON_ParseWithLengthOpts(copy.buf, copy.len + 1, NULL, true);
	if (!c)
		error_set(err, ERR_INPUT, "%s:1:1: not JSON", name);
	return ours(c);
}

struct json *json_parse(const char *name, const char *text, size_t n,
			struct error *err)
{
	return parse(name, text, n, false, err);
}

struct json *jsonc_parse(const char *name, const char *text, size_t n,
			 struct error *err)
{
	return parse(name, text, n, true, err);
}

enum json_kind json_kind(const struct json *j)
{
	const cJSON *c = raw(j);

	if (cJSON_IsBool(c))
		return JSON_BOOL;
	if (cJSON_IsNumber(c))
		return JSON_NUMBER;
	if (cJSON_IsString(c))
		return JSON_STRING;
	if (cJSON_IsArray(c))
		return JSON_ARRAY;
	if (cJSON_IsObject(c))
		return JSON_OBJECT;
	return JSON_NULL;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = { "null",   "a boolean",
					     "a number", "a string",
					     "an array", "an object" };

	return names[kind];
}

struct json *json_get(const struct json *object, const char *key)
{
	cJSON *c, *last = NULL;

	if (!cJSON_IsObject(raw(object)))
		return NULL;
	cJSON_ArrayForEach(c, raw(object))
		if (str_eq(c->string, key))
			last = c;
	return ours(last);
}

const char *json_get_str(const struct json *object, const char *key)
{
	return json_str(json_get(object, key));
}

bool json_get_bool(const struct json *object, const char *key)
{
	return json_bool(json_get(object, key));
}

bool json_get_int(const struct json *object, const char *key, int64_t *out)
{
	return json_int(json_get(object, key), out);
}

const char *json_str(const struct json *j)
{
	return cJSON_IsString(raw(j)) ? raw(j)->valuestring : NULL;
}

bool json_bool(const struct json *j)
{
	return cJSON_IsTrue(raw(j));
}

bool json_int(const struct json *j, int64_t *out)
{
	double d;

	if (!cJSON_IsNumber(raw(j)))
		return false;
	d = raw(j)->valuedouble;
	if (d != floor(d) || fabs(d) >= 9007199254740992.0)
		return false;
	*out = (int64_t)d;
	return true;
}

double json_number(const struct json *j)
{
	return cJSON_IsNumber(raw(j)) ? raw(j)->valuedouble : 0;
}

size_t json_len(const struct json *j)
{
	size_t n = 0;
	const struct json *m;

	for (m = json_first(j); m; m = json_next(m))
		n++;
	return n;
}

struct json *json_at(const struct json *array, size_t i)
{
	struct json *m = json_first(array);

	while (m && i--)
		m = json_next(m);
	return m;
}

struct json *json_first(const struct json *container)
{
	cJSON *c = raw(container);

	return cJSON_IsArray(c) || cJSON_IsObject(c) ? ours(c->child) : NULL;
}

struct json *json_next(const struct json *member)
{
	return ours(raw(member)->next);
}

const char *json_key(const struct json *member)
{
	return raw(member)->string;
}

void json_get_strings(const struct json *j, struct strvec *out)
{
	const struct json *m;

	if (json_str(j))
		strvec_push(out, json_str(j));
	for (m = json_first(j); m; m = json_next(m))
		if (json_str(m))
			strvec_push(out, json_str(m));
}

struct json *json_new_object(void)
{
	return made(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
	return made(cJSON_CreateArray());
}

struct json *json_new_str(const char *s)
{
	return made(s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

struct json *json_new_int(int64_t i)
{
	return json_new_number((double)i);
}

struct json *json_new_number(double d)
{
	return made(cJSON_CreateNumber(d));
}

struct json *json_new_bool(bool b)
{
	return made(cJSON_CreateBool(b));
}

struct json *json_new_null(void)
{
	return made(cJSON_CreateNull());
}

struct json *json_dup(const struct json *j)
{
	return j ? made(cJSON_Duplicate(raw(j), true)) : NULL;
}

struct json *json_add(struct json *object, const char *key,
		      struct json *value)
{
	if (!cJSON_AddItemToObject(raw(object), key, raw(value)))
		abort();
	return value;
}

struct json *json_set(struct json *object, const char *key,
		      struct json *value)
{
	struct json *old = json_get(object, key);

	if (old && cJSON_ReplaceItemViaPointer(raw(object), raw(old),
					       raw(value))) {
		/* the replacement has no name yet, or that of a place where
		 * it was taken from */
		cJSON_free(raw(value)->string);
		raw(value)->string = cJSON_malloc(strlen(key) + 1);
		if (!raw(value)->string)
			abort();
		memcpy(raw(value)->string, key, strlen(key) + 1);
		return value;
	}
	return json_add(object, key, value);
}

struct json *json_push(struct json *array, struct json *value)
{
	if (!cJSON_AddItemToArray(raw(array), raw(value)))
		abort();
	return value;
}

void json_set_str(struct json *object, const char *key, const char *s)
{
	json_set(object, key, json_new_str(s));
}

void json_set_int(struct json *object, const char *key, int64_t i)
{
	json_set(object, key, json_new_int(i));
}

void json_set_bool(struct json *object, const char *key, bool b)
{
	json_set(object, key, json_new_bool(b));
}

void json_set_strvec(struct json *object, const char *key,
		     const struct strvec *sv)
{
	struct json *array = json_set(object, key, json_new_array());
	size_t i;

	for (i = 0; i < sv->nr; i++)
		json_push(array, json_new_str(sv->v[i]));
}

void json_assign_str(struct json *j, const char *s)
{
	cJSON *c = raw(j), *fresh = raw(json_new_str(s)), old = *c;

	/* Exchange the contents, keep the place in the tree. */
	c->type = fresh->type;
	c->valuestring = fresh->valuestring;
	c->child = NULL;
	fresh->type = old.type & 0xff;
	fresh->valuestring = old.valuestring;
	fresh->child = old.child;
	cJSON_Delete(fresh);
}

struct json *json_take(struct json *object, const char *key)
{
	struct json *j = json_get(object, key);

	if (j)
		cJSON_DetachItemViaPointer(raw(object), raw(j));
	return j;
}

void json_remove(struct json *object, const char *key)
{
	struct json *j;

	while ((j = json_take(object, key)))
		json_free(j);
}

static bool members_equal(const struct json *a, const struct json *b)
{
	const struct json *m = json_first(a), *o = json_first(b);

	if (json_len(a) != json_len(b))
		return false;
	for (; m; m = json_next(m)) {
		if (json_key(m))
			o = json_get(b, json_key(m));
		if (!o || !json_equal(m, o))
			return false;
		o = json_next(o);
	}
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	enum json_kind kind = json_kind(a);

	if (kind != json_kind(b))
		return false;
	switch (kind) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return json_bool(a) == json_bool(b);
	case JSON_NUMBER:
		return !(json_number(a) < json_number(b)) &&
		       !(json_number(a) > json_number(b));
	case JSON_STRING:
		return str_eq(json_str(a), json_str(b));
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return members_equal(a, b);
}
