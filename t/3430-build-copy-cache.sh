#!/bin/sh
# 3430-build-copy-cache.sh - what of a source makes COPY run again
. "$(dirname "$0")/lib.sh"

t_need root jq setfattr setcap umoci
CTX=$TMP/ctx

build() { # OPTION...
	t_run timeout 60 "$DEVENV" build "$@" "$CTX"
	[ "$status" = 0 ] || t_status 0 "build $*"
}
ran() {
	jq -r '[.image.steps[] | select(.key and (.cached | not)) | .line]
		| join(" ")' "$out"
}

fresh() { # DOCKERFILE on standard input
	rm -rf "$CTX"
	mkdir -p "$CTX/dir/sub"
	cd "$CTX" || exit 1
	sed 's/\t//g' >Dockerfile
	umask 022
	echo one >dir/one
	echo two >dir/sub/two
	echo log >dir/a.log
	ln -s one dir/link
	ln dir/one dir/hard
	ln -s real lnk
	echo file >file
	build
	[ "$(ran)" ] || t_fail "the first build runs"
}
# One change, and the lines that run.
row() { # LINES SENTENCE COMMAND...
	r_lines=$1
	r_name=$2
	shift 2
	(cd "$CTX" && "$@") || t_fail "$r_name: the change can be made"
	build
	t_is "$(ran)" "$r_lines" "$r_name"
}

fresh <<-'X'
	FROM scratch
	ARG USED=1
	ARG UNUSED=1
	COPY --exclude=**/*.log dir /dir$USED
	COPY --chmod=640 file /file
	COPY --chmod=u+x file /more
X
row '4 5 6' "content runs COPY" sh -c 'echo uno >dir/sub/two'
row '4 5 6' "a name runs it" mv dir/sub/two dir/sub/due
row '4 5 6' "a mode runs it" chmod 600 dir/sub/due
row '4 5 6' "the mode of a directory runs it" chmod 700 dir/sub
row '4 5 6' "a link's target runs it" ln -sfn hard dir/link
row '4 5 6' "a new name of a file runs it" ln dir/one dir/third
row '4 5 6' "a new directory runs it" mkdir dir/empty
row '4 5 6' "another type runs it" sh -c 'rmdir dir/empty; mkfifo dir/empty'
row '4 5 6' "an attribute runs it" setfattr -n user.x -v 1 dir/one
row '4 5 6' "the value of an attribute runs it" setfattr -n user.x -v 2 dir/one
row '4 5 6' "an attribute of a directory runs it" setfattr -n user.x -v 1 dir/sub
row '4 5 6' "a capability runs it" setcap cap_net_raw+ep dir/hard
row '' "an attribute that is not copied does not" \
	setfattr -n trusted.x -v 1 dir/one
row '' "the mode of the source itself does not" chmod 711 dir
row '' "times do not" find dir -exec touch -h -d 2001-01-01 {} +
row '' "owners do not" sh -c 'chown -hR 12:34 dir; setcap cap_net_raw+ep dir/one'
row '' "a link instead of a second file of the same content does not" sh -c \
	'rm dir/third; cp -a dir/one dir/third'
row '' "what --exclude leaves out does not" sh -c 'echo more >dir/a.log'
row '' "what nothing copies does not" sh -c 'echo new >other'
row '4 5 6' "an ignore file that leaves out more does" sh -c \
	'echo dir/sub >.dockerignore'
row '' "one that leaves out the same does not" sh -c \
	'printf "%s\n" "# new" "dir/sub/" nothing >.dockerignore'
row 6 "--chmod=640 hides a mode, --chmod=u+x does not" chmod 640 file
row '' "unless it sets what changed" chmod 740 file
row '' "another name of the directory does not" sh -c \
	'mv dir moved; sed -i "s/ dir / moved /; s/--exc/  --exc/" Dockerfile
	sed -i s/dir/moved/ .dockerignore'
build --build-arg UNUSED=2
t_is "$(ran)" '' "an argument that COPY does not use does not"
build --build-arg USED=2
t_is "$(ran)" '4 5 6' "one that it uses does, and what follows"

# --- [I35] --link ---

fresh <<-'X'
	ARG B=one
	FROM scratch AS one
	COPY file /d/file
	COPY dir /only
	FROM scratch AS two
	COPY dir/link /d
	FROM scratch AS three
	COPY --chmod=711 dir /d/deep
	FROM ${B}
	COPY --link file /d/file
	COPY dir/one /last
X
layers() { # NAME: what a tool makes of the exported image
	rm -rf "$TMP/oci" "$TMP/bundle"
	t_run timeout 60 "$DEVENV" build --build-arg "B=$1" -t "test/$1:x" \
		--output "type=oci,tar=false,dest=$TMP/oci" "$CTX"
	t_status 0 "[I35] on $1: it builds"
	umoci --log=error unpack --image "$TMP/oci:x" "$TMP/bundle"
	"$HELPER/treedump" "$TMP/bundle/rootfs" |
		awk '$NF != "." { printf "%s%s %s %s", sep, $1, $2, $NF
			sep = "; " }' >"$TMP/tree"
}
layers one
t_is "$(cat "$TMP/tree")" "d 0755 d; - 0644 d/file; - 0644 last; d 0755 only; - 0644 only/a.log; - 0644 only/hard; l 0777 only/link; - 0644 only/one; d 0755 only/sub; - 0644 only/sub/two" \
	"[I35] on a base that has the file"
build --build-arg B=two
t_is "$(ran)" "6 11" "[I35] the key knows nothing of what is below"
layers two
t_is "$(cat "$TMP/tree")" "d 0755 d; - 0644 d/file; - 0644 last" \
	"[I35] the cached layer is whole where the base lacks the file, or has one for its directory"
build --build-arg B=three
t_is "$(ran)" "8 11" "[I35] another base: what follows --link runs"
layers three
t_is "$(cat "$TMP/tree")" "d 0755 d; d 0711 d/deep; - 0711 d/deep/a.log; - 0711 d/deep/hard; l 0777 d/deep/link; - 0711 d/deep/one; d 0711 d/deep/sub; - 0711 d/deep/sub/two; - 0644 d/file; - 0644 last" \
	"[I35] it lies on what is there"
build --build-arg B=two
t_is "$(ran)" "" "[I35] both ways are remembered"
fresh <<-'X'
	FROM scratch
	COPY dir /real
	COPY --parents lnk /
	COPY --link file /lnk/x
X
build --output "type=local,dest=$TMP/o1"
t_is "$(stat -c %F "$TMP/o1/lnk")" directory \
	"[I35] a link of the base is not followed, its place is taken"
sed -i 's/--link/--link --chmod=600/' "$CTX/Dockerfile"
build --output "type=local,dest=$TMP/o2"
t_is "$(cat "$TMP/o2/real/x")" file "[I35] --chmod turns --link off"

# --- a stage that comes out the same ---

fresh <<-'X'
	FROM scratch AS made
	COPY dir /d
	COPY file /aside
	FROM scratch
	COPY --from=made --exclude=one /d/one /d/sub /e/
	COPY --from=made /d /d
	COPY --from=made --link /d /f
	COPY file /last
X
row '' "nothing changed" true
row '3 8' "a rebuilt stage with the same files runs nothing behind it" sh -c \
	'echo x >file'
row '2 3 5 6 7 8' "other files do" sh -c 'echo x >dir/sub/two'
row '' "and back" sh -c 'echo two >dir/sub/two'
row '2 3 6 7 8' "those that one COPY leaves out run the others" sh -c \
	'echo other >dir/one'
row '2 3' "a name that no COPY takes runs no COPY" sh -c \
	'sed -i "s,^COPY file /aside,COPY file /besides," Dockerfile
	sed -i "s,^COPY dir /d,COPY dir /d/," Dockerfile'
row '2 3 5 6 7 8' "owners do" sed -i 's,^COPY dir,COPY --chown=3:4 dir,' \
	Dockerfile
build --no-cache
t_is "$(ran)" '2 3 5 6 7 8' "--no-cache runs all"
build
t_is "$(ran)" '' "and keeps what it made under the same keys"
fresh <<-'X'
	FROM scratch AS a
	COPY dir /d
	COPY file /aside
	FROM scratch AS b
	COPY --from=a /d /d
	COPY dir/link /x/
	FROM b AS c
	COPY --from=a /d/one /one
	FROM a AS d
	COPY dir /again
	FROM scratch
	COPY --from=b /d /d
	COPY --from=c / /c
	COPY --from=d /d /e
	COPY --from=a /aside /
	COPY dir/one /last
X
row '3 10 15 16' "through several stages, what has the same files runs not" \
	sh -c 'echo anew >file'
t_err 'CACHED COPY / /c' "and is told as cached"
id=$(jq -r .image.config_digest "$out")
build --output "type=local,dest=$TMP/o3"
t_is "$(jq -r .image.config_digest "$out")" "$id" "the image stays what it is"
t_run env DEVENV_STORE="$TMP/store2" timeout 60 "$DEVENV" build \
	--output "type=local,dest=$TMP/o4" "$CTX"
t_is "$("$HELPER/treedump" "$TMP/o3")" "$("$HELPER/treedump" "$TMP/o4")" \
	"and is what a new store makes"
t_is "$(jq '[.image.steps[] | select(.key)] | length' "$out")" 11 \
	"every step is reported"
# --- a context that changes under the build ---

fresh <<-'X'
	FROM scratch
	COPY file dir /
	FROM scratch
	COPY --from=0 /file /copy
X
# Reading this takes longer than the writer's pause.
truncate -s 300M "$CTX/dir/big"
timeout 30 sh -c 'i=0; while i=$((i + 1)); do
	echo $i >../next; mv ../next file; done' &
writer=$!
sleep 0.2
build
kill "$writer"
wait "$writer" 2>/dev/null
t_err 'line 2: files changed while the build ran: this step will run again' \
	"a file that is written meanwhile: the step says so"
echo last >file
row '2 4' "and is not known" true
build --output "type=local,dest=$TMP/o5"
t_is "$(ran) $(cat "$TMP/o5/copy")" " last" "what was read at last is"
t_ok "the store is sound" "$DEVENV" store verify
t_done
