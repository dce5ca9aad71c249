/* health.c - wait until a service says that it can be used */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "dockerfile/dockerfile.h"
#include "env/internal.h"

#define SECOND INT64_C(1000000000)
#define PAUSE_MS 1000 /* between two checks, at most */
#define DAY_MS INT64_C(86400000)
#define SLICE_MS 50 /* between two looks at what a check says */
#define SAID_MAX 8192

struct check {
	struct env *e;
	const struct env_service *s;
	struct strvec argv;
	int64_t interval, timeout, start_period; /* ms */
	int64_t retries;
	struct strbuf said; /* last, by the last one */
};

static void check_release(struct check *c)
{
	strvec_release(&c->argv);
	strbuf_release(&c->said);
}

static const struct json *test_of(const struct env_service *s)
{
	const struct json *test = json_get(s->health, "test");

	return json_len(test) ? test : NULL;
}

bool health_known(const struct env_service *s)
{
	const struct oci_healthcheck *image = &s->options.image->config.health;
	const struct json *test = test_of(s);
	const char *kind = test ? json_str(json_first(test))
			   : image->set && image->test.nr ? image->test.v[0]
							  : "NONE";

	return kind && !str_eq(kind, "NONE") &&
	       !json_get_bool(s->health, "disable");
}

/* What compose says, else the image, else docker, in milliseconds. Nobody
 * waits longer than a day for anything. */
static int read_time(const struct json *health, const char *key,
		     int64_t image, int64_t otherwise, int64_t *out,
		     struct error *err)
{
	const char *text = json_get_str(health, key);
	int64_t ns = image > 0 ? image : otherwise;

	if (text && dockerfile_duration(text, &ns, err) < 0)
		return error_wrap(err, "healthcheck: %s", key);
	if (text && ns && ns < 1000000)
		return error_set(err, ERR_INPUT, "healthcheck: %s: '%s' is "
				 "less than 1ms", key, text);
	*out = MIN((ns ? ns : otherwise) / 1000000, DAY_MS);
	return 0;
}

static int read_check(struct check *c, struct error *err)
{
	const struct oci_healthcheck *image =
		&c->s->options.image->config.health;
	const struct json *health = c->s->health, *test = test_of(c->s);
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i;

	if (test)
		json_get_strings(test, &words);
	else
		strvec_copy(&words, &image->test);
	if (words.nr && str_eq(words.v[0], "CMD-SHELL")) {
		strvec_push(&c->argv, "/bin/sh");
		strvec_push(&c->argv, "-c");
	} else if (words.nr && !str_eq(words.v[0], "CMD")) {
		return error_set(err, ERR_INPUT, "healthcheck: 'test' begins "
				 "with CMD, CMD-SHELL or NONE, not '%s'",
				 words.v[0]);
	}
	for (i = 1; i < words.nr; i++)
		strvec_push(&c->argv, words.v[i]);
	c->retries = image->retries;
	json_get_int(health, "retries", &c->retries);
	c->retries = c->retries > 0 ? MIN(c->retries, DAY_MS) : 3;
	if (!c->argv.nr)
		return error_set(err, ERR_INPUT,
				 "healthcheck: 'test' has no command");
	if (read_time(health, "interval", image->interval, 30 * SECOND,
		      &c->interval, err) < 0 ||
	    read_time(health, "timeout", image->timeout, 30 * SECOND,
		      &c->timeout, err) < 0)
		return -1;
	return read_time(health, "start_period", image->start_period, 0,
			 &c->start_period, err);
}

/* A check may say more than anybody could keep: its end is enough. */
static void hear(struct check *c, int from)
{
	char buf[SAID_MAX];
	size_t most = 16; /* as much as a pipe holds: it may go on for ever */
	ssize_t n;

	while (most-- && (n = read(from, buf, sizeof(buf))) > 0) {
		strbuf_add(&c->said, buf, (size_t)n);
		if (c->said.len > SAID_MAX) {
			size_t more = c->said.len - SAID_MAX;

			memmove(c->said.buf, c->said.buf + more, SAID_MAX);
			strbuf_setlen(&c->said, SAID_MAX);
		}
	}
}

/* 1: it took too long. */
static int collect(struct check *c, struct runtime_child *child, int from,
		   struct error *err)
{
	struct runtime_child *const one[] = { child };
	const int64_t end = clock_ms() + c->timeout;
	int rc;

	do {
		const int64_t left = MAX(end - clock_ms(), (int64_t)1);

		rc = runtime_collect_for(one, 1, MIN(left, (int64_t)SLICE_MS),
					 err);
		hear(c, from);
	} while (rc > 0 && clock_ms() < end);
	return rc;
}

static int run_check(struct check *c, const int out[2], bool *passed,
		     struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };
	struct runtime_child child = RUNTIME_CHILD_INIT;
	int rc;

	if (service_process(c->e, &c->s->options, c->argv.v, &ep, err) < 0)
		return -1;
	ep.p.out = out[1];
	ep.p.err = out[1];
	if (runtime_spawn_in(&c->e->sandbox, &ep.p, NULL, &child, err) < 0)
		return -1;
	rc = collect(c, &child, out[0], err);
	*passed = !rc && !child.status;
	runtime_child_release(&child);
	if (rc > 0)
		strbuf_addf(&c->said, "the check took longer than %lld ms\n",
			    (long long)c->timeout);
	return rc < 0 ? -1 : 0;
}

/* A check that cannot be run is one that fails, as with docker. */
static int ask(struct check *c, bool *passed, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	int out[2], rc = 0;

	*passed = false;
	strbuf_reset(&c->said);
	if (pipe2(out, O_CLOEXEC) < 0 ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot make a pipe");
	if (run_check(c, out, passed, &why) < 0) {
		rc = signals_check(err);
		strbuf_addf(&c->said, "%s\n", why.msg);
	}
	close(out[0]);
	close(out[1]);
	return rc;
}

/* false: the service ended meanwhile. */
static bool rest(const struct check *c)
{
	const int64_t ms = MIN(c->interval, (int64_t)PAUSE_MS);
	struct pollfd p = { c->e->sandbox.pidfd, POLLIN, 0 };

	return poll(&p, 1, (int)MAX(ms, (int64_t)1)) <= 0;
}

static int gone(const struct check *c, struct error *err)
{
	int status = -1;

	service_show_log(c->e);
	if (service_ended(c->e, &status))
		return error_set(err, ERR_STEP, "the service '%s' ended with "
				 "status %d before it was healthy",
				 c->s->service, status);
	return error_set(err, ERR_STEP, "the service '%s' was stopped before "
			 "it was healthy", c->s->service);
}

/*
 * Docker gives up after so many failures in a row, one an interval, of which
 * those of the start do not count. The same time is given here; in it the
 * check is made more often, as somebody waits for its success.
 */
static int wait_for(struct check *c, struct error *err)
{
	const int64_t end = clock_ms() +
			    MIN(c->start_period + c->retries * c->interval,
				DAY_MS);
	bool passed;

	log_info("waiting until the service '%s' is healthy", c->s->service);
	for (;;) {
		if (ask(c, &passed, err) < 0 || signals_check(err) < 0)
			return -1;
		if (passed)
			return 0;
		if (clock_ms() >= end)
			break;
		if (!rest(c))
			return gone(c, err);
	}
	service_show_log(c->e);
	service_show(c->s->service, c->said.buf, c->said.len);
	error_set(err, ERR_STEP, "the service '%s' does not become healthy",
		  c->s->service);
	return error_hint(err, "the last lines are its log and what its "
			  "health check said");
}

int health_check(const struct env_service *s, struct error *err)
{
	CLEANUP(check_release) struct check c = { .s = s,
						  .said = STRBUF_INIT };

	return read_check(&c, err) < 0
		       ? error_wrap(err, "service '%s'", s->service)
		       : 0;
}

int health_wait(struct env *e, const struct env_service *s,
		struct error *err)
{
	CLEANUP(check_release) struct check c = { .e = e,
						  .s = s,
						  .said = STRBUF_INIT };

	if (e->healthy)
		return 0;
	if (read_check(&c, err) < 0)
		return error_wrap(err, "service '%s'", s->service);
	if (wait_for(&c, err) < 0)
		return -1;
	e->healthy = true;
	return 0;
}
