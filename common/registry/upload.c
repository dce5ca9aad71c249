/* upload.c - the bytes of a blob: in one request, or in parts when told so */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/push.h"

#include <ctype.h>

#include "base/log.h"

#define TYPE "Content-Type: application/octet-stream"

static int send_whole(struct push *p, struct error *err)
{
	struct http_transfer *t = &p->call.t;

	if (push_to_place(p, "PUT", true, err) < 0 ||
	    push_open_source(p, err) < 0)
		return -1;
	p->state = PUSH_SEND;
	t->body_fd = p->fd;
	t->body_size = p->source->size;
	strvec_push(&t->headers, TYPE);
	return 1;
}

static int send_part(struct push *p, struct error *err)
{
	struct http_transfer *t = &p->call.t;
	uint64_t n = MIN(p->chunk, p->source->size - p->offset);

	if (push_to_place(p, "PATCH", false, err) < 0)
		return -1;
	p->state = PUSH_CHUNK;
	t->body_fd = p->fd;
	t->body_offset = p->offset;
	t->body_size = n;
	strvec_push(&t->headers, TYPE);
	strvec_pushf(&t->headers, "Content-Range: %llu-%llu",
		     (unsigned long long)p->offset,
		     (unsigned long long)(p->offset + n - 1));
	return 1;
}

static int go_on(struct push *p, struct error *err)
{
	if (p->offset < p->source->size)
		return send_part(p, err);
	p->state = PUSH_CLOSE;
	return push_to_place(p, "PUT", true, err);
}

/* What was sent in parts may have arrived or not. Some registries append what
 * comes a second time, whatever its Content-Range says: so they are asked. */
static int look(struct push *p, struct error *err)
{
	if (push_count_failure(p, err) < 0 ||
	    push_to_place(p, "GET", false, err) < 0)
		return -1;
	p->state = PUSH_LOOK;
	p->call.t.delay_ms = push_pause_ms(p);
	return 1;
}

/* "Range: 0-N" of an answer. "0-0" may mean one byte or none. */
static bool bytes_there(const struct push *p, uint64_t *n)
{
	const char *s = http_header(&p->call.t, "Range", 0), *from;
	char *end;

	if (!s)
		return false;
	from = str_skip(s, "bytes=");
	s = str_skip(from ? from : s, "0-");
	if (!s || !isdigit((unsigned char)*s))
		return false;
	*n = strtoull(s, &end, 10) + 1;
	return !*end && *n > 1 && *n <= p->source->size;
}

static void choose_chunk(struct push *p)
{
	uint64_t wanted = p->call.r->chunk_size;

	p->chunk = wanted ? MAX(wanted, p->least) : UINT64_MAX;
}

int upload_begin(struct push *p, struct error *err)
{
	const char *least = http_header(&p->call.t, "OCI-Chunk-Min-Length", 0);

	p->offset = 0;
	p->recalled = false;
	p->least = least && isdigit((unsigned char)*least)
			   ? strtoull(least, NULL, 10)
			   : 0;
	choose_chunk(p);
	if (p->source->size <= p->chunk)
		return send_whole(p, err);
	return push_open_source(p, err) < 0 ? -1 : go_on(p, err);
}

/* By a process that knows nothing of it but the place. */
int upload_resume(struct push *p, struct error *err)
{
	choose_chunk(p);
	p->state = PUSH_LOOK;
	return push_open_source(p, err) < 0 ? -1 : push_to_place(p, "GET",
								  false, err);
}

static bool is_trouble(int status)
{
	return !status || status == 408 || status == 429 || status >= 500;
}

static bool is_done(int status)
{
	return status == 201 || status == 204 || status == 200;
}

static int refused(struct push *p, struct error *err)
{
	int status = p->call.t.status;

	if (p->recalled) {
		log_info("%s: what it had of %.19s is of no use; sending it "
			 "anew", p->call.host->name, p->source->digest);
		return push_anew(p);
	}
	registry_refused(&p->call, err);
	if (p->state != PUSH_SEND && status != 401 && status != 403)
		error_hint(err, "%s may not take a blob in parts: try without "
				"--chunk-size", p->call.host->name);
	return error_wrap(err, "blob %s", p->source->digest);
}

static int part_sent(struct push *p, struct error *err)
{
	uint64_t sent = p->offset + p->call.t.body_size, there;
	int status = p->call.t.status;

	if (is_trouble(status) || status == 416)
		return look(p, err);
	if (status == 404 && !p->recalled)
		return push_start_over(p, err);
	if (status != 202 && !is_done(status))
		return refused(p, err);
	if (http_header(&p->call.t, "Range", 0) &&
	    (!bytes_there(p, &there) || there != sent))
		return look(p, err);
	p->offset = sent;
	return go_on(p, err);
}

static int looked(struct push *p, struct error *err)
{
	int status = p->call.t.status;

	if (is_trouble(status))
		return look(p, err);
	if (!is_done(status) || !bytes_there(p, &p->offset))
		return p->recalled ? push_anew(p) : push_start_over(p, err);
	log_info("%s: upload of %.19s goes on at %llu", p->call.host->name,
		 p->source->digest, (unsigned long long)p->offset);
	return go_on(p, err);
}

int upload_next(struct push *p, struct error *err)
{
	int status = p->call.t.status;

	if (p->state == PUSH_CHUNK)
		return part_sent(p, err);
	if (p->state == PUSH_LOOK)
		return looked(p, err);
	if (is_done(status))
		return 0;
	/* How much of it came, the registry may know. */
	if (!status && p->state == PUSH_SEND && resume_is_wanted(p)) {
		p->recalled = true;
		return look(p, err);
	}
	if (is_trouble(status) || status == 404 || status == 416)
		return push_start_over(p, err);
	return refused(p, err);
}
