#!/bin/sh
# 3950-build-random.sh - a few random Dockerfiles, built in all ways
#
# t/differential/run.sh takes any number of seeds, and more peers.
. "$(dirname "$0")/lib.sh"

t_need root buildah skopeo busybox python3 setpriv useradd newuidmap
t_run sh "$SRC/t/differential/run.sh" --keep "$TMP/keep" --seeds 1-6
t_status 0 "nothing differs that is not written down"
t_out 'killed 6, no-cache 6, .*reproducible 6, resumed 6' \
	"all of them were compared"
t_done
