#!/bin/sh
# a build that is ended at any point leaves a store that works
. "$(dirname "$0")/lib.sh"
t_need busybox

mkdir "$TMP/base" "$TMP/p"
cp "$(command -v busybox)" "$TMP/base/busybox"
cat >"$TMP/base/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
EOF
t_ok "a base image" "$DEVENV" build -t base "$TMP/base"
mkdir "$TMP/p/files"
i=0
while [ $i -lt 300 ]; do
	echo $i >"$TMP/p/files/$i"
	i=$((i + 1))
done
cat >"$TMP/p/Dockerfile" <<'EOF'
FROM base
COPY files /files
ARG round
RUN echo $round >/a; sleep 0.1
RUN cp -r /files /copy
RUN sleep 0.1; echo $round >/b
EOF

start() { # ROUND
	"$DEVENV" build --build-arg "round=$1" --no-cache \
		-o "type=oci,dest=$TMP/out-$1.tar" "$TMP/p" \
		>"$out.$1" 2>"$err.$1" &
	pid=$!
}

for signal in INT TERM KILL; do
	wrong=0
	for delay in 0.01 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.5; do
		start "$signal$delay"
		sleep $delay
		kill -$signal $pid 2>/dev/null
		status=0
		wait $pid 2>/dev/null || status=$?
		case $signal$status in
		INT130 | TERM143 | KILL137 | *0) ;;
		# a shell starts background jobs with SIGINT ignored
		*) wrong=$((wrong + 1)) && cat "$err.$signal$delay" ;;
		esac
	done
	t_is $wrong 0 "SIG$signal at ten points ends it with its status"
	t_run "$DEVENV" store ls
	t_is "$(ls "$DEVENV_STORE/tmp")" "" \
		"SIG$signal: what it left is swept"
	t_is "$(grep -c "$TMP" /proc/self/mountinfo)" 0 \
		"SIG$signal: nothing is mounted"
	t_run "$DEVENV" store verify
	t_status 0 "SIG$signal: the store is sound"
	t_run "$DEVENV" build --build-arg round=after "$TMP/p"
	t_status 0 "SIG$signal: the next build succeeds"
done
t_is "$(find "$TMP" -maxdepth 1 -name 'out-[IT]*.tmp' | wc -l)" 0 \
	"a signal leaves no half written export"
broken=0
for tar in "$TMP"/out-*.tar; do
	[ ! -e "$tar" ] || tar -tf "$tar" >/dev/null || broken=$((broken + 1))
done
t_is $broken 0 "what has its name is whole"

# --- two builds while a third is killed ---
start one
one=$pid
start two
two=$pid
start three
sleep 0.1
kill -KILL $pid
wait $pid 2>/dev/null
status=0
wait $one || status=$?
t_is $status 0 "the first build beside a killed one succeeds"
status=0
wait $two || status=$?
t_is $status 0 "and the second"
t_run "$DEVENV" store verify
t_status 0 "their store is sound"
t_done
