#!/bin/sh
# devenv parse --print=stages and ast: what the text of a Dockerfile means
. "$(dirname "$0")/lib.sh"
t_need jq

mkdir "$TMP/p"
cd "$TMP" || exit 1

# The Dockerfile is standard input, the JSON that FILTER makes of the view is
# compared; $options are the command's.
view=stages
options=
means() { # SENTENCE FILTER WANTED
	cat >p/Dockerfile
	# shellcheck disable=SC2086 # words
	t_run "$DEVENV" parse p --print=$view $options
	have=$(jq -c "$2" <"$out")
	t_is "$have" "$3" "$1"
	[ "$status" = 0 ] || t_show
}
config() { # SENTENCE FILTER WANTED: of the last stage
	means "$1" ".[-1].config|$2" "$3"
}
texts() { # SENTENCE WANTED: of the last stage's steps
	means "$1" '[.[-1].steps[].text]' "$2"
}

# Commands
config '[I14] CMD in exec form' .Cmd '["a","b c"]' <<X
FROM x
CMD ["a", "b c"]
X
config '[I14] CMD in shell form, the last one counts' .Cmd \
	'["/bin/sh","-c","a  b"]' <<X
FROM x
CMD ["z"]
CMD a  b
X
config '[I14] [I25] CMD in shell form goes through SHELL' .Cmd \
	'["/b","-e","a"]' <<X
FROM x
SHELL ["/b", "-e"]
CMD a
X
config '[I14] an empty CMD is one' '[has("Cmd"), .Cmd]' '[true,[]]' <<X
FROM x
CMD []
X
config '[I15] ENTRYPOINT clears the CMD of its base' \
	'{Cmd, Entrypoint}' '{"Cmd":null,"Entrypoint":["e"]}' <<X
FROM scratch
ENTRYPOINT ["e"]
X
config '[I15] [2.4] a CMD of the same stage stays' \
	'{Cmd, Entrypoint}' '{"Cmd":["c"],"Entrypoint":["e"]}' <<X
FROM x
CMD ["c"]
ENTRYPOINT ["e"]
X
config '[I15] [2.4] so does one of the stage below' .Cmd '["c"]' <<X
FROM x AS a
CMD ["c"]
FROM a
ENTRYPOINT ["e"]
X
config '[I15] an empty ENTRYPOINT is none' 'has("Entrypoint")' false <<X
FROM x AS a
ENTRYPOINT ["e"]
FROM a
ENTRYPOINT []
X
config '[I15] ENTRYPOINT in shell form' .Entrypoint '["/bin/sh","-c","e f"]' <<X
FROM x
ENTRYPOINT e f
X

# What the others set
config '[I16] [2.3] ENV replaces in place' .Env '["a=3","b=2"]' <<X
FROM x
ENV a=1 b=2
ENV a=3
X
config '[I16] [P17] the old form takes the rest of the line' .Env \
	'["a=b  c"]' <<X
FROM x
ENV a b  "c"
X
config '[I17] [2.15] labels, and no others' .Labels \
	'{"a":"b c","two words":"3"}' <<X
FROM x
LABEL a="b c" "two words"=3
X
means '[I18] MAINTAINER is no part of config' \
	'.[0]|[.steps[0].text, (.config|length)]' '["MAINTAINER me",0]' <<X
FROM x
MAINTAINER me
X
config '[I19] [E09] [2.5] ports: ranges, protocols, split after expansion' \
	'.ExposedPorts|keys' '["1/udp","2/tcp","3/tcp","80/sctp","81/tcp"]' <<X
FROM x AS a
EXPOSE 1/UDP
FROM a
ARG p="2-3 80/sctp"
EXPOSE \$p 127.0.0.1:9:81
X
config '[I20] [2.8] USER as it is written' .User '"a:b"' <<X
FROM x
ARG u=a
USER \$u:b
X
config '[I20] [2.8] it is inherited' .User '"7"' <<X
FROM x AS a
USER 7
FROM a
X
config '[I21] WORKDIR joins and is cleaned' .WorkingDir '"/a/c"' <<X
FROM x
WORKDIR a/b/
WORKDIR ../c/.
X
means '[I21] and makes a directory each time' \
	'[.[0].steps[].destination]' '["/a/b","/a/c"]' <<X
FROM x
WORKDIR a/b/
WORKDIR ../c/.
X
config '[I22] [2.5] volumes add up' '.Volumes|keys' '["/a","/b c","/d"]' <<X
FROM x AS a
VOLUME /a /d
FROM a
VOLUME ["/b c", "/a"]
X
config '[I23] STOPSIGNAL after expansion' .StopSignal '"SIGRTMIN+3"' <<X
FROM x
ARG s=SIGRTMIN+3
STOPSIGNAL \$s
X
config '[I24] [2.6] HEALTHCHECK in nanoseconds, without what is zero' \
	.Healthcheck \
	'{"Interval":90000000000,"Retries":2,"StartInterval":5000000000,"Test":["CMD-SHELL","a b"],"Timeout":1500000}' \
	<<X
FROM x
HEALTHCHECK --interval=1m30s --timeout=1.5ms --start-interval=5s --retries=2 --start-period=0s CMD a b
X
config '[I24] [2.6] it replaces the whole one before' .Healthcheck \
	'{"Test":["CMD","a"]}' <<X
FROM x
HEALTHCHECK --interval=9s cmd z
HEALTHCHECK CMD ["a"]
X
config '[I24] [2.6] NONE' .Healthcheck '{"Test":["NONE"]}' <<X
FROM x
HEALTHCHECK none
X
config '[I25] [2.8] SHELL is inherited' '{Shell, Cmd}' \
	'{"Shell":["/b"],"Cmd":["/b","a"]}' <<X
FROM x AS a
SHELL ["/b"]
FROM a
CMD a
X
config '[I26] [2.7] ONBUILD keeps the text, heredocs behind it' .OnBuild \
	'["RUN  a \\\\","COPY <<E /f\ntext\nE"]' <<'X'
FROM x
ONBUILD RUN  a \\
ONBUILD COPY <<E /f
text
E
X
means '[I26] [2.7] triggers run right after FROM and are gone' \
	'.[1]|[[.steps[].text], .config.OnBuild]' '[["ENV a=1","ENV b=1"],null]' \
	<<'X'
FROM x AS p
ONBUILD ENV a=1
FROM p
ENV b=$a
X
means '[I26] a trigger that copies makes its stage needed' \
	'[.[].reachable]' '[true,true,true]' <<X
FROM x AS s
FROM x AS p
ONBUILD COPY --from=s a b
FROM p
X
config '[2.1] [S03] scratch' . \
	'{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"WorkingDir":"/"}' \
	<<X
FROM scratch
X

# Expansion: what, and in which scope
texts '[E07] what is expanded' \
	'["ARG v=w","WORKDIR /w","COPY --chown=w --chmod=0644 w /w/d","ADD w /w/d","ENV w=w","LABEL w=w","EXPOSE [80/tcp]","STOPSIGNAL SIGTERM","USER w","VOLUME [/w]"]' \
	<<'X'
FROM x
ARG v=w
WORKDIR /$v
COPY --chown=$v --chmod=${m:-0644} $v /$v/d
ADD $v /$v/d
ENV $v=$v
LABEL $v=$v
EXPOSE ${p:-80}
STOPSIGNAL ${s:-SIGTERM}
USER $v
VOLUME /$v
X
texts '[E07] what is not' \
	'["ARG v=w","RUN $v","CMD [\"$v\"]","ENTRYPOINT [\"$v\"]","SHELL [$v]","HEALTHCHECK &{[\"CMD\" \"$v\"] \"0s\" \"0s\" \"0s\" \"0s\" '"'\\\\x00'"'}","MAINTAINER $v","ONBUILD RUN $v"]' \
	<<'X'
FROM x
ARG v=w
RUN $v
CMD ["$v"]
ENTRYPOINT ["$v"]
SHELL ["$v"]
HEALTHCHECK CMD ["$v"]
MAINTAINER $v
ONBUILD RUN $v
X
means '[E07] [A01] FROM and its platform, by global arguments' \
	'[.[]|.base, .platform]' \
	'["img:1-a","linux/arm64","img:1-a","linux/arm64"]' <<'X'
ARG v=1
ARG t=${v}-a p=linux/arm64
FROM --platform=$p img:$t AS s
ARG v=2
FROM --platform=$p img:$t
X
texts '[E08] ENV sees what was before, ARG what was just set' \
	'["ENV a=0","ENV a=1 b=0","ARG c=1 d=1"]' <<'X'
FROM x
ENV a=0
ENV a=1 b=$a
ARG c=1 d=$c
X
texts '[E11] what is undefined is empty' '["ENV a=[]"]' <<'X'
FROM x
ENV a=[$nothing]
X
options='--build-arg a=c --build-arg e= --build-arg eq=1=2'
texts '[A02] a given value wins, an empty one too, and is kept whole' \
	'["ARG a=d e=d eq f=d","ENV x=c,,1=2,d,[]"]' <<'X'
ARG a=g f=g
FROM x
ARG a=d e=d eq f=d
ENV x=$a,$e,$eq,$f,[$g]
X
means '[A02] in FROM as well' '.[0].base' '"img.c"' <<'X'
ARG e=x a=y
FROM img$e.$a AS s
X
options=
texts '[A02] without one a default of the stage, then the global value' \
	'["ARG a=d b c","ENV x=d,g,"]' <<'X'
ARG a=g b=g c
FROM x
ARG a=d b c
ENV x=$a,$b,$c
X
texts '[A03] the stage below has its arguments' '["ENV y=1,"]' <<'X'
FROM x AS a
ARG v=1
FROM x AS b
ARG w=1
FROM a
ENV y=$v,$w
X
options='--build-arg a=c'
texts '[A04] ENV wins over ARG before and behind it' \
	'["ENV a=e","ARG a=d","ENV b=e","ARG z=1","ENV z=2","ENV y=2"]' <<'X'
FROM x
ENV a=e
ARG a=d
ENV b=$a
ARG z=1
ENV z=2
ENV y=$z
X
texts '[A04] also over one of the base' '["ARG a","ENV b=e"]' <<'X'
FROM x AS p
ENV a=e
FROM p
ARG a
ENV b=$a
X
options='--build-arg http_proxy=p --build-arg TARGETOS=q --platform linux/arm/v6'
texts '[A06] [A07] proxies need an ARG here, platforms may be given' \
	'["ENV a=[]","ARG http_proxy TARGETOS TARGETARCH TARGETVARIANT TARGETPLATFORM TARGETSTAGE","ENV b=p,q,arm,v6,linux/arm/v6,default"]' \
	<<'X'
FROM x
ENV a=[$http_proxy]
ARG http_proxy TARGETOS TARGETARCH TARGETVARIANT TARGETPLATFORM TARGETSTAGE
ENV b=$http_proxy,$TARGETOS,$TARGETARCH,$TARGETVARIANT,$TARGETPLATFORM,$TARGETSTAGE
X
options='--target S'
texts '[A07] TARGETSTAGE is the target as given' \
	'["ARG T","ENV a=S"]' <<'X'
ARG T=$TARGETSTAGE
FROM x AS s
ARG T
ENV a=$T
X
options=

# Stages
means '[S01] [S02] [S06] names, indexes, bases and what is needed' \
	'[.[]|[.name, .index, .base, .reachable]]' \
	'[["a",0,"x",false],["a",1,"y",true],["un-used.1_",2,"a",false],[null,3,"A",true]]' \
	<<X
FROM x AS A
FROM y AS a
FROM a AS un-used.1_
FROM A
X
means '[S01] digests' '.[0].base' \
	'"x@sha256:0000000000000000000000000000000000000000000000000000000000000000"' <<X
FROM x@sha256:0000000000000000000000000000000000000000000000000000000000000000
X
means '[P23] the comment above that begins with the name' \
	'[.[]|.description]' '["builds it",null,null]' <<X
# not this line
# a builds it
FROM x AS a
# something else
FROM x AS b
# c too far

FROM x AS c
X
means '[P23] lines, operations, sources and destinations' \
	'.[0].steps|map([.line, .operation, .sources, .destination])' \
	'[[2,"COPY",["a","<<E"],"/w/"],[5,"RUN",[],null],[7,"WORKDIR",[],"/d"]]' \
	<<'X'
FROM x
COPY a <<E /w/
text
E
RUN a \
  b
workdir /d
X

# The syntax alone
view=ast
means '[P06] [P04] directives' .directives \
	'{"check":"skip=all","escape":"`","syntax":"docker/dockerfile:1"}' <<'X'
# Syntax = docker/dockerfile:1
# escape=`
#check=skip=all
# other=1
FROM a
X
means '[P06] syntax after a shebang, which ends the others' .directives \
	'{"syntax":"x"}' <<'X'
#!/usr/bin/env x
# syntax=x
# escape=`
FROM a
X
means '[P12] [P13] unknown instructions and flags pass' \
	'.nodes|map([.instruction, .flags, .args])' \
	'[["FOO",["--bar=b z"],["--not a flag"]],["HEALTHCHECK",[],["what","ever"]]]' \
	<<'X'
foo --bar="b z" -- --not a flag
HEALTHCHECK what ever
X
means '[P14] forms' '.nodes|map(.form)' \
	'["exec","shell","shell","words","pairs","pairs","exec","words"]' <<'X'
RUN ["a"]
RUN ['a']
RUN ["a"] b
COPY a b
ENV a b
ARG c
VOLUME [ ]
EXPOSE ["80"]
X
means '[P17] an ARG without a value, and one with an empty one' \
	'.nodes[0].args' \
	'[{"key":"x","value":null},{"key":"y","value":""}]' <<X
ARG x y=
X
means '[P20] [P22] heredocs with lines, names and flags' \
	'.nodes[0]|[.start, .end, .heredocs]' \
	'[1,6,[{"chomp":true,"content":"\ta\n","expand":false,"fd":0,"name":"E F"},{"chomp":false,"content":"$b\n#c\n","expand":true,"fd":3,"name":"G"}]]' \
	<<'X'
RUN x <<-'E F' 3<<G
	a
	E F
$b
#c
G
FROM x
X
means '[P22] continuations count' '.nodes|map([.start, .end])' \
	'[[2,5],[6,6]]' <<'X'

RUN a \
# c

  b
USER a b
X
means 'USER and MAINTAINER have one argument' '.nodes|map(.args)' \
	'[["a b"],["c  d"]]' <<'X'
USER a b
MAINTAINER c  d
X
means '[P22] a trigger is a node of its own' '.nodes[0].onbuild|[.instruction, .form, .args]' \
	'["RUN","exec",["a"]]' <<'X'
ONBUILD run ["a"]
X
t_done
