/* repo_auth.c - credentials and certificates for the host they are meant for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "wrap/digest.h"
#include "wrap/repo_lib.h"

#define KEY_MAX (64 * 1024)

bool repo_auth_applies(const struct repo_session *s)
{
	return giturl_same_host(&s->origin, &s->remote);
}

static const char *user_of(const struct repo_session *s)
{
	if (s->remote.user)
		return s->remote.user;
	return repo_auth_applies(s) ? s->username : NULL;
}

const char *repo_auth_user(const struct repo_session *s)
{
	const char *user = user_of(s);

	return user && *user ? user : "git";
}

static const char *password_of(const struct repo_session *s)
{
	if (s->remote.password || s->remote.user)
		return s->remote.password;
	return repo_auth_applies(s) ? s->password : NULL;
}

static const char *key_of(const struct repo_session *s)
{
	return repo_auth_applies(s) ? s->key : NULL;
}

static int read_key(struct repo_session *s, const char *path,
		    struct error *err)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;

	if (fs_read_file(path, KEY_MAX, &key, err) < 0)
		return error_wrap(err, "SSH key");
	s->key = strbuf_detach(&key);
	return 0;
}

static int decode_key(struct repo_session *s, const char *text,
		      struct error *err)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;

	if (strlen(text) > KEY_MAX)
		return error_set(err, ERR_USAGE,
				 "SSH key is larger than %d bytes", KEY_MAX);
	if (base64_decode(&key, text, err) < 0)
		return error_wrap(err, "SSH key");
	s->key = strbuf_detach(&key);
	return 0;
}

/* Without a key of the user's choice, the files ssh looks for. */
static void default_key(struct repo_session *s)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa",
					     "id_rsa" };
	const char *home = getenv("HOME");

	for (size_t i = 0; home && i < ARRAY_SIZE(names) && !s->key; i++) {
		cleanup_free char *path = xstrfmt("%s/.ssh/%s", home, names[i]);

		if (fs_is_file(path) && read_key(s, path, NULL) < 0)
			log_debug("cannot read '%s'", path);
	}
}

static int load_key(struct repo_session *s, struct error *err)
{
	const struct repo_options *o = s->options;

	if (o->key_path && o->key_base64)
		return error_set(err, ERR_USAGE, "give the SSH key as a file "
				 "or as base64, not both");
	if (o->key_path)
		return read_key(s, o->key_path, err);
	if (o->key_base64)
		return decode_key(s, o->key_base64, err);
	if (s->origin.kind == GITURL_SSH && !getenv("SSH_AUTH_SOCK"))
		default_key(s);
	return 0;
}

int repo_auth_load(struct repo_session *s, struct error *err)
{
	const struct repo_options *o = s->options;
	bool own = s->origin.user || s->origin.password;

	s->username = xstrdup_null(own ? s->origin.user : o->username);
	s->password = xstrdup_null(s->origin.password ? s->origin.password
						      : o->password);
	if (s->password)
		log_add_secret(s->password);
	/* A name alone is a token as the user, which several hosts take. */
	if (s->username && !s->password && s->origin.kind != GITURL_SSH)
		log_add_secret(s->username);
	if (load_key(s, err) < 0)
		return -1;
	if (!s->key)
		return 0;
	if (!strstr(s->key, "PRIVATE KEY"))
		return error_set(err, ERR_USAGE,
				 "the SSH key is not a private key in PEM form");
	if (strstr(s->key, "ENCRYPTED")) {
		error_set(err, ERR_USAGE, "the SSH key has a passphrase");
		return error_hint(err, "add it to ssh-agent instead");
	}
	return 0;
}

static int refuse(struct repo_session *s, const char *offered,
		  const char *advice)
{
	error_set(&s->failure, ERR_REFUSED, "authentication required%s",
		  offered);
	error_hint(&s->failure, "%s", advice);
	return GIT_EUSER;
}

static int ssh_key(struct repo_session *s, git_credential **out,
		   const char *user)
{
	const char *key = key_of(s);
	unsigned step = s->asked++;

	if (key && step == 0)
		return s->git.git_credential_ssh_key_memory_new(
			out, user, NULL, key, "");
	if (getenv("SSH_AUTH_SOCK") && step == (key ? 1u : 0u))
		return s->git.git_credential_ssh_key_from_agent(out, user);
	return refuse(s, step ? ": the server accepts none of the SSH keys"
			      : "",
		      "give a key with --git-ssh-private-key-path, or add one "
		      "to ssh-agent");
}

static int password(struct repo_session *s, git_credential **out)
{
	const char *user = user_of(s), *secret = password_of(s);

	if (!user && !secret)
		return refuse(s, "", "set --git-username and the variable "
			      "DEVENV_GIT_PASSWORD");
	if (s->asked++)
		return refuse(s, ": the server does not accept the user name "
			      "and password", "check the token: is it valid, "
			      "and may it read this repository?");
	/* A token alone: hosts look at the password only, but some refuse an
	 * empty name. */
	return s->git.git_credential_userpass_plaintext_new(
		out, user ? user : "oauth2", secret ? secret : "");
}

static int on_credentials(git_credential **out, const char *url UNUSED,
			  const char *url_user, unsigned allowed, void *data)
{
	struct repo_session *s = data;
	const char *user = user_of(s);

	s->wanted = true;
	if (repo_watch_check() || !s->offer)
		return GIT_EUSER;
	if (!user || !*user)
		user = url_user ? url_user : "git";
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return s->git.git_credential_username_new(out, user);
	if (s->remote.kind == GITURL_SSH &&
	    (allowed & GIT_CREDENTIAL_SSH_KEY) &&
	    (key_of(s) || getenv("SSH_AUTH_SOCK") || !password_of(s)))
		return ssh_key(s, out, user);
	if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)
		return password(s, out);
	return refuse(s, " by a method that is not supported",
		      "use a password, a token or an SSH key");
}

static int on_certificate(git_cert *cert, int valid, const char *host,
			  void *data)
{
	struct repo_session *s = data;

	if (repo_watch_check())
		return GIT_EUSER;
	if (s->options->insecure)
		return 0;
	if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2)
		return repo_ssh_certificate(s, (git_cert_hostkey *)cert, host);
	if (valid || repo_trust_address(s, (git_cert_x509 *)cert, host))
		return 0;
	error_set(&s->failure, ERR_NETWORK, "the certificate of %s is not "
		  "signed by a trusted authority, expired, or for another "
		  "name", host);
	error_hint(&s->failure, "name the authority with --ca-file, or use "
		   "--insecure to skip the check");
	return GIT_ECERTIFICATE;
}

void repo_auth_callbacks(struct repo_session *s, git_remote_callbacks *cb)
{
	cb->payload = s;
	cb->credentials = on_credentials;
	cb->certificate_check = on_certificate;
}
