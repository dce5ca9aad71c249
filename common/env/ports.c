/* ports.c - the ports an environment tells its users of */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

/* Does a key of portsAttributes, "80", "80-90" or "db:80", name a port? */
static bool names(const char *key, const char *port)
{
	cleanup_free char *low = xstrndup(key, strcspn(key, "-"));
	const char *high = key[strlen(low)] ? key + strlen(low) + 1 : low;
	uint64_t from, to, number;

	return str_eq(key, port) ||
	       (str_to_u64(low, 65535, &from) && str_to_u64(high, 65535, &to) &&
		str_to_u64(port, 65535, &number) && from <= number &&
		number <= to);
}

static const struct json *attributes(const struct json *config,
				     const char *port)
{
	const struct json *m = json_first(json_get(config, "portsAttributes"));

	for (; m; m = json_next(m))
		if (names(json_key(m), port))
			return m;
	return json_get(config, "otherPortsAttributes");
}

static void add_address(struct json *one, const struct json *seen,
			const char *port)
{
	const char *colon = strrchr(port, ':');
	cleanup_free char *address = NULL;
	int64_t here;

	if (!json_get_int(seen, colon ? colon + 1 : port, &here))
		return;
	address = xstrfmt("127.0.0.1:%lld", (long long)here);
	json_set_str(one, "address", address);
}

struct json *ports_describe(const struct json *config,
			    const struct json *seen)
{
	const struct json *m = json_first(json_get(config, "forwardPorts"));
	struct json *list = json_new_array();

	for (; m; m = json_next(m)) {
		struct json *one = json_push(list, json_new_object());
		cleanup_free char *port =
			json_str(m) ? xstrdup(json_str(m))
				    : xstrfmt("%.0f", json_number(m));
		const struct json *a = json_first(attributes(config, port));

		for (; a; a = json_next(a))
			json_set(one, json_key(a), json_dup(a));
		json_set(one, "port", json_dup(m));
		add_address(one, seen, port);
	}
	return list;
}
