/* http_internal.h - what http.c and http_curl.c share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_HTTP_INTERNAL_H
#define WRAP_HTTP_INTERNAL_H

/* The type-checking macros would expand inside member names. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "wrap/http.h"
#include "wrap/lazy.h"

#define HTTP_FUNCTIONS(X) \
	X(curl_global_init) \
	X(curl_easy_init) \
	X(curl_easy_cleanup) \
	X(curl_easy_setopt) \
	X(curl_easy_getinfo) \
	X(curl_easy_strerror) \
	X(curl_slist_append) \
	X(curl_slist_free_all) \
	X(curl_multi_init) \
	X(curl_multi_cleanup) \
	X(curl_multi_setopt) \
	X(curl_multi_add_handle) \
	X(curl_multi_remove_handle) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_info_read)

struct http_lib {
	HTTP_FUNCTIONS(LAZY_POINTER)
};

struct http {
	struct http_lib lib;
	CURLM *multi;
	struct http_flight **flights;
	size_t n, alloc;
	struct strbuf ca_pem; /* added to the system's roots */
	int stall_seconds, tries, tries_seconds;
	struct strvec inner;
	bool ignore_signals;
};

struct http_flight {
	struct http *h;
	struct http_transfer *t;
	CURL *easy;
	struct curl_slist *list;
	char text[CURL_ERROR_SIZE];
	struct url url; /* where it is now; t->url is where it began */
	int tries, redirects;
	int64_t first_ms; /* when it was tried first */
	bool foreign;	/* left the origin: credentials stay behind */
	bool flying;	/* added to the multi handle */
	bool done;
	bool proxied;
	bool begun;	/* the sink takes this attempt's body */
	bool resumed;	/* this attempt asked for a range */
	bool cut;	/* enough of an error's text was read */
	bool blocked;	/* an address was further inside than the limit */
	enum url_reach limit;
	uint64_t received; /* bytes in the sink */
	uint64_t sent;	   /* of the body, in this attempt */
	size_t header_bytes;
	int64_t due_ms;	   /* when to try again */
};

/* Fill and add an easy handle for the next attempt. */
int http_launch(struct http_flight *f, struct error *err) MUST_CHECK;
/* Make sure that the sink is where the answer's body begins. */
int http_begin_body(struct http_flight *f, struct error *err) MUST_CHECK;

#endif
