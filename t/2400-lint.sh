#!/bin/sh
# devenv lint and build --check: findings, their forms, and what silences them
. "$(dirname "$0")/lib.sh"

cd "$TMP" || exit 1
mkdir app
cat >app/Dockerfile <<'X'
ARG TAG=1
FROM scratch AS Base
COPY kept left /
FROM scratch as other
ENV a b
CMD run
X
echo left >app/.dockerignore
echo 1 >app/kept
echo 1 >app/left

t_run "$DEVENV" lint app
t_status 1 "findings are a plain no"
cat >want <<X
app/Dockerfile:2: StageNameCasing: Stage name 'Base' should be lowercase
app/Dockerfile:3: CopyIgnoredFile: Attempting to Copy file "left" that is excluded by .dockerignore
app/Dockerfile:4: FromAsCasing: 'as' and 'FROM' keywords' casing do not match
app/Dockerfile:5: LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format
app/Dockerfile:6: JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
X
t_ok "each has its file, line and rule, also in stages nobody needs" \
	diff -u want "$out"
t_is "$(cat "$err")" "" "nothing is said beside them"
cp "$out" text
t_run "$DEVENV" build --check app
t_status 1 "build --check finds"
t_ok "the same" cmp text "$out"
t_is "$(ls "$DEVENV_STORE/layers")" "" "and builds nothing"
t_run "$DEVENV" -C app lint -f Dockerfile
t_status 1 "-f names the file"
t_out '^Dockerfile:2: StageNameCasing' "relative to where one is"

t_run "$DEVENV" lint --format=json app
t_status 1 "json: findings are a plain no"
cat >want <<X
  {
    "file": "app/Dockerfile",
    "level": "warning",
    "line": 2,
    "message": "Stage name 'Base' should be lowercase",
    "rule": "StageNameCasing"
  },
X
sed -n 2,8p "$out" >have
t_ok "json: the members of a finding" diff -u want have
t_is "$(grep -c '"rule"' "$out")" 5 "json: all of them"

echo 'FROM scratch' >app/clean
t_run "$DEVENV" lint app -f app/clean --format=json
t_status 0 "json: clean"
t_is "$(cat "$out")" "[]" "json: an empty list"
t_run "$DEVENV" lint app -f app/clean
t_status 0 "clean"
t_is "$(cat "$out" "$err")" "" "nothing is printed"

printf 'FROM scratch AS A\nCOPY --nope x /\n' >app/broken
for format in text json; do
	t_run "$DEVENV" lint app -f app/broken --format=$format
	t_status 3 "$format: a file with an error, too"
	t_err '^devenv: app/broken:2:1: .*unknown flag: --nope' \
		"$format: is told where"
	t_out StageNameCasing "$format: what was found is printed"
done
printf 'FROM scratch AS A\nRUN <<E\n' >app/broken
t_run "$DEVENV" lint app -f app/broken --format=json
t_status 3 "a file that cannot be read"
t_is "$(cat "$out")" "[]" "is an empty list"

# Whole files: t/golden/lint/CASE (make golden writes what is expected).
for case in "$SRC"/t/golden/lint/*/; do
	name=$(basename "$case")
	t_run "$DEVENV" -C "$case" lint
	t_status 1 "golden $name: findings"
	t_ok "golden $name: as text" diff -u "$case/expect.txt" "$out"
	t_run "$DEVENV" -C "$case" lint --format=json
	t_ok "golden $name: as JSON" diff -u "$case/expect.json" "$out"
done

# What counts
printf '# check=skip=StageNameCasing,FromAsCasing\nFROM scratch as A\n' \
	>app/skip
t_run "$DEVENV" lint app -f app/skip
t_status 0 "[P07] the check directive leaves rules out"
t_run "$DEVENV" lint app -f app/skip \
	--build-arg BUILDKIT_DOCKERFILE_CHECK=skip=FromAsCasing
t_status 1 "[A09] BUILDKIT_DOCKERFILE_CHECK overrides it"
t_is "$(cut -d: -f3 "$out")" " StageNameCasing" "by all that it says"
t_run env BUILDKIT_DOCKERFILE_CHECK=skip=all "$DEVENV" lint app \
	--build-arg BUILDKIT_DOCKERFILE_CHECK
t_status 0 "its value may come from the environment"
t_run "$DEVENV" lint app --build-arg BUILDKIT_DOCKERFILE_CHECK=error=maybe
t_status 2 "a wrong value of it"
t_err 'BUILDKIT_DOCKERFILE_CHECK: failed to parse check option "error=maybe"' \
	"is named"
printf 'FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER a\n' \
	>app/one
t_run "$DEVENV" lint app -f app/one
t_status 0 "[P07] a comment above an instruction speaks for it"
printf '# check=error=true\nFROM scratch AS A\n' >app/strict
t_run "$DEVENV" lint app -f app/strict --format=json
t_status 1 "[P07] error=true: lint still lists"
t_out '"level": "error"' "with its level"

# Builds
t_run "$DEVENV" build app -f app/strict
t_status 3 "[P07] error=true fails a build"
t_err "^devenv: warning: app/strict:2: StageNameCasing: Stage name 'A' should" \
	"the finding is told"
t_err '^devenv: app/strict:2:1: lint violation found for rules: StageNameCasing' \
	"and that it ended the build"
printf 'FROM scratch AS A\nWORKDIR x\nCOPY left /\n' >app/warn
rm app/.dockerignore
t_run "$DEVENV" build app -f app/warn
t_status 0 "findings are warnings of a build"
t_is "$(grep -c 'app/warn:1: StageNameCasing' "$err")" 1 "each is told once"
t_is "$(grep -c 'app/warn:2: WorkdirRelativePath' "$err")" 1 \
	"that of an instruction as well"
t_run "$DEVENV" build app -f app/warn \
	--build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all
t_status 0 "they can be silenced"
t_is "$(grep -c 'Casing\|Workdir' "$err")" 0 "all of them"

# What acts on nothing is told.
echo 'FROM scratch' >app/plain
t_run "$DEVENV" -v build app -f app/plain \
	--build-arg BUILDKIT_SYNTAX=docker/dockerfile:1 \
	--build-arg BUILDKIT_INLINE_CACHE=1 \
	--build-arg BUILDKIT_MULTI_PLATFORM=0
t_status 0 "[A09] arguments of the builder"
t_err 'syntax=docker/dockerfile:1: the language is built in' \
	"[A09] [P06] a frontend is not fetched, and that is said"
t_err 'warning: .*BUILDKIT_INLINE_CACHE is not used' "[A09] nor is a cache inline"
t_is "$(grep -Ec 'BUILDKIT_(SYNTAX|MULTI_PLATFORM) is not used' "$err")" 0 \
	"[A09] what is known is no unused argument"

# Bases are known as far as the store has them.
printf 'FROM scratch\nENV TOOL=1\n' >app/base
printf 'FROM localhost/tools:1\nENV x=$TOOL\n' >app/child
t_run "$DEVENV" lint app -f app/child
t_status 1 "a base image that is not here"
t_out 'UndefinedVar: Usage of undefined variable .\$TOOL' \
	"is not fetched to know its environment"
t_run "$DEVENV" build app -f app/base -t localhost/tools:1
t_status 0 "a base image in the store"
t_run "$DEVENV" lint app -f app/child
t_status 0 "is looked at"
printf 'FROM --platform=linux/riscv64 localhost/tools:1 AS riscv64\n' \
	>app/foreign
t_run "$DEVENV" lint app -f app/foreign
t_status 1 "a base image of another platform"
t_out 'InvalidBaseImagePlatform: Base image localhost/tools:1 was pulled with' \
	"is told of"

printf 'FROM scratch AS A\nARG TARGETARCH\nENV v=${TARGETARCH#a} w=$x\n' \
	>app/many
t_run "$DEVENV" lint app -f app/many --platform linux/amd64,linux/arm64
t_status 1 "several platforms"
t_is "$(cut -d: -f3 "$out" | tr -d '\n')" " StageNameCasing UndefinedVar" \
	"what is found for all of them is told once"
t_run "$DEVENV" lint app -f app/many --platform linux/amd64,a/b/c/d
t_status 2 "a wrong one among them"
t_err "platform 'a/b/c/d' has more than three parts" "is refused"

# What names the Dockerfile
mkdir -p dev/.devcontainer .coder/images
printf 'FROM scratch AS A\n' >dev/Dockerfile
cat >dev/.devcontainer/devcontainer.json <<'X'
{
  "build": {
    "dockerfile": "../Dockerfile",
    "options": ["--memory=1g"]
  }
}
X
t_run "$DEVENV" lint dev
t_status 1 "a configuration and its Dockerfile"
t_out "^dev/.devcontainer/devcontainer.json:4: ConfigWarning: .*memory" \
	"what nothing acts on is a finding"
t_out '^dev/Dockerfile:1: StageNameCasing' "and what the Dockerfile has"
printf '{\n  "build": {"dockerfile": "gone"}\n}\n' \
	>dev/.devcontainer/devcontainer.json
t_run "$DEVENV" lint dev
t_status 3 "a configuration whose Dockerfile is not there"
t_err '^devenv: dev/.devcontainer/gone: No such file or directory' \
	"is no finding but an error"
printf '{\n  "image": 7\n}\n' >dev/.devcontainer/devcontainer.json
t_run "$DEVENV" lint dev --format=json
t_status 1 "a broken configuration"
t_out '"rule": "ConfigInvalid"' "is a finding"
t_out '"line": 2' "with its line"
t_out '"level": "error"' "that is more than a warning"
printf 'name: t\ntype: image\nspec:\n  dockerfile: d\n  colour: red\n' \
	>.coder/images/t.yaml
t_run "$DEVENV" lint image t
t_status 1 "a broken template"
t_out '^.coder/images/t.yaml:5: TemplateInvalid: ' "is a finding"
printf '// old\nname: t\ntype: image\nspec:\n  dockerfile: Dockerfile\n' \
	>.coder/images/t.yaml
echo 'FROM scratch as a' >Dockerfile
t_run "$DEVENV" lint image t
t_status 1 "a template with its Dockerfile"
t_out '^.coder/images/t.yaml:1: TemplateWarning: ' "its warnings are findings"
t_out '^Dockerfile:1: FromAsCasing' "and those of the Dockerfile"

t_run "$DEVENV" lint nothing/here
t_status 3 "neither a file nor an image"
t_err "there is no file or directory 'nothing/here', and no image of that name" \
	"is told"
t_run "$DEVENV" lint a b c
t_status 2 "too many words"
t_err "too many arguments|unexpected|at most" "are refused"
t_done
