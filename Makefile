# make build      build/libncrypt11.so and build/ncrypt11
# make demo       the main job on a fresh machine, step by step
# make test       everything, installing what the tests drive
# make compatibility  every program with the large counts, and docs/COMPATIBILITY.md from what came of it
# make check      what can be said without running the library
# make bench      speed against SoftHSM2, and what a guard costs; bench-quick for a first look
# make install    DESTDIR and PREFIX as usual

GO ?= go
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share
# p11-kit looks into /usr/share/p11-kit/modules and /etc/pkcs11/modules, and never below /usr/local.
P11KIT_MODULES ?= $(if $(filter /usr/local,$(PREFIX)),/etc/pkcs11/modules,$(DATADIR)/p11-kit/modules)
# systemd looks below /usr/local, too, whatever LIBDIR is.
SYSTEMD ?= $(PREFIX)/lib
BUILD := build

# The build cache knows the files of a package, and p11.h and include lie outside
# of the package that includes them: their sum among the flags makes a changed one count.
P11H_SUM := $(shell cat p11.h include/*.h | sha256sum | cut -c1-16)
CGO_FLAGS := CGO_ENABLED=1 CGO_CFLAGS="-O2 -g0 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -DNCRYPT11_P11H=0x$(P11H_SUM)ULL"

# Every relocation is done at load, and what was relocated is read-only afterwards.
LINK := -Wl,-z,relro -Wl,-z,now -Wl,--build-id=none
# Of the library, exactly the C_* and NCrypt functions can be seen from outside.
LINK_LIBRARY := -Wl,--version-script=$(CURDIR)/module/exports.map $(LINK)
# The command is the guard too: it asks for no library that could come between, and
# lies at another address in each process. Names are resolved by Go, since the C
# library's ways load libraries.
LINK_COMMAND := -static-pie $(LINK)
COMMAND_FLAGS := -buildmode=pie -tags netgo,osusergo
GO_FLAGS := -trimpath -buildvcs=false
GO_LINK := -s -w -buildid=

BUILD_LIBRARY = $(CGO_FLAGS) $(GO) build -buildmode=c-shared $(GO_FLAGS) -ldflags '$(GO_LINK) -extldflags "$(LINK_LIBRARY)"'
BUILD_COMMAND = $(CGO_FLAGS) $(GO) build $(COMMAND_FLAGS) $(GO_FLAGS) -ldflags '$(GO_LINK) -linkmode=external -extldflags "$(LINK_COMMAND)"'

.PHONY: build library command reproducible generate deps check test unit abi clients shim guard threats race asan fuzz programs compatibility bench bench-quick demo install clean

build: library command

# Go's own cache decides what is out of date. The C header that Go writes along
# is not the module's interface: p11.h is.
library:
	@mkdir -p $(BUILD)
	$(BUILD_LIBRARY) -o $(BUILD)/libncrypt11.so ./module
	@rm -f $(BUILD)/libncrypt11.h

command:
	@mkdir -p $(BUILD)
	$(BUILD_COMMAND) -o $(BUILD)/ncrypt11 ./cmd/ncrypt11

# Two builds, the second one in another place and with an empty cache, give the
# same bytes.
reproducible: build
	GO="$(GO)" MAKE="$(MAKE)" sh tools/reproducible.sh $(BUILD)

generate:
	$(GO) run ./cabi/gen
	gofmt -w cabi token/ck

deps:
	sh tools/install-deps.sh

check:
	@sh tools/gofmt.sh
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) run ./cabi/gen -check
	$(GO) run ./tools/source
	$(GO) run ./tools/licences
	$(GO) test -count=1 ./test/floors
	$(GO) test -count=1 -run '^(TestDocument|TestRules|TestExists)$$' ./test/threats

# Each suite is a row of the table in tools/suites. The last line counts.
test: deps check build reproducible
	@rm -f $(BUILD)/programs/rows.jsonl
	$(GO) run ./tools/suites all
	$(GO) run ./tools/compatibility -check

unit race abi asan clients shim guard threats fuzz programs: build
	$(GO) run ./tools/suites $@

# Real programs, as often as it takes to believe it, and the table of them.
compatibility: deps build
	@rm -f $(BUILD)/programs/rows.jsonl
	NCRYPT11_LONG=1 $(GO) run ./tools/suites programs
	$(GO) run ./tools/compatibility

bench: build
	sh test/bench/run.sh
	sh test/bench/inject.sh

bench-quick: build
	sh test/bench/run.sh --quick
	sh test/bench/inject.sh --quick

demo: deps build
	sh test/demo/demo.sh
	sh test/demo/guard.sh

# The module file has the whole path: p11-kit looks for bare names in a directory of its own.
install: build
	install -D -m 755 $(BUILD)/ncrypt11 $(DESTDIR)$(PREFIX)/bin/ncrypt11
	install -D -m 755 $(BUILD)/libncrypt11.so $(DESTDIR)$(LIBDIR)/libncrypt11.so
	install -D -m 644 p11.h $(DESTDIR)$(PREFIX)/include/ncrypt11/p11.h
	install -m 644 include/*.h $(DESTDIR)$(PREFIX)/include/ncrypt11
	install -d $(DESTDIR)$(P11KIT_MODULES)
	printf 'module: %s\n' $(LIBDIR)/libncrypt11.so > $(DESTDIR)$(P11KIT_MODULES)/ncrypt11.module
	install -D -m 644 docs/man/ncrypt11.1 $(DESTDIR)$(DATADIR)/man/man1/ncrypt11.1
	install -D -m 644 packaging/systemd/ncrypt11-guard.socket $(DESTDIR)$(SYSTEMD)/systemd/system/ncrypt11-guard.socket
	install -D -m 644 packaging/systemd/ncrypt11-guard.service.in $(DESTDIR)$(SYSTEMD)/systemd/system/ncrypt11-guard.service
	sed -i 's|@bindir@|$(PREFIX)/bin|' $(DESTDIR)$(SYSTEMD)/systemd/system/ncrypt11-guard.service
	install -D -m 644 packaging/systemd/ncrypt11.sysusers $(DESTDIR)$(SYSTEMD)/sysusers.d/ncrypt11.conf
	install -D -m 644 packaging/systemd/ncrypt11.tmpfiles $(DESTDIR)$(SYSTEMD)/tmpfiles.d/ncrypt11.conf

clean:
	rm -rf $(BUILD)
