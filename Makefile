# Makefile - build, test and install devenv (GNU make)

VERSION = 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
PKG_CONFIG ?= pkg-config
CC ?= cc
V ?= 0
FLAVOUR ?= release
B = build/$(FLAVOUR)

-include config.mk

# Linked: what nearly every command needs. The rest is loaded on first use
# (common/wrap/lazy.h), so only its headers are needed here.
LINKED = libcjson yaml-0.1 libseccomp libzstd libisal zlib
HEADERS = libgit2 libcurl libarchive libcrypto sqlite3

# Targets that build nothing must work before anything is installed.
NO_BUILD = help deps demo clean dist install-deps rows
ifneq ($(filter-out $(NO_BUILD),$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LINKED) $(HEADERS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(LINKED) 2>/dev/null)
# An enumerator that security updates added without a new version.
GIT_COMMON := $(shell $(PKG_CONFIG) --variable=includedir libgit2)/git2/common.h
ifneq ($(shell grep -s GIT_OPT_SET_PACK_MAX_OBJECT_SIZE $(GIT_COMMON)),)
PKG_CFLAGS += -DHAVE_GIT_PACK_MAX_OBJECT_SIZE
endif
endif

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wwrite-strings -Wundef \
	-Wpointer-arith -Wno-missing-field-initializers -fno-common
ifeq ($(WERROR),1)
WARN += -Werror
endif
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
BASE_FLAGS = -std=c11 -D_GNU_SOURCE -DDEVENV_VERSION='"$(VERSION)"' -pthread \
	-Icommon -I. $(WARN) $(PKG_CFLAGS)
LINK_FLAGS = -pie -Wl,-z,relro,-z,now -pthread
LIBS = $(PKG_LIBS) -lmbedcrypto -ldl -lm
ifeq ($(FLAVOUR),asan)
ALL_CFLAGS = $(BASE_FLAGS) -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK_FLAGS += -fsanitize=address,undefined
else
ALL_CFLAGS = $(BASE_FLAGS) -O2 -g $(HARDEN)
endif

LIB_SRC = $(sort $(wildcard common/*/*.c))
CMD_SRC = $(sort $(wildcard cmd/*.c))
UNIT_SRC = $(sort $(wildcard t/unit/*.c))
HELPER_SRC = $(sort $(wildcard t/helper/*.c))
FUZZ_SRC = $(sort $(wildcard t/fuzz/fuzz_*.c))
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
CMD_OBJ = $(CMD_SRC:%.c=$(B)/%.o)
UNIT_OBJ = $(UNIT_SRC:%.c=$(B)/%.o)
HELPERS = $(HELPER_SRC:t/helper/%.c=$(B)/helper/%)
FUZZERS = $(FUZZ_SRC:t/fuzz/%.c=$(B)/fuzz/%)
SCRIPTS = $(sort $(wildcard t/[0-9]*.sh))

ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @echo
endif

.PHONY: all check check-unit check-sh check-fuzz asan lint fmt fmt-check \
	hdr-check bench fuzz differential faults oracle install uninstall dist \
	clean help demo deps completions golden rows cache-table
.DELETE_ON_ERROR:

all: devenv

help:
	@echo "make            build ./devenv"
	@echo "make demo       install what is missing, build, show it at work"
	@echo "make check      install what tests need, build, run all tests"
	@echo "make asan       units and scripts under the sanitizers"
	@echo "make lint       clang-tidy, cppcheck, shellcheck, mandoc, layers"
	@echo "make hdr-check  every header compiles alone"
	@echo "make fmt        format with clang-format; fmt-check only looks"
	@echo "make golden     write what tests expect anew, for review"
	@echo "make cache-table  what each change does to the steps of a build"
	@echo "make rows       which tests prove which row of the language"
	@echo "make bench      time it beside buildah, print the ratios"
	@echo "make differential  random Dockerfiles beside buildah (SEEDS=A-B)"
	@echo "make faults     commands among random faults of servers (SEEDS=A-B)"
	@echo "make oracle     configurations beside the Dev Container CLI"
	@echo "make fuzz       libFuzzer on every parser (FUZZ_SECONDS each)"
	@echo "make deps       install packages to build; deps-test, deps-lint"
	@echo "make install    to PREFIX ($(PREFIX)); uninstall, dist, clean"

devenv: $(B)/devenv
	$(Q)cp $< $@

$(B)/devenv: $(CMD_OBJ) $(LIB_OBJ)
	$(say) "  LINK $@"
	$(Q)$(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(say) "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit: $(UNIT_OBJ) $(LIB_OBJ)
	$(say) "  LINK $@"
	$(Q)$(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcriterion

$(B)/helper/%: $(B)/t/helper/%.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/fuzz/%: $(B)/t/fuzz/%.o $(B)/t/fuzz/standalone.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# Packages are installed only when one of them is missing.
deps:
	@sh t/deps.sh build
deps-test: deps
	@sh t/deps.sh test
deps-lint: deps
	@sh t/deps.sh lint

demo: deps
	@$(MAKE) --no-print-directory devenv
	@sh contrib/demo/demo.sh ./devenv

check: deps-test
	@$(MAKE) --no-print-directory devenv $(B)/unit helpers fuzzers
	@sh t/run.sh $(B)

.PHONY: helpers fuzzers deps-test deps-lint
helpers: $(HELPERS)
fuzzers: $(FUZZERS)

asan: deps-test
	@$(MAKE) --no-print-directory FLAVOUR=asan build/asan/devenv \
		build/asan/unit helpers fuzzers
	@sh t/run.sh build/asan

SEEDS ?= 1-500
oracle: devenv helpers
	@sh t/oracle/run.sh compare
	@sh t/oracle/run.sh real
	@sh t/oracle/features.sh
	@sh t/oracle/repos.sh

differential: deps-test
	@$(MAKE) --no-print-directory devenv helpers
	@sh t/differential/run.sh --seeds $(SEEDS)

faults: deps-test
	@$(MAKE) --no-print-directory devenv helpers
	@sh t/faults/run.sh --seeds $(SEEDS)

fuzz: deps-lint
	@sh t/fuzz/run.sh "$(LIBS)" $(BASE_FLAGS)

lint: deps-lint
	@$(MAKE) --no-print-directory devenv
	@sh t/lint/run.sh $(BASE_FLAGS)

hdr-check: deps
	@set -e; for h in common/*/*.h cmd/*.h; do \
		$(CC) $(ALL_CFLAGS) -fsyntax-only -x c $$h; done

fmt:
	clang-format -i $(CMD_SRC) $(LIB_SRC) $(UNIT_SRC) \
		$(wildcard common/*/*.h cmd/*.h t/helper/*.c t/fuzz/*.c)
fmt-check:
	clang-format --dry-run -Werror $(CMD_SRC) $(LIB_SRC) \
		$(wildcard common/*/*.h cmd/*.h)

cache-table: deps-test devenv helpers
	@DEVENV_TEST_TABLE=all sh t/run.sh $(B) t/5200-cache-table.sh \
		t/5210-cache-toggles.sh

bench: deps-test devenv
	@sh t/bench/run.sh

completions: devenv
	@mkdir -p completions
	./devenv completion bash > completions/devenv.bash
	./devenv completion zsh > completions/_devenv
	./devenv completion fish > completions/devenv.fish

# Which tests prove which row of the goal table.
rows:
	@sh t/rows/make.sh >t/rows/README.md.new || :
	@mv t/rows/README.md.new t/rows/README.md

golden: devenv
	@sh t/golden/rewrite.sh ./devenv

install: devenv
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(COMPDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 755 devenv $(DESTDIR)$(BINDIR)/devenv
	for s in 1 5 7; do for p in man/*.$$s; do [ ! -f $$p ] || \
		install -m 644 $$p $(DESTDIR)$(MANDIR)/man$$s/; done; done
	install -m 644 completions/devenv.bash $(DESTDIR)$(COMPDIR)/devenv
	install -m 644 completions/_devenv $(DESTDIR)$(ZSHDIR)/_devenv
	install -m 644 completions/devenv.fish $(DESTDIR)$(FISHDIR)/devenv.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/devenv $(DESTDIR)$(COMPDIR)/devenv \
		$(DESTDIR)$(ZSHDIR)/_devenv $(DESTDIR)$(FISHDIR)/devenv.fish
	for s in 1 5 7; do for p in man/*.$$s; do \
		rm -f $(DESTDIR)$(MANDIR)/man$$s/$${p##*/}; done; done

dist:
	git archive --prefix=devenv-$(VERSION)/ -o devenv-$(VERSION).tar.gz HEAD

clean:
	rm -rf build devenv
