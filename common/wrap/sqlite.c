/* sqlite.c - one column of an SQLite database that nobody vouches for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/sqlite.h"

#include <sqlite3.h>

#include "wrap/lazy.h"

#define SQLITE_FUNCTIONS(X)         \
	X(sqlite3_open_v2)          \
	X(sqlite3_close)            \
	X(sqlite3_db_config)        \
	X(sqlite3_limit)            \
	X(sqlite3_progress_handler) \
	X(sqlite3_set_authorizer)   \
	X(sqlite3_drop_modules)     \
	X(sqlite3_deserialize)      \
	X(sqlite3_prepare_v2)       \
	X(sqlite3_step)             \
	X(sqlite3_column_blob)      \
	X(sqlite3_column_bytes)     \
	X(sqlite3_finalize)         \
	X(sqlite3_errstr)

struct lib {
	SQLITE_FUNCTIONS(LAZY_POINTER)
};

#define ROW(name) LAZY_ROW(struct lib, name)
static const struct lazy_symbol symbols[] = { SQLITE_FUNCTIONS(ROW) };

/* A row costs a handful of operations, a table of the schema some tens. */
#define OPERATIONS 1000
#define CALLS_MAX 20000

struct database {
	struct lib lib;
	sqlite3 *db;
	sqlite3_stmt *query;
	unsigned char *image;
	size_t n;
	int calls; /* of the progress handler */
};

static void database_release(struct database *d)
{
	if (d->db) {
		d->lib.sqlite3_finalize(d->query);
		d->lib.sqlite3_close(d->db);
	}
	free(d->image);
}

/* Operations are counted, not seconds: the same bytes give the same rows on
 * a slow machine. */
static int progress(void *arg)
{
	struct database *d = arg;

	return ++d->calls > CALLS_MAX;
}

/* Tables may be views: of what SQL can say, only reading is left. */
static int authorize(UNUSED void *arg, int action, UNUSED const char *a,
		     UNUSED const char *b, UNUSED const char *schema,
		     UNUSED const char *inner)
{
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK
								: SQLITE_DENY;
}

static int fail(struct database *d, int rc, struct error *err)
{
	if (rc == SQLITE_INTERRUPT)
		return error_set(err, ERR_INPUT,
				 "the database takes too long to read");
	return error_set(err, ERR_INPUT, "%s", d->lib.sqlite3_errstr(rc));
}

static int configure(struct database *d)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	};
	struct lib *l = &d->lib;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		rc = l->sqlite3_db_config(d->db, options[i].option,
					  options[i].value, (int *)NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	l->sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, SQLITE_CELL_MAX);
	/* One operation of a computed column may copy a whole cell, so that
	 * counting them bounds nothing: an expression is one name here. */
	l->sqlite3_limit(d->db, SQLITE_LIMIT_EXPR_DEPTH, 1);
	l->sqlite3_progress_handler(d->db, OPERATIONS, progress, d);
	return SQLITE_OK;
}

/* What a database in memory cannot have is a write-ahead log; that the file
 * had one is in two bytes of its header, and no page needs it. */
static void forget_log(struct database *d)
{
	enum { WRITE_VERSION = 18, READ_VERSION = 19, ROLLBACK = 1 };

	if (d->n > READ_VERSION)
		d->image[WRITE_VERSION] = d->image[READ_VERSION] = ROLLBACK;
}

static int open_image(struct database *d, struct error *err)
{
	struct lib *l = &d->lib;
	int rc;

	if (lazy_load("libsqlite3.so.0", "libsqlite3-0", symbols,
		      ARRAY_SIZE(symbols), l, err) < 0)
		return -1;
	forget_log(d);
	rc = l->sqlite3_open_v2(":memory:", &d->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
				NULL);
	if (rc == SQLITE_OK)
		rc = configure(d);
	/* Virtual tables: much code that would read what it is given. */
	if (rc == SQLITE_OK)
		rc = l->sqlite3_drop_modules(d->db, NULL);
	if (rc == SQLITE_OK)
		rc = l->sqlite3_deserialize(
			d->db, "main", d->image, (sqlite3_int64)d->n,
			(sqlite3_int64)d->n, SQLITE_DESERIALIZE_READONLY);
	/* Not before: the library attaches what is deserialized. */
	if (rc == SQLITE_OK)
		rc = l->sqlite3_set_authorizer(d->db, authorize, NULL);
	return rc == SQLITE_OK ? 0 : fail(d, rc, err);
}

static int prepare(struct database *d, const char *table, const char *column,
		   struct error *err)
{
	cleanup_free char *sql = xstrfmt("SELECT %s FROM %s", column, table);
	int rc = d->lib.sqlite3_prepare_v2(d->db, sql, -1, &d->query, NULL);

	if (rc == SQLITE_ERROR || rc == SQLITE_AUTH)
		return error_set(err, ERR_INPUT,
				 "it has no table %s with a column %s", table,
				 column);
	return rc == SQLITE_OK ? 0 : fail(d, rc, err);
}

int sqlite_column(const void *data, size_t n, const char *table,
		  const char *column, sqlite_cell_fn *cell, void *arg,
		  struct error *err)
{
	CLEANUP(database_release)
	struct database d = {
		.image = xmemdup(data, n),
		.n = n,
	};
	struct lib *l = &d.lib;
	size_t seen = 0;
	int rc;

	if (open_image(&d, err) < 0 || prepare(&d, table, column, err) < 0)
		return -1;
	while ((rc = l->sqlite3_step(d.query)) == SQLITE_ROW) {
		const void *blob = l->sqlite3_column_blob(d.query, 0);
		size_t len = (size_t)l->sqlite3_column_bytes(d.query, 0);

		/* Pages that are used twice would never end. */
		seen += len;
		if (seen > n)
			return fail(&d, SQLITE_CORRUPT, err);
		if (cell(arg, blob, len, err) < 0)
			return -1;
	}
	return rc == SQLITE_DONE ? 0 : fail(&d, rc, err);
}
