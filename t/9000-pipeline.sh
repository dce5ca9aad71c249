#!/bin/sh
# 9000-pipeline.sh - from a Git server through a registry to what runs
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root userns git nginx fcgiwrap docker-registry skopeo buildah \
	mmdebstrap dpkg-deb jq useradd setpriv newuidmap
build_bases debian || t_fail "the base images can be made"
env_accounts

# A package of our own, a repository that installs it.
mkdir -p "$TMP/deb/DEBIAN" "$TMP/deb/usr/bin"
cat >"$TMP/deb/DEBIAN/control" <<'END'
Package: greet
Version: 1.0
Architecture: all
Maintainer: Tester <tester@example.com>
Description: says hello
END
printf '#!/bin/sh\necho "hello from a package"\n' >"$TMP/deb/usr/bin/greet"
chmod 755 "$TMP/deb/usr/bin/greet"
dpkg-deb -b --root-owner-group "$TMP/deb" "$TMP/greet.deb" >/dev/null
git_repo app.git
git clone -q "$GIT_ROOT/app.git" "$TMP/work" 2>/dev/null
(
	cd "$TMP/work" || exit 1
	mkdir -p .devcontainer src
	echo 'print "one"' >src/main
	cp "$TMP/greet.deb" .
	cat >Dockerfile <<END
FROM $registry/debian AS tool
COPY src /src
RUN wc -c </src/main >/size && . /etc/os-release && echo "\$ID" >/id
FROM $registry/debian
COPY greet.deb /tmp/
RUN dpkg -i /tmp/greet.deb && rm /tmp/greet.deb
COPY --from=tool /size /id /out/
RUN groupadd -g 1500 tools && useradd -m -u 1234 -G tools dev
ENV STAGE=last
USER dev
WORKDIR /home/dev
CMD ["sh", "-c", "echo the default"]
END
	cat >.devcontainer/devcontainer.json <<'END'
{
	// comments are fine
	"build": { "dockerfile": "../Dockerfile", "context": ".." },
	"containerEnv": { "WHERE": "${containerWorkspaceFolder}" },
	"remoteEnv": { "PATH": "${containerEnv:PATH}:/extra" },
	"onCreateCommand": "echo created by $(id -un)",
}
END
	git add -A
	git commit -qm app
	git push -q origin HEAD 2>/dev/null
)
git_http_start

# The pipe of one user, its records kept; $1: who, $2: root|range|single.
pipe_env() {
	mkdir "$TMP/$1"
	chown "$2" "$TMP/$1"
	chmod 755 "$TMP/$1"
}

# exec'd by sh in the user's directory, with the user's own store.
in_dir() { # WHO KIND SCRIPT
	(
		cd "$TMP/$2" || exit 1
		HOME=$TMP/$2
		DEVENV_STORE=$TMP/$2/store
		export HOME DEVENV_STORE
		env_as "$1" timeout 300 sh -ec "$3"
	)
}
SHOW='cat /etc/os-release; id; greet; cat /out/id /out/size; env; pwd; ls'

for kind in root range single; do
	case $kind in
	root) who=root ;;
	range) who=$RANGE ;;
	single) who=$SINGLE ;;
	esac
	pipe_env $kind "$who"
	export DEVENV SHOW
	ref=$registry/app:$kind
	t_run in_dir "$who" $kind "'$DEVENV' clone '$GIT_HTTP/app.git' |
		'$DEVENV' parse - | '$DEVENV' build - |
		'$DEVENV' push - '$ref' |
		'$DEVENV' run - -- sh -c \"\$SHOW\""
	t_status 0 "$kind: clone, parse, build, push, run in one pipe"
	t_out '^ID=debian$' "$kind: it runs Debian"
	case $kind in
	single) t_out '^uid=1234\(dev\) gid=1234\(dev\)' "$kind: the user" ;;
	*) t_out '^uid=1234\(dev\) gid=1234\(dev\) groups=1234\(dev\),1500\(tools\)' \
		"$kind: as the user, with all groups" ;;
	esac
	t_out '^hello from a package$' "$kind: the package is there"
	t_out '^12$' "$kind: and what another stage made"
	t_out '^WHERE=/workspaces/app$' "$kind: containerEnv"
	t_out '^PATH=.*/bin:/extra$' "$kind: remoteEnv of a variable in there"
	t_out '^STAGE=last$' "$kind: ENV of the image"
	t_out '^HOME=/home/dev$' "$kind: HOME of the user"
	t_out '^/workspaces/app$' "$kind: in the workspace"
	t_out '^Dockerfile$' "$kind: which is the clone"
	t_err '^\[onCreateCommand\] created by dev' "$kind: hooks ran"
	cp "$out" "$TMP/piped"

	# The same through files, a stage at a time.
	t_run in_dir "$who" $kind "rm -rf app
		'$DEVENV' clone '$GIT_HTTP/app.git' >1
		'$DEVENV' parse 1 >2
		'$DEVENV' build 2 >3
		'$DEVENV' push 3 '$ref' >4
		'$DEVENV' run 4 -- sh -c \"\$SHOW\""
	t_status 0 "$kind: the same with each record in a file"
	t_ok "$kind: gives the same" cmp "$out" "$TMP/piped"
	t_err ': 0 steps run' "$kind: nothing was built again"
	for file in 1 2 3 4; do
		t_is "$(jq -r .source.commit "$TMP/$kind/$file")" \
			"$(git -C "$GIT_ROOT/app.git" rev-parse trunk)" \
			"$kind: record $file has the commit"
	done
	t_is "$(jq -r '.pushed[0].digest' "$TMP/$kind/4")" \
		"$(skopeo inspect --tls-verify=false -f '{{.Digest}}' \
			"docker://$ref")" \
		"$kind: the digest is the registry's"
	t_run in_dir "$who" $kind "'$DEVENV' run 3 -- sh -c 'exit 42'"
	t_status 42 "$kind: a record of an earlier stage runs, too"
	t_run in_dir "$who" $kind "'$DEVENV' --store new run '$ref'"
	t_status 0 "$kind: an empty store takes it from the registry"
	t_out '^the default$' "$kind: without a plan it is the image's command"

	# An edited record is what counts.
	jq '.plan.target = "tool"' "$TMP/$kind/2" >"$TMP/$kind/edited"
	t_run in_dir "$who" $kind "'$DEVENV' build edited >5
		'$DEVENV' run -u root 5 -- cat /size"
	t_is "$(cat "$out")" 12 "$kind: an edited plan builds what it says"

	# The whole way at once.
	t_run in_dir "$who" $kind "rm -rf app
		'$DEVENV' up '$GIT_HTTP/app.git' -- sh -c \"\$SHOW\""
	t_status 0 "$kind: up does it all"
	t_ok "$kind: with the same result" cmp "$out" "$TMP/piped"
	t_err 'nothing to build' "$kind: and builds nothing again"
	t_run in_dir "$who" $kind "'$DEVENV' store verify"
	t_status 0 "$kind: the store is sound"
	t_is "$(ls -A "$TMP/$kind/store/tmp")" "" "$kind: nothing is left"
	t_run in_dir "$who" $kind "'$DEVENV' rm -f app-*; rm -rf store new app" \
		2>/dev/null
done

# The images of all three are one, but for what a single id cannot say.
digest() {
	skopeo inspect --tls-verify=false \
		--config "docker://$registry/app:$1" |
		jq -r '[.rootfs.diff_ids[], .config.User, .config.Env[]] | .[]'
}
t_is "$(digest range | grep -v sha256)" "$(digest root | grep -v sha256)" \
	"root and user make the same configuration"
t_is "$(digest range | grep -c sha256)" "$(digest root | grep -c sha256)" \
	"and as many layers"

# A failing end of the pipe is told by each.
t_run sh -c "cd '$TMP' && '$DEVENV' clone '$GIT_HTTP/none.git' |
	'$DEVENV' parse - | '$DEVENV' build -"
t_status 3 "a pipe that begins with an error ends with one"
t_err 'none.git' "and the first cause is told"

t_done
