/* containers.c - the part of containers-policy.json that needs no signature */
/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#define ACCEPT "insecureAcceptAnything"

void policy_containers_release(struct policy_containers *c)
{
	free(c->name);
	json_free(c->json);
	*c = (struct policy_containers){ 0 };
}

int policy_containers_parse(struct policy_containers *c, const char *name,
			    const char *text, size_t n, struct error *err)
{
	cleanup_json struct json *j = json_parse(name, text, n, err);

	if (!j)
		return -1;
	if (json_kind(json_get(j, "default")) != JSON_ARRAY)
		return error_set(err, ERR_INPUT, "%s:1:1: 'default' must be a "
				 "list of requirements", name);
	*c = (struct policy_containers){ .name = xstrdup(name),
					 .json = steal_ptr(&j) };
	return 0;
}

/* "*.example.com" for the host of a name. */
static const struct json *by_wildcard(const struct json *scopes,
				      const char *name)
{
	cleanup_free char *host = xstrndup(name, strcspn(name, "/"));
	const char *dot;

	for (dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
		cleanup_free char *scope = xstrfmt("*%s", dot);
		const struct json *found = json_get(scopes, scope);

		if (found)
			return found;
	}
	return NULL;
}

/* With a digest, a tag says nothing. */
static char *without_tag(const char *name)
{
	const char *slash = strrchr(name, '/'), *sign = strchr(name, '@');
	const char *tag = slash && sign > slash
				  ? memchr(slash, ':', (size_t)(sign - slash))
				  : NULL;

	return tag ? xstrfmt("%.*s%s", (int)(tag - name), name, sign)
		   : xstrdup(name);
}

/* The most specific scope that holds a name: itself, its repository, what
 * that lies below, its host, a domain, all registries, everything. */
static const struct json *find(const struct policy_containers *c,
			       const char *name, char **scope)
{
	const struct json *scopes = json_get(json_get(c->json, "transports"),
					     "docker");
	cleanup_free char *at = without_tag(name);
	const struct json *found;
	char *cut;

	for (;;) {
		char *slash = strrchr(at, '/');

		found = json_get(scopes, at);
		if (found) {
			*scope = steal_ptr(&at);
			return found;
		}
		cut = slash ? strpbrk(slash, "@:") : NULL;
		if (!cut)
			cut = slash;
		if (!cut)
			break;
		*cut = '\0';
	}
	found = by_wildcard(scopes, name);
	if (!found)
		found = json_get(scopes, "");
	*scope = xstrdup(found ? "docker" : "default");
	return found ? found : json_get(c->json, "default");
}

int policy_containers_ask(const struct policy_containers *c,
			  const struct gate_question *q, struct error *err)
{
	cleanup_free char *scope = NULL;
	const struct json *list, *m;

	if (q->kind != GATE_IMAGE)
		return 0;
	list = find(c, q->name, &scope);
	if (json_kind(list) != JSON_ARRAY || !json_len(list))
		return error_set(err, ERR_INPUT, "%s:1:1: the scope '%s' has "
				 "no list of requirements", c->name, scope);
	for (m = json_first(list); m; m = json_next(m)) {
		const char *type = json_get_str(m, "type");

		if (type && str_eq(type, ACCEPT))
			continue;
		if (type && str_eq(type, "reject"))
			error_set(err, ERR_REFUSED, "the policy refuses %s: "
				  "its scope '%s' is rejected", q->name,
				  scope);
		else
			error_set(err, ERR_REFUSED, "the policy refuses %s: "
				  "the requirement '%s' of the scope '%s' "
				  "cannot be checked by this version", q->name,
				  type ? type : "?", scope);
		return error_hint(err, "the policy is %s", c->name);
	}
	return 0;
}
