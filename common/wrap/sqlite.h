/* sqlite.h - one column of an SQLite database that nobody vouches for */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_SQLITE_H
#define WRAP_SQLITE_H

#include "base/error.h"

#define SQLITE_CELL_MAX (32u << 20) /* bytes of one cell */

/* One cell. Its bytes are gone after the call; a negative value, with `err`
 * set, ends the reading. */
typedef int sqlite_cell_fn(void *arg, const void *data, size_t n,
			   struct error *err);

/*
 * Call `cell` for each row's value of a column, in the order they are found;
 * a NULL is an empty one. Names are the caller's own, plain words.
 *
 * The database is the `n` bytes at `data`: no file is opened, so a journal or
 * write-ahead log beside it is not looked at. Nothing that the database
 * defines is run (views, triggers, functions), and the work is bounded by the
 * size of the database. ERR_INPUT: it is not one, is damaged, or has no such
 * column, in words of the library's or ours, never the database's;
 * ERR_HOST: the library is missing. Cells before the damage were seen.
 */
int sqlite_column(const void *data, size_t n, const char *table,
		  const char *column, sqlite_cell_fn *cell, void *arg,
		  struct error *err) MUST_CHECK;

#endif
