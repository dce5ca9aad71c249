# inputs.sh - sourced: base images, contexts and registries to measure with
# shellcheck shell=sh
#
#	inputs_make	everything below $W; $R1 serves the bases, $R2 is empty
#
# Wants $W, $CACHE, $DEVENV, $ARCH, $CASES, $KEEP; adds to $SERVERS.
#
# The Debian tree is made once and kept in $CACHE. Of what takes a minute, the
# large images, only what the cases need is made, unless it stays for others.

TARFLAGS="--sort=name --numeric-owner --mtime=@1704067200 --format=gnu"

inputs_digest() { sha256sum "$1" | cut -d' ' -f1; }
inputs_size() { wc -c <"$1" | tr -d ' '; }

inputs_blob() { # FILE: move it into $o; sets $d and $n
	d=sha256:$(inputs_digest "$1")
	n=$(inputs_size "$1")
	mv "$1" "$o/blobs/sha256/${d#sha256:}"
}

# An OCI layout with gzip -6 layers, as most registries hold them.
inputs_layout() { # NAME LAYER.tar...
	o=$W/oci/$1
	type=application/vnd.oci.image
	layers=
	diffs=
	history=
	shift
	mkdir -p "$o/blobs/sha256"
	for tar; do
		diffs="$diffs,\"sha256:$(inputs_digest "$tar")\""
		gzip -6 -n -c "$tar" >"$W/tmp/blob"
		inputs_blob "$W/tmp/blob"
		layers="$layers,{\"mediaType\":\"$type.layer.v1.tar+gzip\",\
\"digest\":\"$d\",\"size\":$n}"
		history="$history,{\"created_by\":\"bench\"}"
	done
	cat >"$W/tmp/blob" <<-END
		{"architecture":"$ARCH","os":"linux","config":{"Env":[
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
		"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[${diffs#,}]},
		"history":[${history#,}]}
	END
	inputs_blob "$W/tmp/blob"
	cat >"$W/tmp/blob" <<-END
		{"schemaVersion":2,"mediaType":"$type.manifest.v1+json","config":{
		"mediaType":"$type.config.v1+json","digest":"$d","size":$n},
		"layers":[${layers#,}]}
	END
	inputs_blob "$W/tmp/blob"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$o/oci-layout"
	cat >"$o/index.json" <<-END
		{"schemaVersion":2,"manifests":[{"mediaType":
		"$type.manifest.v1+json","digest":"$d","size":$n,"annotations":{
		"org.opencontainers.image.ref.name":"bench"}}]}
	END
}

inputs_busybox() {
	b=$W/tmp/busybox
	mkdir -p "$b/bin" "$b/etc" "$b/tmp" "$b/root" "$b/dev" "$b/proc" \
		"$b/sys" "$b/var" "$b/run" "$b/usr/bin"
	cp "$(command -v busybox)" "$b/bin/busybox"
	for applet in $(busybox --list); do
		[ -e "$b/bin/$applet" ] || ln -s busybox "$b/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$b/etc/passwd"
	echo 'root:x:0:' >"$b/etc/group"
	# shellcheck disable=SC2086 # words
	tar $TARFLAGS --owner=0 --group=0 -C "$b" -cf "$b.tar" .
	inputs_layout busybox "$b.tar"
	rm -rf "$b" "$b.tar"
}

inputs_debian() {
	b=$W/tmp/debian
	if [ ! -s "$CACHE/debian.tar" ]; then
		mkdir -p "$CACHE"
		mmdebstrap --quiet --variant=minbase --mode=root bookworm \
			"$CACHE/debian.part.tar" || return 1
		mv "$CACHE/debian.part.tar" "$CACHE/debian.tar"
	fi
	mkdir -p "$b"
	tar -C "$b" --exclude='./dev/*' --exclude='./var/cache/apt/*' \
		--exclude='./var/lib/apt/lists/*' --numeric-owner -xpf \
		"$CACHE/debian.tar"
	install -m 755 "$W/bin/mkdata" "$b/usr/local/bin/mkdata"
	# shellcheck disable=SC2086 # words
	tar $TARFLAGS -C "$b" -cf "$b.tar" .
	inputs_layout debian "$b.tar"
	rm -rf "$b"
}

# Debian and four layers of 2,500 files, 125 MB each.
inputs_big() {
	for i in 1 2 3 4; do
		mkdir -p "$W/tmp/l$i"
		"$W/bin/mkdata" "$W/tmp/l$i/opt$i" 2500 125000000 $((90 + i))
		# shellcheck disable=SC2086 # words
		tar $TARFLAGS --owner=0 --group=0 -C "$W/tmp/l$i" \
			-cf "$W/tmp/l$i.tar" .
		rm -rf "$W/tmp/l$i"
	done
	inputs_layout big "$W/tmp/debian.tar" "$W/tmp/l1.tar" "$W/tmp/l2.tar" \
		"$W/tmp/l3.tar" "$W/tmp/l4.tar"
}

# One layer of 1 GiB in 100 files: what a blob costs by itself.
inputs_one() {
	"$W/bin/mkdata" "$W/tmp/one" 100 1073741824 7
	# shellcheck disable=SC2086 # words
	tar $TARFLAGS --owner=0 --group=0 -C "$W/tmp/one" -cf "$W/tmp/one.tar" .
	rm -rf "$W/tmp/one"
	inputs_layout one "$W/tmp/one.tar"
	rm "$W/tmp/one.tar"
}

inputs_steps() { # BASE
	echo "FROM $R1/$1:bench"
	for i in $(seq 30); do echo "RUN echo $i > /step$i"; done
}

inputs_contexts() {
	mkdir -p "$W/b1" "$W/b1d" "$W/b2" "$W/b3" "$W/b4" \
		"$W/b4p" "$W/big"
	inputs_steps busybox >"$W/b1/Dockerfile"
	inputs_steps debian >"$W/b1d/Dockerfile"
	[ -e "$W/made" ] || "$W/bin/mkdata" "$W/b2/src" 20000 300000000 2
	cat >"$W/b2/Dockerfile" <<-END
		FROM $R1/debian:bench
		WORKDIR /app
		COPY src /app/src
		CMD ["true"]
	END
	cat >"$W/b3/Dockerfile" <<-END
		FROM $R1/debian:bench
		RUN mkdata /data 10000 200000000 3
		RUN rm -rf /data/00[0-4] && touch /data/done
	END
	{
		echo "FROM $R1/debian:bench AS base"
		for i in 1 2 3; do
			echo "FROM base AS s$i"
			echo "RUN sleep 1; mkdata /out 1000 20000000 4$i &&" \
				"find /out -type f | xargs cat |" \
				"sha256sum >/out/sum"
		done
		echo "FROM base AS join"
		echo "COPY --from=s1 /out /all/1"
		echo "COPY --from=s2 /out /all/2"
		echo "RUN cat /all/1/sum /all/2/sum >/all/sums"
		echo "FROM $R1/busybox:bench"
		echo "COPY --from=join /all /all"
		echo "COPY --from=s3 /out /all/3"
	} >"$W/b4/Dockerfile"
	{
		for i in 1 2 3; do
			echo "FROM $R1/busybox:bench AS s$i"
			echo "RUN sleep 1; echo $i >/out"
		done
		echo "FROM $R1/busybox:bench"
		for i in 1 2 3; do echo "COPY --from=s$i /out /$i"; done
	} >"$W/b4p/Dockerfile"
	# Work for one processor, in contexts that differ.
	for i in 1 2 3 4; do
		mkdir -p "$W/w/$i"
		{
			echo "FROM $R1/busybox:bench"
			echo "RUN i=0; while [ \$i -lt 1000000 ]; do" \
				"i=\$((i + 1)); done; echo $i >/out"
		} >"$W/w/$i/Dockerfile"
	done
	echo "FROM $R1/big:bench" >"$W/big/Dockerfile"
}

# A repository of 20,000 files with a devcontainer.json, served at $REPOSITORY.
inputs_repository() {
	g=$W/repository
	rm -rf "$g"
	cp -r "$W/b2/src" "$g"
	echo "{\"image\": \"$R1/busybox:bench\"}" >"$g/.devcontainer.json"
	(
		cd "$g" && git init -q -b main . && git add -A &&
			git -c user.name=bench -c user.email=bench@localhost \
				commit -q -m bench
	) || return 1
	port=$("$W/bin/freeport")
	REPOSITORY=git://127.0.0.1:$port/repository
	"$(git --exec-path)/git-daemon" --export-all --base-path="$W" \
		--listen=127.0.0.1 --port="$port" "$W" >>"$W/log" 2>&1 &
	SERVERS="$SERVERS $!"
}

inputs_registry() { # NAME: sets $registry
	port=$("$W/bin/freeport")
	registry=127.0.0.1:$port
	mkdir -p "$W/$1"
	cat >"$W/$1.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $W/$1}, delete: {enabled: true}}
		http: {addr: "$registry"}
	END
	docker-registry serve "$W/$1.yml" >"$W/$1.log" 2>&1 &
	SERVERS="$SERVERS $!"
	for i in $(seq 100); do
		curl -sf "http://$registry/v2/" >/dev/null && return 0
		sleep 0.1
	done
	echo "no registry came up at $registry" >&2
	return 1
}

inputs_want() { # CASE...: is one of them to be timed?
	[ -z "$KEEP" ] || return 0
	# shellcheck disable=SC2086 # words
	for w_case; do
		case $(printf ' %s ' $CASES) in
		*" $w_case "*) return 0 ;;
		esac
	done
	return 1
}

inputs_bases() {
	bases="busybox debian"
	! inputs_want pullb pushb tarb || bases="$bases big"
	! inputs_want blobin blobout blobun || bases="$bases one"
	for base in $bases; do
		"inputs_$base" && "$DEVENV" -q --store "$W/store-inputs" push \
			"oci:$W/oci/$base:bench" "$R1/$base:bench" \
			>/dev/null || return 1
	done
	# This one is pushed from its layout, too.
	[ ! -d "$W/oci/one" ] || mv "$W/oci/one" "$W/layout"
	rm -rf "$W/store-inputs" "$W/oci"
}

# The ports are new each time, so what names them is written again.
inputs_make() {
	mkdir -p "$W/oci" "$W/tmp"
	inputs_registry r1 && R1=$registry && inputs_registry r2 &&
		R2=$registry && inputs_contexts || return 1
	[ -e "$W/made" ] || { inputs_bases && : >"$W/made"; } || return 1
	inputs_repository || return 1
	rm -rf "$W/tmp"
}
