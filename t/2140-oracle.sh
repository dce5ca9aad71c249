#!/bin/sh
# a few configurations, as the Dev Container CLI reads them and brings them up
#
# make oracle compares many more. Without that CLI, which Debian does not
# have, there is nothing to compare with; .ci/run says when there has to be.
. "$(dirname "$0")/lib.sh"

t_need python3 podman runc busybox
t_run timeout 300 sh "$SRC/t/oracle/run.sh" compare --sample
if [ "$status" = 77 ] && [ -z "${DEVENV_TEST_ORACLE:-}" ]; then
	echo "1..0 # SKIP $(tail -n 1 "$err")"
	exit 0
fi
t_status 0 "nothing differs that is not known"
t_out '^1[.][.]32$' "all of the sample was compared"
grep -A 40 '^not ok' "$out" | sed 's/^/# /'
if [ "$(id -u)" = 0 ]; then
	t_run timeout 300 sh "$SRC/t/oracle/run.sh" real --sample
	t_status 0 "nor does what happens in environments"
	t_out '^1[.][.]4$' "all of that sample was compared"
	grep -A 40 '^not ok' "$out" | sed 's/^/# /'
fi
t_run env GRAPHS=6 timeout 300 sh "$SRC/t/oracle/features.sh"
t_status 0 "nor do Features"
t_out '^1[.][.]27$' "their order, options and lockfiles"
t_done
