/* repo_ssh.c - whose host keys are trusted for Git over SSH */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <strings.h>

#include "base/fs.h"
#include "wrap/digest.h"
#include "wrap/knownhosts.h"
#include "wrap/repo_lib.h"

#define KNOWN_HOSTS_MAX (16 * 1024 * 1024)

/* A missing file vouches for nobody, which is what the caller finds out. */
static void add_file(struct strbuf *out, const char *path)
{
	if (fs_is_file(path) &&
	    fs_read_file(path, KNOWN_HOSTS_MAX, out, NULL) < 0)
		log_warn("cannot read known hosts '%s'", path);
	strbuf_addch(out, '\n');
}

void repo_ssh_known_hosts(struct strbuf *out)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;
	const char *list = getenv("SSH_KNOWN_HOSTS");
	const char *home = getenv("HOME");

	if (list && *list) {
		strvec_split(&files, list, ":");
	} else {
		if (home)
			strvec_pushf(&files, "%s/.ssh/known_hosts", home);
		strvec_push(&files, "/etc/ssh/ssh_known_hosts");
	}
	for (size_t i = 0; i < files.nr; i++)
		add_file(out, files.v[i]);
}

static void add_fingerprint(struct strbuf *out, const git_cert_hostkey *key)
{
	if (!(key->type & GIT_CERT_SSH_SHA256))
		return;
	strbuf_addstr(out, " (SHA256:");
	base64_encode(out, key->hash_sha256, sizeof(key->hash_sha256));
	while (out->buf[out->len - 1] == '=')
		strbuf_setlen(out, out->len - 1);
	strbuf_addch(out, ')');
}

static int refuse(struct repo_session *s, enum knownhosts_answer answer,
		  const char *shown, const char *host)
{
	unsigned port = giturl_port(&s->remote);
	cleanup_free char *option = port == 22 ? xstrdup("")
					       : xstrfmt("-p %u ", port);

	if (answer == KNOWNHOSTS_REVOKED) {
		error_set(&s->failure, ERR_REFUSED,
			  "the SSH host key of %s%s is revoked", host, shown);
	} else if (answer == KNOWNHOSTS_DIFFERENT) {
		error_set(&s->failure, ERR_REFUSED, "the SSH host key of %s%s "
			  "is not the one in known_hosts", host, shown);
		error_hint(&s->failure, "somebody may be listening in; if the "
			   "key really changed: ssh-keygen -R %s, then "
			   "ssh-keyscan %s%s", host, option, host);
	} else {
		error_set(&s->failure, ERR_REFUSED,
			  "the SSH host key of %s%s is not known", host, shown);
		error_hint(&s->failure, "check the fingerprint, then: "
			   "ssh-keyscan %s%s >> ~/.ssh/known_hosts (or a file "
			   "of SSH_KNOWN_HOSTS)", option, host);
	}
	return GIT_ECERTIFICATE;
}

int repo_ssh_certificate(struct repo_session *s, const git_cert_hostkey *key,
			 const char *host)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	enum knownhosts_answer answer = KNOWNHOSTS_UNKNOWN;

	repo_ssh_known_hosts(&text);
	add_fingerprint(&shown, key);
	if (key->type & GIT_CERT_SSH_RAW)
		answer = knownhosts_check(text.buf, host,
					  giturl_port(&s->remote),
					  key->hostkey, key->hostkey_len);
	return answer == KNOWNHOSTS_MATCH ? 0
					  : refuse(s, answer, shown.buf, host);
}

/*
 * A server has several host keys and the client chooses the kind. libgit2
 * asks for the kinds that it finds in .ssh/known_hosts below the home
 * directory; without that file it would be given one that no list of the
 * user's has. The directory is needed while connecting only.
 */
static void set_home(struct repo_session *s, const char *dir)
{
#if LIBGIT2_VER_MAJOR > 1 || LIBGIT2_VER_MINOR >= 7
	s->git.git_libgit2_opts(GIT_OPT_SET_HOMEDIR, dir);
#else
	(void)s;
	if (dir)
		setenv("HOME", dir, 1);
	else
		unsetenv("HOME");
#endif
}

int repo_ssh_prefer(struct repo_session *s, struct repo_home *home,
		    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *tmp = getenv("TMPDIR");
	cleanup_close int fd = open(tmp && *tmp ? tmp : "/tmp",
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *name = NULL;
	cleanup_free char *ssh = NULL;
	cleanup_free char *file = NULL;

	if (fd < 0)
		return error_errno(err, "cannot open the temporary directory");
	name = fs_temp_dir(fd, "devenv-ssh-", err);
	if (!name)
		return -1;
	home->dir = xstrfmt("%s/%s", tmp && *tmp ? tmp : "/tmp", name);
	home->before = xstrdup_null(getenv("HOME"));
	ssh = xstrfmt("%s/.ssh", home->dir);
	file = xstrfmt("%s/known_hosts", ssh);
	repo_ssh_known_hosts(&text);
	if (fs_mkdir_p(ssh, 0700, err) < 0 ||
	    fs_write_atomic(AT_FDCWD, file, text.buf, text.len, 0600, err) < 0)
		return -1;
	set_home(s, home->dir);
	return 0;
}

void repo_ssh_forget(struct repo_session *s, struct repo_home *home)
{
	if (!home->dir)
		return;
	set_home(s, home->before);
	if (fs_remove_tree(AT_FDCWD, home->dir, NULL) < 0)
		log_debug("cannot remove '%s'", home->dir);
	free(home->dir);
	free(home->before);
	*home = (struct repo_home){ 0 };
}
