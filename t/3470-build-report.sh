#!/bin/sh
# 3470-build-report.sh - the page about a build
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"

t_need root busybox jq python3
CTX=$TMP/ctx
PAGE=$TMP/page.html
mkdir -p "$CTX/src"
cp "$(command -v busybox)" "$CTX/busybox"
head -c 300000 /dev/zero >"$CTX/src/large & <b>bold"
head -c 1000 /dev/zero >"$CTX/src/small"
dockerfile() {
	cat >"$CTX/Dockerfile" <<'X'
FROM scratch AS base
COPY busybox /bin/sh
COPY busybox /bin/sleep
FROM base AS one
ARG flavour=sweet
RUN sleep 0.3; echo $flavour >/out
FROM base AS unused
RUN echo never
FROM base
ENV A=1
COPY src /src
COPY --from=one /out /out
X
}
dockerfile
build() { t_run "$DEVENV" build --report "$PAGE" "$@" "$CTX"; }
page() { python3 "$SRC/t/helper/page.py" "$PAGE" >"$TMP/cells"; }
# The row of a table that has a cell, its cells in one line.
row() { # CELL
	awk -v RS= -v FS='\n' -v cell="$1" '{
		for (i = 1; i <= NF; i++) if ($i == cell) {
			gsub("\n", "|"); print; exit } }' "$TMP/cells"
}

build
t_status 0 "a build with a report"
t_ok "the page is well formed and refers to nothing" page
t_is "$(grep -c '<script\|href=\|src=\|http:\|https:' "$PAGE")" 0 \
	"it has no script and no address"
t_is "$(row 'one 2/2' | sed 's/0\.[3-9][0-9] s/TIME/; s/|$//')" \
	"one 2/2|6|RUN sleep 0.3; echo \$flavour >/out|ran|TIME" \
	"a step has its name, line, text, state and time"
t_is "$(grep -c 'never' "$PAGE")" 0 "stages that nothing needs are not there"
t_ok "bars stand where steps ran" grep -q \
	'class="bar"><i style="left:[0-9.]*%;width:[0-9.]*%">' "$PAGE"
t_is "$(row '301 kB' | tr -d '\n')" \
	'COPY src /src|301 kB|2|/src/large & <b>bold 300 kB/src/small 1.0 kB' \
	"a layer has its size, and its largest files by their names"

build
page
t_is "$(row 'one 2/2' | cut -d'|' -f4,5)" "cached|0.00 s" \
	"what was in the cache is told"
build --build-arg flavour=sour
page
t_is "$(row 'one 2/2' | cut -d'|' -f4)" ran "another argument"
t_ok "is the reason" grep -qi 'flavour' "$TMP/cells"
sed -i 's/sleep 0.3/sleep 0.1/' "$CTX/Dockerfile"
build
page
t_ok "so is another text" grep -q "sleep 0.1" "$TMP/cells"
build --no-cache
page
t_is "$(grep -c '^the cache was not asked$' "$TMP/cells")" 5 \
	"so is --no-cache"

# --- text that would be more than text ---
cat >>"$CTX/Dockerfile" <<'X'
LABEL "</td><script>alert(1)</script>"="x"
RUN echo '</code></td><script>document.title="owned"</script><img src=x onerror=alert(1)>'; echo "&amp; \" ' <!-- -->"
X
printf 'RUN echo "\342\200\256evil\302\233 \377 \001"; sleep 0 ]]> </style><style>*{display:none}\n' \
	>>"$CTX/Dockerfile"
t_run "$DEVENV" build --report "$PAGE" "$CTX"
t_status 7 "a build that fails"
t_ok "has its page, with all markup as text" page
grep -q 'alert(1)>' "$TMP/cells" && grep -q "<!-- -->" "$TMP/cells"
t_is $? 0 "which is there to read"
t_is "$(grep -c '^failed$' "$TMP/cells")" 1 "the step that failed is marked"
t_ok "with its message" grep -q 'class="error".*ended with status 2' "$PAGE"
t_ok "what has no safe form is shown by its bytes" \
	grep -q '\\xe2\\x80\\xaeevil\\xc2\\x9b \\xff \\x01' "$PAGE"
t_run "$DEVENV" build --report "$TMP/none/page.html" "$CTX"
t_status 7 "a page that cannot be written does not hide why a build failed"
dockerfile
t_run "$DEVENV" build --report "$TMP/none/page.html" "$CTX"
t_status 4 "where it succeeded it is the failure"

printf 'FROM scratch\nCOPY src /src\n' >"$CTX/Dockerfile"
build --platform linux/amd64,linux/arm/v7
t_status 0 "several platforms"
for platform in linux-amd64 linux-arm-v7; do
	t_ok "have a page each: $platform" grep -q 'COPY src' \
		"$TMP/page-$platform.html"
done

if command -v chromium >/dev/null; then
	dockerfile
	echo 'RUN echo "<script>document.title=1</script>"; exit 3' \
		>>"$CTX/Dockerfile"
	build
	dom() {
		timeout 60 chromium --headless --no-sandbox --disable-gpu \
			--user-data-dir="$TMP/chromium" --dump-dom \
			"file://$PAGE" >"$TMP/dom" 2>"$TMP/chromium.log"
	}
	t_ok "a browser reads it" dom
	t_is "$(grep -c '<script' "$TMP/dom")" 0 "as a page without a script"
	t_is "$(grep -o '<tr' "$TMP/dom" | wc -l)" \
		"$(grep -o '<tr' "$PAGE" | wc -l)" "and with all its rows"
fi
t_done
