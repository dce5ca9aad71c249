/* parse.c - lines, continuations, comments and heredoc bodies */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

struct reader {
	struct dockerfile *df;
	struct dockerfile_directives directives;
	const char *p, *end;	/* unread text */
	unsigned line;		/* number of the line read last */
	const char *raw;	/* that line, line end included */
	const char *text, *eol; /* without line end */
	struct strbuf comment;	/* of the comment lines just above */
	size_t alloc;
	size_t heredoc_bytes;
};

static bool next_line(struct reader *r)
{
	const char *nl;

	if (r->p == r->end)
		return false;
	nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
	r->raw = r->text = r->p;
	r->p = nl ? nl + 1 : r->end;
	r->eol = r->p;
	while (r->eol > r->text && (r->eol[-1] == '\n' || r->eol[-1] == '\r'))
		r->eol--;
	r->line++;
	return true;
}

static bool is_comment(const struct reader *r)
{
	const char *p = dockerfile_ltrim(r->text, r->eol);

	return p < r->eol && *p == '#';
}

/* Cut a continuation mark: an escape at the end, blanks after it allowed,
 * that no other escape stands before. */
static bool cut_continuation(const struct reader *r, const char *p,
			     const char **end)
{
	const char *e = *end;
	char escape = r->df->escape;

	while (e > p && (e[-1] == ' ' || e[-1] == '\t'))
		e--;
	if (e == p || e[-1] != escape)
		return false;
	if (e - p > 1 && e[-2] == escape)
		return false;
	*end = e - 1;
	return true;
}

/* The lines that continue the one just read, appended; true: some of them
 * were empty. */
static bool join_lines(struct reader *r, struct strbuf *line)
{
	bool more = true, empty = false;

	while (more && next_line(r)) {
		const char *end = r->eol;

		if (is_comment(r))
			continue;
		if (dockerfile_ltrim(r->text, r->eol) == r->eol) {
			empty = true;
			continue;
		}
		more = cut_continuation(r, r->text, &end);
		strbuf_add(line, r->text, (size_t)(end - r->text));
	}
	return empty;
}

/* The body up to the terminator; false: the file ended first. */
static bool read_body(struct reader *r, struct dockerfile_heredoc *h)
{
	struct strbuf body = STRBUF_INIT;
	size_t n = strlen(h->name);
	bool ended = false;

	while (!ended && next_line(r)) {
		const char *p = r->text;

		while (h->chomp && p < r->eol && *p == '\t')
			p++;
		ended = (size_t)(r->eol - p) == n && !memcmp(p, h->name, n);
		if (!ended)
			strbuf_add(&body, r->raw, (size_t)(r->p - r->raw));
	}
	r->heredoc_bytes += body.len;
	h->content = strbuf_detach(&body);
	return ended;
}

static int read_heredocs(struct reader *r, struct dockerfile_node *node,
			 struct error *err)
{
	struct dockerfile_node *n = node->onbuild ? node->onbuild : node;
	size_t i;

	if ((n->kind != DF_RUN && n->kind != DF_COPY && n->kind != DF_ADD) ||
	    n->form == DF_FORM_EXEC || !strstr(n->text, "<<"))
		return 0;
	dockerfile_find_heredocs(n->text, &n->heredocs, &n->n_heredocs);
	if (n->kind != DF_RUN && n->n_heredocs)
		dockerfile_join_heredocs(&n->args);
	for (i = 0; i < n->n_heredocs; i++) {
		if (!read_body(r, &n->heredocs[i]))
			return dockerfile_fail(r->df, node->start, node->col,
					       err, "unterminated heredoc");
		if (r->heredoc_bytes > DOCKERFILE_HEREDOC_MAX)
			return dockerfile_fail(
				r->df, node->start, node->col, err,
				"heredocs are larger than %u bytes",
				DOCKERFILE_HEREDOC_MAX);
	}
	n->end = r->line;
	return 0;
}

static struct dockerfile_node *new_node(struct reader *r)
{
	struct dockerfile *df = r->df;

	GROW(df->nodes, df->n_nodes, r->alloc);
	df->nodes[df->n_nodes] = (struct dockerfile_node){ 0 };
	return &df->nodes[df->n_nodes++];
}

/* An instruction that begins on the line just read. */
static int read_instruction(struct reader *r, struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	const char *p = dockerfile_ltrim(r->text, r->eol), *end = r->eol;
	unsigned start = r->line;
	unsigned col = (unsigned)(p - r->text) + 1;
	struct dockerfile_node *node;
	bool more = cut_continuation(r, p, &end), empty = false;

	strbuf_add(&line, p, (size_t)(end - p));
	if (more)
		empty = join_lines(r, &line);
	if (!*dockerfile_ltrim(line.buf, line.buf + line.len))
		return 0;
	if (r->df->n_nodes == DOCKERFILE_NODES_MAX)
		return dockerfile_fail(r->df, start, col, err,
				       "more than %d instructions",
				       DOCKERFILE_NODES_MAX);
	node = new_node(r);
	node->col = col;
	node->empty_lines = empty;
	if (r->comment.len)
		node->comment = xstrdup(r->comment.buf);
	if (dockerfile_parse_node(r->df, node, line.buf, start, false, err) < 0)
		return -1;
	node->end = r->line;
	if (node->onbuild)
		node->onbuild->end = r->line;
	if (read_heredocs(r, node, err) < 0)
		return -1;
	node->end = r->line;
	return 0;
}

static void note_comment(struct reader *r)
{
	const char *p = dockerfile_ltrim(r->text, r->eol) + 1, *end = r->eol;

	dockerfile_trim(&p, &end);
	if (r->comment.len)
		strbuf_addch(&r->comment, '\n');
	strbuf_add(&r->comment, p, (size_t)(end - p));
}

static int read_all(struct reader *r, struct error *err)
{
	while (next_line(r)) {
		if (dockerfile_directive(&r->directives, r->df, r->text,
					 r->eol, r->line, err) < 0)
			return -1;
		if (is_comment(r)) {
			/* A directive describes nothing. */
			if (r->directives.done)
				note_comment(r);
			continue;
		}
		r->directives.done = true;
		if (dockerfile_ltrim(r->text, r->eol) < r->eol &&
		    read_instruction(r, err) < 0)
			return -1;
		strbuf_reset(&r->comment);
	}
	return 0;
}

static int check_size(const struct dockerfile *df, const char *text, size_t n,
		      struct error *err)
{
	const char *nul = memchr(text, 0, n);
	unsigned line = 1;
	const char *p;

	if (n > (size_t)DOCKERFILE_TEXT_MAX + DOCKERFILE_HEREDOC_MAX)
		return dockerfile_fail(df, 1, 1, err,
				       "file is larger than %u bytes",
				       DOCKERFILE_TEXT_MAX +
				       DOCKERFILE_HEREDOC_MAX);
	if (!nul)
		return 0;
	for (p = text; p < nul; p++)
		line += *p == '\n';
	return dockerfile_fail(df, line, 1, err, "NUL byte in the text");
}

int dockerfile_parse(struct dockerfile *df, const char *name,
		     const char *text, size_t n, struct error *err)
{
	struct reader r = { .df = df, .comment = STRBUF_INIT };
	int ret;

	*df = (struct dockerfile){ .name = xstrdup(name), .escape = '\\' };
	if (check_size(df, text, n, err) < 0)
		return -1;
	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		n -= 3;
	}
	r.p = text;
	r.end = text + n;
	ret = read_all(&r, err);
	strbuf_release(&r.comment);
	if (ret < 0)
		return -1;
	if (n - r.heredoc_bytes > DOCKERFILE_TEXT_MAX)
		return dockerfile_fail(df, 1, 1, err,
				       "file is larger than %u bytes",
				       DOCKERFILE_TEXT_MAX);
	if (!df->n_nodes)
		return dockerfile_fail(df, r.line ? r.line : 1, 1, err,
				       "file with no instructions");
	return 0;
}

int dockerfile_parse_trigger(struct dockerfile *df, const char *text,
			     struct error *err)
{
	if (dockerfile_parse(df, "ONBUILD", text, strlen(text), err) < 0)
		return -1;
	if (df->n_nodes != 1)
		return dockerfile_fail(df, df->nodes[1].start, 1, err,
				       "more than one instruction");
	return 0;
}
