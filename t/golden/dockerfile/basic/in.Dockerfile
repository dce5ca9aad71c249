# syntax=docker/dockerfile:1
# escape=\
ARG BASE=debian:12 V
FROM --platform=$TARGETPLATFORM ${BASE:-x} AS build
ARG BASE V=${BASE%%:*}
ENV A=1 B="x $A" C=${V/d/r}
RUN --mount=type=cache,target=/x,id="a" echo $A \
  # comment
  && true
RUN <<EOF2 cat <<-'E'
a
EOF2
	b
	E
COPY --chown=1:2 --chmod=u=rwX,go=rX <<X a* [b] ./
hello $A "q" \$
X
HEALTHCHECK --interval=1m3.5s --retries=3 CMD ["a", "b"]
ONBUILD RUN echo hi
EXPOSE 80-82/udp ${V:+53}
FROM build
COPY --from=build /a /b/
LABEL a=b "c d"="e f"
STOPSIGNAL RTMIN+3
VOLUME ["/a", "/b"]
SHELL ["/bin/bash", "-c"]
CMD x
ENTRYPOINT ["y"]
WORKDIR rel
USER a:b
MAINTAINER me
