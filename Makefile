# Jarvis: one Makefile, not recursive. `make help` lists what there is.
#
#   make SANITIZE=address,undefined …   builds into build-address,undefined/, so that two builds never mix

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

SERVICES := proxmox-poller thermal-collector gateway safety-gate executor
PROGRAMS := $(SERVICES) jarvisctl topicgen

# ── options ──────────────────────────────────────────────────────────────────────────────────────────────────────
SANITIZE ?=
PORT ?= 3004
MQTT_PORT ?= 1884
DATA ?= run/demo
FUZZ_SECONDS ?= 10
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell cat VERSION)

# V=1 shows the commands.
V ?=
Q := $(if $(V),,@)

# make COVERAGE=1 counts branches, in build-coverage/
COVERAGE ?=

build := build$(if $(SANITIZE),-$(SANITIZE))$(if $(COVERAGE),-coverage)
obj := $(build)/obj
CC := gcc
CLANG ?= clang
NODE := tools/node

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now
ifeq ($(SANITIZE),)
OPTIMIZE := -O2 -D_FORTIFY_SOURCE=2
else
OPTIMIZE := -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
LINK_HARDENING += -fsanitize=$(SANITIZE)
endif

ifneq ($(COVERAGE),)
OPTIMIZE := -O0 --coverage
LINK_HARDENING += --coverage
endif

PACKAGES := libuv libcjson libcurl libssh2 sqlite3 libsodium libcrypto libssl yaml-0.1
# libmosquitto and libcivetweb have no .pc file in every Debian; their headers are in the standard place.
LIBS_common := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lmosquitto -lm -lpthread
LIBS_gateway := -lcivetweb
LIBS_jarvisctl := -lqrencode

CFLAGS := -std=gnu17 -g $(OPTIMIZE) $(HARDENING) $(WARNINGS) -fno-common -D_GNU_SOURCE -I. \
	-DJARVIS_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDFLAGS := $(LINK_HARDENING) -Wl,--as-needed

# ── what there is ────────────────────────────────────────────────────────────────────────────────────────────────
common_sources := $(wildcard common/*.c)
common_objects := $(common_sources:%.c=$(obj)/%.o)
library := $(build)/libjarvis.a

unit_sources := $(wildcard tests/unit/test_*.c)
unit_programs := $(unit_sources:tests/unit/%.c=$(build)/tests/unit/%)
unit_helpers := $(filter-out $(unit_sources),$(wildcard tests/unit/*.c))
integration_sources := $(wildcard tests/integration/test_*.c)
integration_programs := $(integration_sources:tests/integration/%.c=$(build)/tests/integration/%)
harness_objects := $(patsubst %.c,$(obj)/%.o,$(filter-out $(integration_sources),$(wildcard tests/integration/*.c)))
fuzz_sources := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_programs := $(fuzz_sources:tests/fuzz/%.c=build/fuzz/%)

sources_jarvisctl := $(wildcard jarvisctl/*.c)
sources_topicgen := $(wildcard tools/topicgen/*.c)
sources_benchload := $(wildcard tests/bench/load/*.c)
sources_benchgate := $(wildcard tests/bench/gate/*.c)
sources_livecheck := $(wildcard tests/live/*.c)
$(foreach s,$(SERVICES),$(eval sources_$(s) := $(wildcard services/$(s)/*.c)))
# Everything of the services and jarvisctl but main.c: what their unit tests link.
logic_sources := $(filter-out %/main.c,$(wildcard services/*/*.c jarvisctl/*.c))
service_logic := $(logic_sources:%.c=$(obj)/%.o)

.PHONY: help all setup demo check check-full check-bare check-compose check-live unit integration tsan e2e bench \
	fuzz lint reference whole kills coverage coverage-programs format format-check generate generate-check install clean web web-check programs

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

all: programs web ## build everything into build/
programs: $(PROGRAMS:%=$(build)/%)

# ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────────
.SECONDARY:
$(obj)/%.o: %.c VERSION
	@mkdir -p $(@D)
	@echo "  cc   $@"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(library): $(common_objects)
	@rm -f $@
	@ar rcs $@ $^

define program
$(build)/$(1): $(sources_$(1):%.c=$(obj)/%.o) $(library)
	@echo "  link $$@"
	$(Q)$(CC) $(LDFLAGS) $$(filter %.o,$$^) $(library) $(LIBS_$(1)) $(LIBS_common) -o $$@
endef
$(foreach p,$(PROGRAMS) benchload,$(eval $(call program,$(p))))

# The gate held against a second judge, and simulated.
reference_programs := $(build)/judgements $(build)/simulate $(build)/scarce $(build)/whole
$(build)/judgements: $(obj)/tests/reference/judgements.o $(obj)/tests/reference/worlds.o
$(build)/simulate: $(patsubst %.c,$(obj)/%.o,$(wildcard tests/reference/sim*.c)) $(build)/libunit.a
$(build)/scarce: $(obj)/tests/reference/scarce.o $(build)/libunit.a
$(build)/whole: $(patsubst %.c,$(obj)/%.o,$(wildcard tests/reference/whole/*.c)) $(build)/libunit.a
# What both meet instead of broker, network, time and keywords; and where they may be killed.
whole_wrapped := bus_is_online bus_publish bus_publish_text bus_reply timer_new timer_free timer_once timer_every \
	timer_stop http_new http_free http_start http_cancel ssh_open ssh_free ssh_is_up ssh_exec ssh_cancel \
	password_verify log_write log_errno log_folded db_commit \
	journal_grant journal_send journal_task journal_finish journal_close
$(build)/whole: LDFLAGS += $(whole_wrapped:%=-Wl,--wrap=%)
$(reference_programs): $(build)/liblogic.a $(library)
	@echo "  link $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(filter %/libunit.a,$^) $(build)/liblogic.a $(library) $(if $(filter %/libunit.a,$^),-lcmocka) $(LIBS_common) -o $@

# The logic of all services in one archive: a unit test pulls in what it names and nothing else.
$(build)/liblogic.a: $(service_logic)
	@rm -f $@
	@ar rcs $@ $^

# They ask the services' own tables and logic.
$(build)/livecheck: $(sources_livecheck:%.c=$(obj)/%.o)
$(build)/benchgate: $(sources_benchgate:%.c=$(obj)/%.o)
$(build)/livecheck $(build)/benchgate: $(build)/liblogic.a $(library)
	@echo "  link $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(build)/liblogic.a $(library) $(LIBS_gateway) $(LIBS_common) -o $@

$(build)/libunit.a: $(unit_helpers:%.c=$(obj)/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(build)/tests/unit/%: $(obj)/tests/unit/%.o $(build)/libunit.a $(build)/liblogic.a $(library)
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) $(LDFLAGS) $< $(build)/libunit.a $(build)/liblogic.a $(library) -lcmocka $(LIBS_gateway) $(LIBS_common) -o $@

# The gate without a broker: what it publishes and its timer go to tests/unit/gate_shell.c.
shell_tests := $(patsubst %,$(build)/tests/unit/test_gate_%,shell start faults sweep)
wrapped := bus_publish bus_reply timer_new timer_free timer_every timer_stop
$(shell_tests): LDFLAGS += $(wrapped:%=-Wl,--wrap=%)

# The executor without a broker, a network and time: tests/unit/executor_lab.c.
lab_tests := $(patsubst %,$(build)/tests/unit/test_executor_%,epochs grants life nodes resume runs ssh_doubt ssh_links ssh_runs wait wake)
lab_wrapped := bus_is_online bus_publish bus_publish_text timer_new timer_free timer_once timer_stop http_new http_free \
	http_start http_cancel getifaddrs freeifaddrs socket setsockopt sendto \
	ssh_open ssh_free ssh_is_up ssh_exec ssh_cancel
$(lab_tests): LDFLAGS += $(lab_wrapped:%=-Wl,--wrap=%)

# A session's allocations may fail there.
$(build)/tests/integration/test_ssh_scarce: LDFLAGS += -Wl,--wrap=malloc,--wrap=realloc

$(build)/tests/integration/%: $(obj)/tests/integration/%.o $(harness_objects) $(library)
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) $(LDFLAGS) $< $(harness_objects) $(library) -lcmocka $(LIBS_common) -o $@

# ── the dashboard ────────────────────────────────────────────────────────────────────────────────────────────────
web_sources := $(shell find web -type f -not -path 'web/dist*' 2>/dev/null)

web: web/dist/index.html ## build the dashboard into web/dist
web/dist/index.html: $(web_sources) package-lock.json
	$(NODE) web/build.mjs

web-check: web ## types, unit tests and size of the dashboard
	$(NODE) node_modules/typescript/bin/tsc --noEmit -p web
	$(NODE) web/size.mjs
	@tests/run $(wildcard web/test/*.test.mjs web/test/*.test.ts)

# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────
setup: ## install what is missing on Debian 12 or 13
	@tools/setup check

demo: ## a simulated cluster and all services, until Ctrl-C; PORT= MQTT_PORT= DATA=
	@tools/setup demo
	@$(MAKE) -s -j$(shell nproc) all
	@exec $(NODE) tests/stack/demo.mjs --port $(PORT) --mqtt-port $(MQTT_PORT) --data '$(DATA)'

# ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────
check: ## everything that must pass before a change lands; ends with "N passed, N failed"
	@tools/setup check
	@tests/check

check-full: check ## and what takes longer: validators, long fuzzing, bare machines
	@$(MAKE) -s reference FIRST=$(shell date +%s) WORLDS=20000 SEEDS=100000 STRIDE=1 WHOLES=200000
	@$(MAKE) -s kills
	@$(MAKE) -s coverage
	@tools/validate/run
	@$(MAKE) -s fuzz FUZZ_SECONDS=300
	@$(MAKE) -s check-bare
	@$(MAKE) -s check-compose

check-bare: ## demo and check in fresh Debian 12 and 13 roots; needs root
	@tools/check-bare

check-compose: ## images and compose file in a real Docker engine; needs root
	@tools/setup check
	@tools/check-compose

# The files of an installation; OUT: where the redacted answers go. GUEST: one that may be lost, to act on; UNIT: one to restart.
CONFIG ?=
SECRETS ?=
OUT ?=
TIMEOUT ?=
GUEST ?=
ACT ?=
UNIT ?=
READ ?=
check-live: ## read your own Proxmox, changing nothing: CONFIG=jarvis.yaml; alone it says more
	@[ -n '$(CONFIG)' ] || { cat tests/live/usage.txt; exit 2; }
	@tools/setup demo
	@$(MAKE) -s -j$(shell nproc) programs $(build)/livecheck
	@exec $(NODE) tests/live/main.mjs --build '$(build)' --config '$(CONFIG)' $(if $(SECRETS),--secrets '$(SECRETS)') \
		$(if $(OUT),--out '$(OUT)') $(if $(TIMEOUT),--timeout '$(TIMEOUT)') \
		$(if $(GUEST),--guest '$(GUEST)') $(if $(ACT),--act '$(ACT)') $(if $(UNIT),--unit '$(UNIT)') $(if $(READ),--read '$(READ)')

# WORLDS: fifty judgements each. SEEDS, WHOLES: of the gate's core alone, and of gate and executor together.
# FIRST: the first seed.
FIRST ?= 1
WORLDS ?= 1000
SEEDS ?= 2000
STRIDE ?= 97
WHOLES ?= 10000
reference: $(reference_programs) ## the gate against a second judge, simulated, and short of memory
	@tests/reference/run $(build) $(FIRST) $(WORLDS) $(SEEDS) $(STRIDE) $(WHOLES)
whole: $(build)/whole ## gate and executor together in a simulation, WHOLES seeds from FIRST on
	@tests/reference/run $(build) $(FIRST) $(WHOLES)

# At most so many, and for so long; a SEED gives the same victims and pauses again.
KILLS ?= 1000
KILL_SECONDS ?= 300
SEED ?=
kills: programs ## broker, gate, executor and gateway killed at random moments, the long form
	@JARVIS_BUILD=$(build) JARVIS_KILLS=$(KILLS) JARVIS_KILLS_S=$(KILL_SECONDS) $(if $(SEED),JARVIS_SEED=$(SEED)) \
		tests/run -v -t 3600 tests/integration/actions_kills.test.mjs

gate_tests := $(patsubst tests/unit/%.c,$(build)/tests/unit/%,$(wildcard $(addprefix tests/unit/test_,gate_*.c audit*.c \
	grant.c tools.c place.c proof.c fresh.c persons.c totp.c)))
executor_tests := $(filter $(build)/tests/unit/test_executor_%,$(unit_programs))
# OF: only these folders, and only their tests.
OF ?=
coverage: ## branches of gate and executor that their tests take, with floors
	@$(MAKE) -s -j$(shell nproc) COVERAGE=1 coverage-programs
	@tools/coverage $(OF)
coverage-programs: $(gate_tests) $(executor_tests) $(reference_programs) $(addprefix $(build)/,executor proxmox-poller jarvisctl topicgen)

unit: $(unit_programs) ## unit tests
	@tests/run $(unit_programs)

# Above a minute: first, so that none of them runs on alone at the end.
long_tests := $(patsubst %,tests/integration/%.test.mjs,actions_luck poller_protection live live_acting poller_trouble)
node_tests := $(long_tests) $(filter-out $(long_tests),$(wildcard tests/integration/*.test.mjs tests/integration/redteam/*.test.mjs))
# Each mostly waits, for a period, a deadline, a code: together eight need less than one processor.
WAITING := -j 8
# What no sanitizer can say anything about: no C of ours runs in it.
ifeq ($(SANITIZE),)
node_tests += $(wildcard tests/stack/test/*.test.mjs tests/runner/test/*.test.mjs tests/sim/pve/test/*.test.mjs \
	tests/live/test/*.test.mjs)
else
node_tests := $(filter-out $(patsubst %,tests/integration/%.test.mjs,live% ssh_act ssh_act_catalogue ssh_act_places ssh_act_refuses),$(node_tests))
endif

integration: programs web $(build)/livecheck $(integration_programs) ## every service against a real broker
	@JARVIS_BUILD=$(build) tests/run $(WAITING) $(node_tests) $(integration_programs)

# What has threads, or talks to what has.
tsan_programs := $(addprefix $(build)/tests/integration/,test_bus test_ssh) \
	$(filter $(build)/tests/unit/test_http% $(build)/tests/unit/test_gateway_bridge $(build)/tests/unit/test_gateway_hub,$(unit_programs))
tsan: programs $(tsan_programs)
	@JARVIS_BUILD=$(build) tests/run $(WAITING) $(tsan_programs) $(wildcard tests/integration/gateway*.test.mjs)

e2e: all ## the dashboard in a real browser
	@JARVIS_BUILD=$(build) tests/run -j 2 $(wildcard tests/e2e/*.test.mjs)

bench: all $(build)/benchload $(build)/benchgate $(build)/whole ## measure what docs/performance.md promises; one table, JSON beside it
	@$(NODE) tests/bench/main.mjs

# ── fuzzing ──────────────────────────────────────────────────────────────────────────────────────────────────────
fuzz_flags := -std=gnu17 -g -O1 -D_GNU_SOURCE -I. -DJARVIS_VERSION='"$(VERSION)"' \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
build/fuzz/obj/%.o: %.c VERSION
	@mkdir -p $(@D)
	@echo "  cc   $@"
	$(Q)$(CLANG) $(subst fuzzer,fuzzer-no-link,$(fuzz_flags)) -MMD -MP -c $< -o $@

build/fuzz/libfuzzed.a: $(common_sources:%.c=build/fuzz/obj/%.o) $(logic_sources:%.c=build/fuzz/obj/%.o)
	@rm -f $@
	@ar rcs $@ $^

build/fuzz/fuzz_%: build/fuzz/obj/tests/fuzz/fuzz_%.o build/fuzz/libfuzzed.a
	@echo "  link $@"
	$(Q)$(CLANG) $(fuzz_flags) $^ $(LIBS_gateway) $(LIBS_common) -o $@

fuzz: $(fuzz_programs) ## every parser of foreign bytes, FUZZ_SECONDS each
	@tests/fuzz/run $(FUZZ_SECONDS) $(fuzz_programs)

# ── upkeep ───────────────────────────────────────────────────────────────────────────────────────────────────────
formatted := $(wildcard common/*.[ch] services/*/*.[ch] jarvisctl/*.[ch] tools/topicgen/*.[ch] \
	tests/unit/*.[ch] tests/integration/*.[ch] tests/fuzz/*.[ch] tests/reference/*.[ch] tests/reference/*/*.[ch] tests/bench/*/*.[ch] tests/live/*.[ch])

format: ## format the C sources
	clang-format -i $(formatted)

format-check:
	clang-format --dry-run -Werror $(formatted)

lint: ## layers, banned functions, sizes
	@tools/lint
	@awk '/^```c$$/ { code = 1; next } /^```$$/ { code = 0 } code' docs/a-service.md | $(CC) $(CFLAGS) -fsyntax-only -x c -

generate: $(build)/topicgen $(build)/jarvisctl ## write what is printed from the vocabulary
	@JARVIS_BUILD=$(build) tools/generate

generate-check: $(build)/topicgen $(build)/jarvisctl
	@JARVIS_BUILD=$(build) tools/generate --check

install: all ## install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/jarvis $(DESTDIR)$(PREFIX)/share/jarvis/web
	install -m 755 $(build)/jarvisctl $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(SERVICES:%=$(build)/%) $(build)/topicgen $(DESTDIR)$(PREFIX)/libexec/jarvis/
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 bash-completion/completions fish/vendor_completions.d zsh/vendor-completions)
	install -m 644 docs/jarvisctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	$(build)/jarvisctl completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/jarvisctl
	$(build)/jarvisctl completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/jarvisctl.fish
	$(build)/jarvisctl completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_jarvisctl
	install -m 644 web/dist/* $(DESTDIR)$(PREFIX)/share/jarvis/web/
	install -m 755 deploy/nodes/jarvis-thermal deploy/nodes/jarvis-act $(DESTDIR)$(PREFIX)/share/jarvis/
	install -m 644 deploy/nodes/jarvis-act.catalogue deploy/jarvis.example.yaml deploy/mosquitto/mosquitto.conf deploy/mosquitto/acl \
		$(DESTDIR)$(PREFIX)/share/jarvis/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 deploy/systemd/jarvis@.service $(DESTDIR)$(PREFIX)/lib/systemd/system/
	install -d $(addprefix $(DESTDIR)$(PREFIX)/lib/,systemd/system/jarvis@safety-gate.service.d sysusers.d tmpfiles.d)
	install -m 644 deploy/systemd/jarvis@safety-gate.service.d/runtime.conf \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/jarvis@safety-gate.service.d/
	install -m 644 deploy/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/jarvis.conf
	install -m 644 deploy/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/jarvis.conf

clean: ## remove what was built
	rm -rf build build-* web/dist

-include $(shell find $(obj) build/fuzz/obj -name '*.d' 2>/dev/null)
