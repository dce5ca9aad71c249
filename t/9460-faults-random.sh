#!/bin/sh
# 9460-faults-random.sh - a few commands among random faults of their servers
#
# t/faults/run.sh takes any number of seeds.
. "$(dirname "$0")/lib.sh"

t_need root busybox docker-registry python3
t_run sh "$SRC/t/faults/run.sh" --seeds 1-15 --jobs 3
t_status 0 "each ends in time, right or with a clear error"
t_out '^faults [0-9]+, runs 15, ' "all of them ran"
t_done
