/* test_job.c - functions in processes of their own */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/job.h"

struct heard {
	struct strbuf text;
	size_t n;
};

static void hear(void *arg, const struct log_event *e)
{
	struct heard *h = arg;

	h->n++;
	strbuf_addf(&h->text, "%d:%.*s:%s;", (int)e->kind, (int)e->n, e->text,
		    e->hint ? e->hint : "-");
}

static int finish(struct job *j, struct error *err)
{
	while (j->fd >= 0)
		if (job_wait(&j, 1, -1, err) < 0)
			return -1;
	return job_finish(j, err);
}

static int talk(void *arg, struct strbuf *result, struct error *err UNUSED)
{
	struct log_output *o = log_output_new(NULL);

	log_warn("%s", (const char *)arg);
	log_output_add(o, "one\ntwo\nthr", 11);
	log_output_add(o, "ee", 2);
	log_output_end(o);
	strbuf_add(result, "a\0b", 3);
	return 0;
}

Test(job, says_and_returns_what_its_function_does)
{
	cleanup_error struct error err = ERROR_INIT;
	struct heard h = { .text = STRBUF_INIT };
	cleanup_job struct job j = JOB_INIT;
	char word[] = "careful";

	cr_assert_eq(job_start(&j, talk, word, hear, &h, &err), 0);
	cr_assert_eq(finish(&j, &err), 0);
	cr_expect_str_eq(h.text.buf, "0:careful:-;1:one:-;1:two:-;1:three:-;");
	cr_expect_eq(j.result.len, 3);
	cr_expect_eq(memcmp(j.result.buf, "a\0b", 3), 0);
	strbuf_release(&h.text);
}

static int say_much(void *arg UNUSED, struct strbuf *result UNUSED,
		    struct error *err UNUSED)
{
	struct log_output *o = log_output_new(NULL);
	char line[100];
	int i;

	memset(line, 'x', sizeof(line));
	line[99] = '\n';
	for (i = 0; i < 20000; i++)
		log_output_add(o, line, sizeof(line));
	log_output_end(o);
	return 0;
}

Test(job, loses_no_line_of_many)
{
	cleanup_error struct error err = ERROR_INIT;
	struct heard h = { .text = STRBUF_INIT };
	cleanup_job struct job j = JOB_INIT;

	cr_assert_eq(job_start(&j, say_much, NULL, hear, &h, &err), 0);
	cr_assert_eq(finish(&j, &err), 0);
	cr_expect_eq(h.n, 20000);
	strbuf_release(&h.text);
}

static int fail(void *arg UNUSED, struct strbuf *result UNUSED,
		struct error *err)
{
	errno = ENOENT;
	error_errno_code(err, ERR_NETWORK, "cannot find 'password'");
	return error_hint(err, "look for password");
}

Test(job, gives_its_error_to_the_parent_without_secrets)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_job struct job j = JOB_INIT;

	log_add_secret("password");
	cr_assert_eq(job_start(&j, fail, NULL, NULL, NULL, &err), 0);
	cr_expect_eq(finish(&j, &err), -1);
	cr_expect_eq(err.code, ERR_NETWORK);
	cr_expect_eq(err.sys, ENOENT);
	cr_expect_str_eq(err.msg,
			 "cannot find '********': No such file or directory");
	cr_expect_str_eq(err.hint, "look for ********");
}

static int die(void *arg UNUSED, struct strbuf *result UNUSED,
	       struct error *err UNUSED)
{
	raise(SIGKILL);
	return 0;
}

Test(job, that_is_killed_is_an_error)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_job struct job j = JOB_INIT;

	cr_assert_eq(job_start(&j, die, NULL, NULL, NULL, &err), 0);
	cr_expect_eq(finish(&j, &err), -1);
	cr_expect_eq(err.code, ERR_SYSTEM);
	cr_expect_str_eq(err.msg, "a process of devenv was ended by signal 9");
	cr_expect_str_eq(err.hint, "perhaps memory ran out");
}

static int wait_long(void *arg UNUSED, struct strbuf *result UNUSED,
		     struct error *err UNUSED)
{
	signal(SIGTERM, SIG_DFL);
	sleep(60);
	return 0;
}

Test(job, ends_when_asked, .timeout = 30)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_job struct job j = JOB_INIT;

	cr_assert_eq(job_start(&j, wait_long, NULL, NULL, NULL, &err), 0);
	job_stop(&j);
	cr_expect_eq(finish(&j, &err), -1);
}
