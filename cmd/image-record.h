/* image-record.h - section "image" of a record from an image of the store */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_IMAGE_RECORD_H
#define CMD_IMAGE_RECORD_H

#include "record/record.h"
#include "store/store.h"

/* Set the section, without steps. */
void cmd_image_record(struct record *r, const struct store_image *image);
/* The record on standard output. */
int cmd_record_write(const struct record *r, struct error *err) MUST_CHECK;

#endif
