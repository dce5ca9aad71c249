/* source.c - tell URLs and git references from paths; names of signals */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "dockerfile/dockerfile.h"

bool dockerfile_is_url(const char *source)
{
	return str_starts(source, "http://") || str_starts(source, "https://");
}

/* Length of the address before "?" and "#". */
static size_t address_len(const char *s)
{
	return strcspn(s, "?#");
}

static bool ends_in_git(const char *s)
{
	size_t n = address_len(s);

	while (n && s[n - 1] == '/')
		n--;
	return n > 4 && !memcmp(s + n - 4, ".git", 4);
}

/* git@host:path: a user, a host and a colon before any slash. */
static bool is_scp(const char *s)
{
	size_t user = strcspn(s, "@/:?#");
	const char *host = s + user + 1;
	size_t n;

	if (!user || s[user] != '@')
		return false;
	n = strcspn(host, "/:?#@");
	return n && host[n] == ':' && host[n + 1];
}

bool dockerfile_is_git(const char *source)
{
	if (str_starts(source, "git://") || str_starts(source, "ssh://") ||
	    str_starts(source, "github.com/"))
		return true;
	if (dockerfile_is_url(source))
		return ends_in_git(source);
	return is_scp(source);
}

bool dockerfile_signal_valid(const char *text)
{
	static const char *const names[] = {
		"ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP",
		"ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF",
		"PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
		"TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2",
		"VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
	};
	uint64_t number;
	size_t i;

	if (str_to_u64(text, 64, &number))
		return number > 0;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(text, names[i]))
			return true;
	if (!strncasecmp(text, "RTMIN+", 6))
		return str_to_u64(text + 6, 15, &number) && number;
	if (!strncasecmp(text, "RTMAX-", 6))
		return str_to_u64(text + 6, 14, &number) && number;
	return false;
}
