#!/bin/sh
# a few configurations, as the Dev Container CLI reads them
#
# make oracle compares many more. Without that CLI, which Debian does not
# have, there is nothing to compare with; .ci/run says when there has to be.
. "$(dirname "$0")/lib.sh"

t_need python3
t_run timeout 120 sh "$SRC/t/oracle/run.sh" --sample
if [ "$status" = 77 ] && [ -z "${DEVENV_TEST_ORACLE:-}" ]; then
	echo "1..0 # SKIP $(tail -n 1 "$err")"
	exit 0
fi
t_status 0 "nothing differs that is not known"
t_out '^ok 30 - ' "all of the sample was compared"
grep -A 40 '^not ok' "$out" | sed 's/^/# /'
t_run env GRAPHS=6 timeout 120 sh "$SRC/t/oracle/features.sh"
t_status 0 "nor do Features"
t_out '^1[.][.]4$' "their order, options and lockfiles"
t_done
