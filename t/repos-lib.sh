# repos-lib.sh - sourced: the repositories of t/repos and what is expected of them
# shellcheck shell=sh disable=SC2154 # who sources it sets $name, $who, $here
#
#	repos_publish		put their images and Features into $registry
#	repos_checkout DIR	a tree of the repository $name for $who
#	repos_questions, repos_answers, repos_lines KEY
#				of the expect in $here
#
# Each folder of t/repos/ with an `expect` is a case. The lines of expect:
#
#	option WORD...		more options of up; @HERE@ is the folder
#	path DIR		the directory that is given to up
#	clone			up gets the address of the repository, whose
#				library/ becomes the submodule vendor/library
#	user NAME, folder DIR, env NAME VALUE, order WORD...
#				what a command in there sees; "order" is what
#				the lifecycle commands wrote into ~/order
#	again WORD...		the same when it starts a second time
#	file PATH TEXT		the first line of a file in there
#	prints TEXT : COMMAND	what a command in there prints
#	says REGEX		standard error matches
#	hidden TEXT		is in no file of the store and no message
#
# "nothing" is a variable or file that is not there.
REPOS=$SRC/t/repos

repos_image() { # TARGET NAME
	"$DEVENV" build -q --target "$1" --push \
		-t "$registry/$2" "$TMP/images" >/dev/null
}
repos_images() {
	cp -r "$REPOS/images" "$TMP/images" &&
		runtime_image "$TMP/images/root" || return 1
	while read -r target name; do
		repos_image "$target" "$name" || return 1
	done <<-'END'
		python devcontainers/python:3.12
		universal devcontainers/universal:2
		node library/node:20
		golang library/golang:1.22
		gcc library/gcc:13
		rust library/rust:1-slim
		postgres library/postgres:16
	END
}
repos_feature() { # ID VERSIONS
	tar -C "$REPOS/features/$1" --owner=0 --group=0 -cf "$TMP/$1.tar" . &&
		python3 "$SRC/t/helper/feature.py" "$registry" \
			"acme/features/$1" "$2" "$TMP/$1.tar" \
			"$REPOS/features/$1/devcontainer-feature.json"
}

repos_publish() {
	t_ok "images to start from" repos_images
	t_ok "a Feature" repos_feature poetry 1,1.4.0,latest
	t_ok "and another" repos_feature certificates latest
}

# A tree of the repository $name for $who, with its history. What is said of
# files to Git is not said to the one that holds this test.
repos_checkout() { # DIR
	mkdir -p "$1" && cp -r "$REPOS/$name/tree/." "$1" && (
		cd "$1" && git init -q &&
			git config remote.origin.url "file://$1" &&
			if [ -e gitattributes ]; then
				mv gitattributes .gitattributes
			fi && git add -A &&
			if [ -d "$REPOS/$name/library" ]; then
				git submodule --quiet add \
					../library vendor/library
			fi && git commit -qm start
	) && chown -R "$who" "$1"
}

# The lines of expect that a command in there can answer, as that command.
repos_questions() {
	echo 'first() { if [ -e "$1" ] && [ ! -d "$1" ]; then head -n 1 "$1"; else echo nothing; fi; }'
	while read -r key word rest; do
		case $key in
		user) echo 'echo "user $(id -un)"' ;;
		folder) echo 'echo "folder $PWD"' ;;
		env) echo "echo \"env $word \${$word-nothing}\"" ;;
		order) echo 'echo order $(cat ~/order)' ;;
		file) echo "echo \"file $word \$(first $word)\"" ;;
		prints)
			c="$word $rest"
			c=${c#* : }
			echo "echo \"prints \$($c) : \"'$c'"
			;;
		esac
	done <"$here/expect"
}
repos_answers() {
	grep -E '^(user|folder|env|order|file|prints) ' "$here/expect"
}
repos_lines() { # KEY: what follows it
	sed -n "s|@HERE@|$here|g; s/^$1 \{0,1\}//p" "$here/expect"
}
