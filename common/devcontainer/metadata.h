/* metadata.h - what an image, its features and a file say together */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_METADATA_H
#define DEVCONTAINER_METADATA_H

#include "devcontainer/devcontainer.h"

/*
 * The label of an image holds entries: objects with properties of a
 * configuration, of the images below first, then one for each feature (with
 * its `id`), then that of the devcontainer.json the image was built from.
 * Entries are kept raw: variables are replaced where they are used.
 */
#define DEVCONTAINER_LABEL "devcontainer.metadata"

/*
 * The entries of a label's text (NULL: there is none), an array that the
 * caller frees. A text that is no strict JSON has none; a property of the
 * wrong type is left out. Both are told in `warnings`.
 */
struct json *devcontainer_label_read(const char *text,
				     struct strvec *warnings);
/* The text of a label with more entries than `text` (or NULL) has, sorted so
 * that the same entries are the same text. Nothing of the old ones is lost,
 * unless they are no JSON; that is told in `warnings`. */
void devcontainer_label_add(const char *text, const struct json *more,
			    struct strbuf *out, struct strvec *warnings);
/* What of a configuration belongs in a label: an object, perhaps empty. */
struct json *devcontainer_label_entry(const struct json *config);

/* The file as written, with the older spellings as devcontainer_resolve has
 * them and every variable as it is. The caller frees it. */
struct json *devcontainer_raw(const struct devcontainer *dc);
/* Replace in entries what devcontainer_resolve replaces in `config`, which is
 * resolved. ERR_INPUT: variables make them too large, or one has no name. */
int devcontainer_entries_resolve(struct json *entries,
				 const struct json *config,
				 const struct devcontainer_scope *scope,
				 struct error *err) MUST_CHECK;

/*
 * A configuration with what its entries (its own one last) say together. It
 * has `init`, `privileged`, `remoteEnv`, `containerEnv`, `portsAttributes` and
 * the five lists of hooks (`onCreateCommands` ... `postAttachCommands`)
 * always, and the singular hooks no more. The caller frees it.
 */
struct json *devcontainer_merge(const struct json *config,
				const struct json *entries);

/* --- host.c: hostRequirements --- */

/* "4gb" in bytes; what is no size is 0. */
double devcontainer_size(const char *text);
/* Those of all entries as one object, or NULL. */
struct json *devcontainer_host_merge(const struct json *entries);

#endif
