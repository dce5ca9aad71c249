#!/bin/sh
# devenv parse: which file of a tree counts, the record and the views
. "$(dirname "$0")/lib.sh"

cd "$TMP" || exit 1
mkdir -p app/.git app/src
printf 'FROM busybox AS one\nARG A\nRUN echo $A\nFROM one\n' >app/Dockerfile
printf 'node_modules\n!node_modules/keep\n' >app/.dockerignore
mkdir -p app/node_modules/x
echo 1 >app/node_modules/keep
echo 1 >app/node_modules/x/gone
echo hello >app/src/main
echo flat >app/src.txt
ln -s src/main app/link
chmod 755 app app/src app/node_modules
chmod 640 app/src/main

t_run "$DEVENV" parse app
t_status 0 "a Dockerfile is enough"
t_out '"kind": "dockerfile"' "the plan says what it is"
t_out "\"path\": \"$TMP/app/Dockerfile\"" "paths are absolute"
t_out '"schema": "devenv/1"' "a record comes out"

t_run "$DEVENV" -C app parse --relative --build-arg A=1 --build-arg HOME --target one
t_status 0 "relative"
t_out '"context": "\."' "the context is relative"
t_out '"path": "Dockerfile"' "so is the Dockerfile"
t_out '"A": "1"' "a build argument is kept"
t_out '"HOME": null' "one without a value is left to the build"
t_out '"target": "one"' "the target is kept"

t_run "$DEVENV" parse app --print=context
t_status 0 "context view"
sed -n 's/^ *"path": "\(.*\)",\{0,1\}$/\1/p' "$out" >paths
t_is "$(tr '\n' ' ' <paths)" \
	".dockerignore .git Dockerfile link node_modules node_modules/keep src src.txt src/main " \
	"what survives the ignore file, sorted by path"
t_out '"mode": "0640"' "modes are octal"
t_out '"target": "src/main"' "links have their target"
t_out '"size": 6' "files have their size"

t_run "$DEVENV" parse app --print=dockerfile
t_ok "dockerfile view is the text" cmp "$out" app/Dockerfile
t_run "$DEVENV" parse app --print=ast
t_status 0 "ast view"
t_out '"instruction": "FROM"' "ast has instructions"
t_run "$DEVENV" parse app --print=stages --build-arg A=7
t_status 0 "stages view"
t_out '"name": "one"' "stages have names"
t_run "$DEVENV" parse app --print=config
t_status 3 "no configuration, no config view"
t_err "no devcontainer.json in '$TMP/app'" "and that is said"

echo 'FROM scratch' >other
t_run "$DEVENV" parse app -f other
t_out "\"path\": \"$TMP/other\"" "-f is read from here"
t_run "$DEVENV" parse app -f src/main
t_out "\"path\": \"$TMP/app/src/main\"" "or else in the project"
t_run "$DEVENV" parse app -f nowhere
t_status 3 "a missing Dockerfile"
t_err "no Dockerfile 'nowhere'" "is named"

mkdir empty
t_run "$DEVENV" parse empty
t_status 3 "an empty tree has no plan"
t_err "no devcontainer.json or Dockerfile in '$TMP/empty'" "and says so"
t_is "$(wc -c <"$out")" 0 "nothing on standard output"
t_run "$DEVENV" parse empty --fallback-image busybox:1
t_status 0 "a fallback makes one"
t_out '"kind": "fallback"' "of its own kind"
t_out '"text": "FROM busybox:1\\n"' "from that image"
t_run "$DEVENV" parse empty --fallback-image 'a
RUN id'
t_status 2 "a fallback is a name, not instructions"
t_err 'is not an image name' "and that is said"
t_run env ENVBUILDER_FALLBACK_IMAGE=old DEVENV_FALLBACK_IMAGE=new \
	"$DEVENV" parse empty
t_out 'FROM new' "the DEVENV_ name wins over the ENVBUILDER_ one"
t_run "$DEVENV" parse empty --print=context
t_status 0 "a context needs no Dockerfile"
t_out '^\[\]$' "an empty one is an empty list"

printf '{"schema":"devenv/1","zoo":{"k":1},"source":{"url":"u","path":"%s"}}' \
	"$TMP/app" >record
t_run "$DEVENV" parse record
t_status 0 "a record names the tree"
t_out '"zoo"' "other sections pass through"
t_out '"url": "u"' "so does the source"
"$DEVENV" parse - <record >piped 2>"$err"
t_ok "- is a record on standard input" cmp piped "$out"
t_run sh -c "'$DEVENV' parse record | '$DEVENV' parse - --print=plan"
t_status 0 "a plan can be made again"
echo '{"schema":"devenv/1"}' >bare
t_run "$DEVENV" parse bare
t_status 3 "a record without a tree or a plan"
t_err '^devenv: .*bare:1:1: source.path: the record names no tree' "is refused"
echo '{"schema":"devenv/1","plan":{"kind":"x"}}' >bad
t_run "$DEVENV" parse bad
t_status 3 "a record with a broken plan"
t_err 'bad:1:37: plan.kind: expected one of' "is refused with its position"
echo '{"schema":"devenv/2"}' >newer
t_run "$DEVENV" parse - <newer
t_status 3 "a record of another version"
t_err '^devenv: .*-:1:11: schema: not "devenv/1"' "is refused"

t_run "$DEVENV" parse app -o result
t_status 0 "-o"
t_is "$(wc -c <"$out")" 0 "-o leaves standard output empty"
t_ok "-o writes the record" grep -q '"kind": "dockerfile"' result

mkdir linked
touch linked/a linked/b
echo a >outside-rules
ln -s "$TMP/outside-rules" linked/.dockerignore
t_run "$DEVENV" parse linked --print=context
t_status 0 "an ignore file that is a link out of the context"
t_out '"path": "a"' "is not followed, as in a build"
ln -sf rules linked/.dockerignore
echo a >linked/rules
t_run "$DEVENV" parse linked --print=context
t_is "$(grep -c '"path": "a"' "$out")" 0 "one inside is"
t_out '"path": "b"' "and leaves the others"

ln -s /etc/passwd empty/Dockerfile
t_run "$DEVENV" parse empty
t_status 3 "a link out of the tree"
t_err 'lies outside of' "is not followed"
t_run "$DEVENV" parse app --print=nonsense
t_status 2 "an unknown view"
t_err 'nonsense' "is named"
for verb in parse build; do
	t_run "$DEVENV" $verb nodir
	t_status 3 "$verb: a path that is not there"
	t_err "there is no file or directory 'nodir'" "$verb: is named"
	t_err "^hint: name a project's directory" "$verb: with what may be"
	t_run "$DEVENV" $verb - </dev/null
	t_status 3 "$verb: nothing on standard input"
	t_err '^devenv: standard input is empty' "$verb: is told"
done
t_run "$DEVENV" push - localhost/x:1 </dev/null
t_err '^devenv: standard input is empty' "push: is told"
t_run "$DEVENV" run - </dev/null
t_status 125 "run: nothing on standard input"
t_err '^devenv: standard input is empty' "run: is told"
t_run "$DEVENV" parse a b
t_status 2 "two words that are no template"
t_err "unexpected 'b'" "are refused"
t_done
