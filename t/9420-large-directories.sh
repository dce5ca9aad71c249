#!/bin/sh
# 9420-large-directories.sh - 100,000 names in one place, in bounded memory
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need docker-registry python3 busybox
LIMIT=65536 # KiB
# A sanitizer keeps what was freed, to see whether it is used.
case $DEVENV in */asan/*) LIMIT=$((LIMIT * 4)) ;; esac
# Where it can be had, memory: some file systems take minutes for so many.
if mkdir "$TMP/fast" && mount -t tmpfs -o size=2g,mode=755 none "$TMP/fast" \
	2>/dev/null; then
	t_atexit "umount -l '$TMP/fast'"
	t_kept=$TMP
	TMP=$TMP/fast
	DEVENV_STORE=$TMP/store
	t_atexit "TMP=$t_kept"
fi
mkdir -p "$TMP/p/many" "$TMP/base"
python3 -c 'import os, sys
os.chdir(sys.argv[1])
for i in range(100000):
	os.close(os.open("%06d" % i, os.O_CREAT | os.O_WRONLY, 0o644))' \
	"$TMP/p/many"

# The largest of all processes of a command, in KiB, goes to $peak.
measured() { # SENTENCE COMMAND...
	m_name=$1
	shift
	t_run timeout 300 python3 -c 'import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(str(peak))
sys.exit(status)' "$TMP/peak" "$@"
	t_status 0 "$m_name"
	peak=$(cat "$TMP/peak")
	if [ "$peak" -le $LIMIT ]; then
		t_pass "$m_name: within 64 MiB"
	else
		t_fail "$m_name: within 64 MiB" "$peak KiB"
	fi
}

printf '%s\n' 'FROM scratch' 'COPY many /many' >"$TMP/p/Dockerfile"
measured "a context is copied" "$DEVENV" build -t many "$TMP/p"
measured "and found unchanged" "$DEVENV" build -t many "$TMP/p"
t_ok "nothing was copied again" grep -q '"cached": *true' "$out"
printf '**/*\n!many/00000?\n!**/*99\n' >"$TMP/p/.dockerignore"
measured "a part is ignored" "$DEVENV" build -t fewer "$TMP/p"
rm "$TMP/p/.dockerignore"
measured "an archive of it is made" "$DEVENV" build \
	--output "type=oci,dest=$TMP/many.tar" "$TMP/p"
registry_start plain || t_fail "a registry"
measured "it is pushed" "$DEVENV" push many "$registry/many:1"

DEVENV_STORE=$TMP/other
cp "$(command -v busybox)" "$TMP/base/busybox"
printf '%s\n' "FROM $registry/many:1" 'COPY busybox /bin/busybox' \
	'RUN ["/bin/busybox", "rm", "-r", "/many"]' >"$TMP/base/Dockerfile"
measured "it is unpacked, and all removed in a step" "$DEVENV" build -t less \
	--output "type=oci,dest=$TMP/less.tar" "$TMP/base"
printf '%s\n' "FROM $registry/many:1" 'COPY busybox /bin/busybox' \
	'RUN ["/bin/busybox", "find", "/many", "-name", "*3", "-exec", \
	"/bin/busybox", "rm", "{}", "+"]' \
	>"$TMP/base/Dockerfile"
measured "a tenth of it is removed" "$DEVENV" build -t tenth \
	--output "type=tar,dest=$TMP/tenth.tar" "$TMP/base"
t_is "$(tar -tf "$TMP/tenth.tar" | grep -c '^many/[0-9]')" 90000 \
	"the others are there"
measured "a store that holds it is verified" "$DEVENV" store verify
measured "its size is found out" "$DEVENV" store du
t_done
