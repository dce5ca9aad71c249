/* tags.c - what a repository holds, and taking it away */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#define LIST_MAX ((size_t)4 << 20) /* bytes of one page */
#define PAGES_MAX 10000

static int answered(struct registry_call *call, struct error *err)
{
	int status = call->t.status;

	if (status == 200 || status == 202 || status == 204 || status == 404)
		return 0;
	return registry_refused(call, err);
}

static int take_page(const struct registry_call *call, size_t max,
		     struct strvec *tags, struct error *err)
{
	cleanup_json struct json *j = json_parse("tags", call->t.content.buf,
						 call->t.content.len, err);
	const struct json *tag;

	if (!j)
		return error_recode(err, ERR_NETWORK);
	for (tag = json_first(json_get(j, "tags")); tag;
	     tag = json_next(tag)) {
		if (json_kind(tag) != JSON_STRING)
			return error_set(err, ERR_NETWORK,
					 "a list of tags holds something "
					 "else");
		if (tags->nr >= max)
			return error_set(err, ERR_NETWORK,
					 "more than %zu tags", max);
		strvec_push(tags, json_str(tag));
	}
	return 0;
}

/* RFC 8288: `Link: </v2/x/tags/list?n=..&last=..>; rel="next"`. Only the path
 * counts: a list never leads to another host. */
int registry_next_page(const struct registry_call *call, char **path,
		       struct error *err)
{
	const char *link = http_header(&call->t, "Link", 0);
	cleanup_url struct url own = { 0 }, next = { 0 };
	cleanup_free char *target = NULL;

	*path = NULL;
	if (!link || *link != '<' || !strstr(link, "next"))
		return 0;
	target = xstrndup(link + 1, strcspn(link + 1, ">"));
	if (url_parse(&own, call->t.url, err) < 0 ||
	    url_resolve(&next, &own, target, err) < 0)
		return -1;
	if (!url_same_origin(&own, &next))
		return error_set(err, ERR_REFUSED,
				 "%s continues its list elsewhere",
				 call->host->name);
	*path = xstrdup(next.rest);
	return 0;
}

int registry_list_tags(struct registry *r, const struct oci_ref *ref,
		       size_t max, struct strvec *tags, struct error *err)
{
	cleanup_registry_call struct registry_call call;
	cleanup_free char *path = xstrfmt("/v2/%s/tags/list",
					  ref->repository);
	cleanup_error struct error why = ERROR_INIT;
	int pages;

	registry_call_init(&call, r, ref, false);
	call.next = answered;
	call.t.max = LIST_MAX;
	for (pages = 0; path && pages < PAGES_MAX; pages++) {
		registry_call_to(&call, "GET", steal_ptr(&path));
		if (registry_run_one(&call, &why) < 0)
			break;
		if (call.t.status == 404)
			return 0;
		if (take_page(&call, max, tags, &why) < 0)
			break;
		if (registry_next_page(&call, &path, &why) < 0)
			break;
		http_transfer_reset(&call.t);
	}
	if (!why.code && !path)
		return 0;
	if (!why.code)
		error_set(&why, ERR_NETWORK, "its list of tags has no end");
	error_move(err, &why);
	return error_wrap(err, "%s/%s", ref->host, ref->repository);
}

int registry_delete_manifest(struct registry *r, const struct oci_ref *ref,
			     struct error *err)
{
	cleanup_registry_call struct registry_call call;

	registry_call_init(&call, r, ref, true);
	call.next = answered;
	call.may_delete = true;
	registry_call_to(&call, "DELETE",
			 xstrfmt("/v2/%s/manifests/%s", ref->repository,
				 ref->digest ? ref->digest : ref->tag));
	if (registry_run_one(&call, err) < 0) {
		if (call.t.status == 405)
			error_hint(err, "this registry does not delete "
					"manifests: switch it on there");
		return error_wrap(err, "%s/%s", ref->host, ref->repository);
	}
	return call.t.status != 404;
}
