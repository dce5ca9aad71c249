#!/bin/sh
# devenv parse: what is wrong in a Dockerfile is told in the words people know
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/p"
cd "$TMP" || exit 1

# The Dockerfile is standard input; its error is at LINE, or nowhere (0).
wrong() { # ROWS LINE MESSAGE [OPTION...]
	w_rows=$1
	w_place="devenv: p/Dockerfile:$2:1: "
	[ "$2" != 0 ] || w_place="devenv: "
	w_text=$3
	shift 3
	cat >p/Dockerfile
	t_run "$DEVENV" parse p --print=stages "$@"
	if [ "$status" -ne 3 ] && [ "$status" -ne 2 ]; then
		t_fail "$w_rows $w_text" "status $status"
		t_show
	elif [ -s "$out" ]; then
		t_fail "$w_rows $w_text" "something on standard output"
	else
		head -n 1 "$err" | sed 's/dockerfile parse error on line [0-9]*: //' \
			>said
		t_is "$(cat said)" "$w_place$w_text" "$w_rows $w_text"
	fi
}
# The same for one instruction behind FROM.
in_stage() { # ROWS INSTRUCTION MESSAGE
	printf 'FROM a\n%s\n' "$2" | wrong "$1" 2 "$3"
}

printf 'FROM a\nFOOBAR b\n' >p/Dockerfile
t_run "$DEVENV" parse p --print=stages
t_status 3 "[P22] a rejected file"
t_err '^devenv: p/Dockerfile:2:1: dockerfile parse error on line 2: unknown' \
	"[P22] the message has the file, line and column"

wrong '[P11]' 1 'file with no instructions' <<X

X
wrong '[P21]' 1 'no build stage in current context' <<X
RUN true
X
wrong '[P21]' 1 'dockerfile contains no stages to build' <<X
ARG a
X
wrong '[P04]' 2 'only one escape parser directive can be used' <<'X'
# escape=\
# escape=`
FROM a
X
wrong '[P05]' 1 "invalid escape token 'x' does not match \` or \\" <<X
# escape=x
FROM a
X
wrong '[P06]' 1 'unknown instruction: //SYNTAX=DOCKER/DOCKERFILE:1' <<X
//syntax=docker/dockerfile:1
FROM a
X
wrong '[P06]' 1 'unknown instruction: {"SYNTAX":"X"}' <<X
{"syntax":"x"}
FROM a
X
in_stage '[P12]' 'FOOBAR x' 'unknown instruction: FOOBAR'
in_stage '[P12]' 'FRMO x' 'unknown instruction: FRMO (did you mean FROM?)'
in_stage '[P13]' 'RUN --x y' 'unknown flag: --x'
in_stage '[P13]' 'COPY --form=a b c' \
	'unknown flag: --form (did you mean from?)'
in_stage '[P13]' 'COPY --from=a --from=b c d' \
	'duplicate flag specified: --from'
in_stage '[P13]' 'COPY --from c d' 'missing a value on flag: --from'
in_stage '[P13]' 'COPY --link= c d' 'missing a value on flag: --link'
in_stage '[P13]' 'COPY --link=v c d' \
	'expecting boolean value for flag --link, not: v'
in_stage '[P13]' 'STOPSIGNAL --x 9' 'unknown flag: --x'
in_stage '[P13]' 'HEALTHCHECK --interval=1s NONE' \
	'HEALTHCHECK NONE takes no arguments'
in_stage '[P14]' 'CMD ["a", 1]' \
	'when using JSON array syntax, arrays must be comprised of strings only'
in_stage '[P17]' 'ENV x' 'ENV must have two arguments'
in_stage '[P17]' 'ENV a=1 b' \
	"Syntax error - can't find = in \"b\". Must be of the form: name=value"
in_stage '[P17]' 'LABEL =b' 'LABEL names can not be blank'
in_stage '[P17]' 'ENV a=b =c' 'ENV names can not be blank'
wrong '[P19]' 2 'unterminated heredoc' <<'X'
FROM a
COPY <<E /b
text
X
in_stage '[I38]' 'COPY a <<E
E' 'COPY cannot accept a heredoc as a destination'

for word in ENV LABEL ARG EXPOSE VOLUME SHELL HEALTHCHECK ONBUILD; do
	in_stage '[P13]' $word "$word requires at least one argument"
done
for word in WORKDIR USER STOPSIGNAL MAINTAINER; do
	in_stage '[P13]' $word "$word requires exactly one argument"
done
for word in COPY ADD; do
	in_stage '[I27]' "$word x" "$word requires at least two arguments, but \
only one was provided. Destination could not be determined"
done

wrong '[S01]' 1 'FROM requires either one or three arguments' <<X
FROM a b
X
wrong '[S01]' 1 "invalid name for build stage: \"1x\", name can't start with \
a number or contain symbols" <<X
FROM a AS 1x
X
wrong '[S01]' 1 "failed to parse stage name \"a:b:c\": image reference \
'a:b:c': 'b:c' is not a tag" <<X
FROM a:b:c
X
wrong '[A01]' 1 "base name (\$x) should not be blank" <<X
FROM \$x
X
wrong '[S04]' 1 "empty platform value from expression \$x" <<X
FROM --platform=\$x a
X
wrong '[S04]' 1 "failed to parse platform a/b/c/d: platform 'a/b/c/d' has \
more than three parts" <<X
FROM --platform=a/b/c/d a
X
echo 'FROM a AS build' >one
for target in 'biuld|target stage "biuld" could not be found (did you mean build?)' \
	'other|target stage "other" could not be found' '7|invalid stage index 7'; do
	wrong '[S05]' 0 "p/Dockerfile: ${target#*|}" --target "${target%%|*}" \
		<one
done
wrong '[S07]' 1 'circular dependency detected on stage: b' <<X
FROM a AS b
COPY --from=b x y
X
wrong '[S07]' 2 'cannot copy from stage "b", it needs to be defined before current stage "stage-0"' <<X
FROM a
COPY --from=b x y
FROM a AS b
X
in_stage '[I34]' 'COPY --from=7 a b' 'invalid stage index 7'
in_stage '[I34] [E07]' "COPY --from=\$x a b" 'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround'
wrong '[A08]' 0 'invalid SOURCE_DATE_EPOCH: x' \
	--build-arg SOURCE_DATE_EPOCH=x <one

in_stage '[E01]' "ENV a='b" "failed to process \"'b\": unexpected end of \
statement while looking for matching single-quote"
in_stage '[E02]' 'ENV a=${}' \
	'failed to process "${}": syntax error: bad substitution'
in_stage '[E02]' 'ENV a=${b' \
	"failed to process \"\${b\": syntax error: missing '}'"
in_stage '[E03]' 'ENV a=${b:=c}' \
	'failed to process "${b:=c}": unsupported modifier (:=) in substitution'
in_stage '[E03]' 'ENV a=${b?}' \
	'failed to process "${b?}": b: is not allowed to be unset'
in_stage '[E03]' 'ENV a=${b:?why}' 'failed to process "${b:?why}": b: why'
wrong '[E03]' 3 'failed to process "${b:?}": b: is not allowed to be empty' <<'X'
FROM a
ENV b=
ENV a=${b:?}
X

in_stage '[I04]' 'RUN --mount=tpye=bind x' \
	"unexpected key 'tpye' in 'tpye=bind' (did you mean type?)"
in_stage '[I04]' 'RUN --mount=type=foo x' 'unsupported mount type "foo"'
in_stage '[I04]' "RUN --mount=from=\$x,target=/a x" \
	"'from' doesn't support variable expansion, define alias stage instead"
in_stage '[I11]' 'RUN --network=nnoe x' \
	'network "nnoe" is not valid (did you mean none?)'
in_stage '[I12]' 'RUN --security=foo x' 'security "foo" is not valid'
in_stage '[I19]' 'EXPOSE 80:' 'invalid port: "80:": no port specified'
in_stage '[I19]' 'EXPOSE 70000' 'invalid port: "70000": invalid containerPort'
in_stage '[I19]' 'EXPOSE 9-8' 'invalid port: "9-8": invalid containerPort'
in_stage '[I19]' 'EXPOSE 80/icmp' 'invalid port: "80/icmp": invalid proto'
in_stage '[I22]' 'VOLUME [""]' 'VOLUME specified can not be an empty string'
in_stage '[I22]' "VOLUME \$none" 'VOLUME specified can not be an empty string'
in_stage '[I23]' 'STOPSIGNAL FOO' 'invalid signal: FOO'
in_stage '[I23]' "STOPSIGNAL \${x:-65}" 'invalid signal: 65'
in_stage '[I24]' 'HEALTHCHECK NONE x' 'HEALTHCHECK NONE takes no arguments'
in_stage '[I24]' 'HEALTHCHECK x y' \
	'Unknown type "X" in HEALTHCHECK (try CMD)'
in_stage '[I24]' 'HEALTHCHECK CMD' 'Missing command after HEALTHCHECK CMD'
for flag in interval timeout start-period start-interval; do
	in_stage '[I24]' "HEALTHCHECK --$flag=1us CMD x" \
		"Interval \"$flag\" cannot be less than 1ms"
done
in_stage '[I24]' 'HEALTHCHECK --timeout=5 CMD x' \
	'time: missing unit in duration "5"'
in_stage '[I24]' 'HEALTHCHECK --retries=-1 CMD x' \
	'--retries cannot be negative (-1)'
in_stage '[I25]' 'SHELL a b' \
	'SHELL requires the arguments to be in JSON form'
in_stage '[I25]' 'SHELL []' 'SHELL requires at least one argument'
in_stage '[I26]' 'ONBUILD ONBUILD RUN x' \
	"Chaining ONBUILD via \`ONBUILD ONBUILD\` isn't allowed"
in_stage '[I26]' 'ONBUILD FROM x' "FROM isn't allowed as an ONBUILD trigger"
in_stage '[I26]' 'ONBUILD MAINTAINER x' \
	"MAINTAINER isn't allowed as an ONBUILD trigger"
in_stage '[I26]' 'ONBUILD COPY --nope x y' 'unknown flag: --nope'
in_stage '[I27]' 'COPY http://x/y b' "source can't be a URL for COPY"
in_stage '[I27]' 'COPY git@x:y/z b' "source can't be a git ref for COPY"
in_stage '[I27]' "COPY \${x:-http://x/y} b" "source can't be a URL for COPY"
in_stage '[I33]' 'COPY --chmod=99999 b c' "invalid chmod parameter: '99999'. \
it should be octal string and between 0 and 07777"
in_stage '[I33]' "COPY --chmod=\${x:-8} b c" "invalid chmod parameter: '8'. \
it should be octal string and between 0 and 07777"
in_stage '[I42]' 'ADD --checksum=sha256:a b c d' \
	"checksum can't be specified for multiple sources"
t_done
