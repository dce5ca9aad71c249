# odd.sh - sourced: start oddregistry.py on a loopback port
# shellcheck shell=sh
#
#	odd_start	sets $odd (127.0.0.1:PORT); its log is $odd_log
#
#	odd_stop	forgets all; odd_start begins anew
#
# It stops when the script ends.

odd_pid=

odd_stop() {
	[ -z "$odd_pid" ] || kill "$odd_pid" 2>/dev/null
	wait "$odd_pid" 2>/dev/null
	odd_pid=
}

odd_start() {
	odd_port=$(t_port)
	odd=127.0.0.1:$odd_port
	odd_log=$TMP/odd.log
	: >"$odd_log"
	python3 "$SRC/t/helper/oddregistry.py" "$odd_port" "$odd_log" \
		2>"$TMP/odd.err" &
	odd_pid=$!
	t_atexit odd_stop
	t_wait curl -s "http://$odd/v2/x"
}
