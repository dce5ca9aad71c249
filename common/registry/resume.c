/* resume.c - uploads that another process may go on with */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/push.h"

#include "wrap/json.h"

#define NOTE_MIN ((uint64_t)256 << 10) /* less is soon sent again */

bool resume_is_wanted(const struct push *p)
{
	return p->call.r->notes.put && p->source->open &&
	       p->source->size >= NOTE_MIN;
}

void registry_set_notes(struct registry *r, const struct registry_notes *notes)
{
	r->notes = *notes;
}

static void key_of(const struct push *p, char key[DIGEST_TEXT])
{
	cleanup_free char *text = xstrfmt("%s %s", p->call.name,
					  p->source->digest);

	digest_bytes(text, strlen(text), key);
}

/* A place elsewhere is most often signed: whoever knows it may write there,
 * so nobody is told of it. */
void resume_note(struct push *p)
{
	const struct registry_notes *notes = &p->call.r->notes;
	cleanup_json struct json *j = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char key[DIGEST_TEXT];

	if (!resume_is_wanted(p) || p->call.elsewhere)
		return;
	j = json_new_object();
	json_set_str(j, "blob", p->source->digest);
	json_set_str(j, "place", p->place);
	json_set_str(j, "repository", p->call.name);
	json_set_int(j, "least", (int64_t)p->least);
	json_write(&text, j, false);
	key_of(p, key);
	p->noted = notes->put(notes->arg, digest_hex(key), text.buf, text.len);
}

void resume_forget(struct push *p)
{
	const struct registry_notes *notes = &p->call.r->notes;
	char key[DIGEST_TEXT];

	if (!p->noted)
		return;
	key_of(p, key);
	notes->drop(notes->arg, digest_hex(key));
	p->noted = false;
}

static bool says(const struct json *j, const char *key, const char *value)
{
	const char *said = json_get_str(j, key);

	return said && str_eq(said, value);
}

bool resume_recall(struct push *p)
{
	const struct registry_notes *notes = &p->call.r->notes;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	char key[DIGEST_TEXT];
	int64_t least = 0;

	if (!resume_is_wanted(p))
		return false;
	key_of(p, key);
	if (!notes->take(notes->arg, digest_hex(key), &text))
		return false;
	j = json_parse("upload", text.buf, text.len, NULL);
	if (!says(j, "blob", p->source->digest) ||
	    !says(j, "repository", p->call.name) || !json_get_str(j, "place"))
		return false;
	if (json_get_int(j, "least", &least) && least > 0)
		p->least = (uint64_t)least;
	free(p->place);
	p->place = xstrdup(json_get_str(j, "place"));
	p->recalled = true;
	return true;
}
