#: quire: a tiny x86-64 SMP kernel about virtual memory.
#:
#: The two first:
#:   make setup run          installs what is missing, builds, boots
#:   make setup test         installs what is missing, builds, tests
#:
#: Targets:
#:   setup                   installs what is missing (apt), or prints what to install
#:   (none)                  build/quire.elf
#:   iso                     build/quire.iso: GRUB, BIOS and UEFI
#:   run                     boots it, console on this terminal; Ctrl-A X leaves
#:   attach                  gdb, joined to the quire that runs
#:   debug                   boots it halted at the first instruction, with gdb here
#:   console                 the console of `make debug`, in another terminal
#:   test                    everything that must hold, as TAP        FILTER= CPUS=
#:   schedule                seeded interleavings       SEEDS= SEED= SCENARIO= CPUS= BUG=
#:   bugs                    how soon planted bugs of concurrency are found
#:   stress                  random work, compared        SEED= MINUTES= OPERATIONS= CPUS=
#:   model                   the SPIN models, searched fully
#:   bench                   quire's own figures                      FILTER=
#:   bench-growth            what operations cost as things grow       FILTER= QUICK=
#:   profile                 where the instructions of an operation go   FILTER= PER=
#:   bench-peer              the same workloads on Linux beside quire; a table   QEMU_CPU=
#:   bench-policy            every policy's faults on every trace     TRACE= FILTER= QUICK=
#:   analyze                 thread safety (clang), cppcheck, clang-tidy
#:   tidy                    layers, sizes, words, headers
#:   format                  clang-format on all sources
#:   compile_commands.json   for editors and language servers
#:   disasm                  build/quire.asm: instructions between their source lines
#:   dist                    build/quire.tar.gz of the last commit
#:   clean                   removes build/
#:   help                    this page
#:
#: Variables of run, debug, test, bench:
#:   CPUS=2                  processors (test: instead of 1 and 4)
#:   MEM=128M                the machine's memory; raised where modules need it
#:   APPEND="..."            kernel command line, as cpus= frames= swap= policy=
#:   RUN="program args"      a program to run at boot
#:   SCRIPT=file             console commands to run, then power off
#:   TRACE=file[,file]       page references to replay
#:   ICOUNT=1                counts instructions: the guest's clock is deterministic
#:   SEED=n                  the seed of whatever is random
#:   QEMU_CPU=max            QEMU's CPU model (qemu64: the plainest)
#:   ACCEL=tcg               QEMU's accelerator
#:   TIMEOUT=seconds         ends QEMU then, with status 124
#:   FILTER=glob             of tests, benchmarks or traces, by name
#:   PER=function LINES=1    profile: a call of it is one operation; by source line
#:   QUICK=1                 bench-policy: on a quarter of the pages only;
#:                           bench-growth: small numbers only, in seconds
#:   SEEDS=100               schedule: so many, from SEED on
#:   SCENARIO=glob           schedule: by name or number, as '0[1-5]'
#:   MINUTES=1 OPERATIONS=n  how long `make stress` runs: the guest's clock, or a count
#:
#: Variables of the build:
#:   DEBUG=1                 -Og, lock ranks, deeper assertions; in build/debug/
#:   BUG=name                with one planted bug; in build/bug-NAME/
#:   WERROR=0                warnings are no errors
#:   V=1                     shows whole commands
#:   CROSS_COMPILE=x86_64-linux-gnu-
#:                           prefix of the toolchain (x86_64-elf- elsewhere)

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:

# setup comes first and alone: the other goals wait for it, in a make that sees what it installed.
ifneq ($(filter setup,$(MAKECMDGOALS)),)
GOALS := $(filter-out setup,$(MAKECMDGOALS))
.PHONY: setup $(GOALS)
setup:
	@tests/tools/setup
ifneq ($(GOALS),)
$(firstword $(GOALS)): setup
	+@$(MAKE) --no-print-directory $(GOALS)
$(wordlist 2,$(words $(GOALS)),$(GOALS)): $(firstword $(GOALS))
	@:
endif
else

# ---- What is built, and how ------------------------------------------------------

CROSS_COMPILE ?= x86_64-linux-gnu-
CC := $(CROSS_COMPILE)gcc
LD := $(CROSS_COMPILE)ld
NM := $(CROSS_COMPILE)nm
OBJDUMP := $(CROSS_COMPILE)objdump
ADDR2LINE := $(CROSS_COMPILE)addr2line
READELF := $(CROSS_COMPILE)readelf
GDB ?= gdb
CLANG ?= clang-19
CLANG_TIDY ?= $(notdir $(or $(shell command -v clang-tidy-19),clang-tidy))
CLANG_FORMAT ?= $(notdir $(or $(shell command -v clang-format-19),clang-format))
CPPCHECK ?= cppcheck
WERROR ?= 1

on = $(filter-out 0,$(1))
debug := $(call on,$(DEBUG))
bug := $(strip $(BUG))
BUG_NAME := $(shell printf %s '$(bug)' | tr a-z- A-Z_)
PLAIN := build$(if $(debug),/debug)
OUT := $(if $(bug),build/bug-$(bug)$(if $(debug),/debug),$(PLAIN))
IMAGE := $(OUT)/quire.elf

FOLDERS := $(wildcard kernel arch/x86_64 lib tests/unit tests/bench tests/stress tests/schedule)
SOURCES := $(sort $(shell find $(FOLDERS) -name '*.[cS]'))
HEADERS := $(sort $(shell find $(FOLDERS) -name '*.h'))

# With a bug, the files it is planted in are compiled anew, and those that include a header it is
# planted in; the others are taken from the plain build.
c_and_h := $(filter %.c,$(SOURCES)) $(filter-out kernel/bugs.h,$(HEADERS))
includers = $(if $1,$(shell grep -lF $(foreach header,$1,-e '"$(header)"') $(c_and_h)))
closure = $(if $2,$(call closure,$1 $2,$(filter-out $1 $2,$(call includers,$(filter %.h,$2)))),$1)
PLANTED := $(if $(bug),$(shell grep -lw 'BUG_$(BUG_NAME)' $(c_and_h)))
BUGGY := $(filter %.c,$(call closure,,$(PLANTED)))
OBJECTS := $(foreach source,$(SOURCES),\
	$(if $(filter $(source),$(BUGGY)),$(OUT),$(PLAIN))/$(source).o)

ifneq ($(bug),)
ifeq ($(BUGGY),)
$(error quire: BUG=$(bug): no planted bug has this name; the console's `help bugs` lists them)
endif
endif

WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla \
	$(if $(call on,$(WERROR)),-Werror)
FLAGS := -std=gnu11 $(if $(debug),-Og -DDEBUG,-O2) -g -I. \
	-ffreestanding -mgeneral-regs-only -mno-red-zone -mcmodel=kernel -fno-pic \
	-mpreferred-stack-boundary=3 -fno-stack-protector -fno-omit-frame-pointer \
	-momit-leaf-frame-pointer \
	-fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
	'-ffile-prefix-map=$(CURDIR)=.' $(WARNINGS)
ASFLAGS := -Wa,--noexecstack

# A lab is an ordinary C program: main() gets its file's name, so that many fit one image.
LABS := $(basename $(notdir $(wildcard kernel/programs/labs/*.c)))
LAB_FLAGS := -Ikernel/programs/labs/include -include kernel/programs/labs/lib/labs.h
$(foreach lab,$(LABS),$(eval \
	%/labs/$(lab).c.o: private FLAGS += $(LAB_FLAGS) -Dmain=$(subst -,_,$(lab))_main))

LDFLAGS := -nostdlib -static -no-pie --build-id=none -z noexecstack -z max-page-size=4096 \
	--fatal-warnings

# $(call quiet,WHAT): the start of a recipe line that shows a short line instead; V=1 shows all
silent = $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
quiet = $(if $(V),,@$(if $(silent),,printf '%-8s%s\n' '$(1)' '$@'; ))

# $(call need,TOOL,PACKAGE): the start of a recipe line that needs the tool
need = command -v $(1) >/dev/null || { echo "quire: $(1) is missing: run 'make setup' \
	(or: sudo apt-get install $(2))" >&2; exit 1; }

.PHONY: all
all: $(IMAGE)

# A file that holds some text, and changes when the text does: what depends
# on flags or on the list of sources depends on it.
$(PLAIN)/flags: export TEXT = $(CC) $(FLAGS) $(ASFLAGS)
$(OUT)/link: export TEXT = $(LD) $(LDFLAGS) $(OBJECTS)
$(PLAIN)/flags $(OUT)/link: FORCE
	@$(call need,$(CC),$(if $(findstring linux-gnu,$(CC)),gcc))
	@$(call need,$(LD),binutils)
	@mkdir -p $(@D)
	@printf '%s\n' "$$TEXT" | cmp -s - $@ || printf '%s\n' "$$TEXT" >$@
FORCE:

$(PLAIN)/%.c.o: %.c $(PLAIN)/flags
	@mkdir -p $(@D)
	$(call quiet,cc)$(CC) $(FLAGS) -MMD -MP -c $< -o $@

ifneq ($(bug),)
$(OUT)/%.c.o: %.c $(PLAIN)/flags
	@mkdir -p $(@D)
	$(call quiet,cc)$(CC) $(FLAGS) -DBUG_$(BUG_NAME) -MMD -MP -c $< -o $@
endif

$(PLAIN)/%.S.o: %.S $(PLAIN)/flags
	@mkdir -p $(@D)
	$(call quiet,as)$(CC) $(FLAGS) $(ASFLAGS) -MMD -MP -c $< -o $@

$(OUT)/linker.ld: linker.ld $(PLAIN)/flags
	@mkdir -p $(@D)
	$(call quiet,cpp)$(CC) -E -P -x assembler-with-cpp -I. \
		-MMD -MP -MF $(OUT)/linker.d -MT $@ $< -o $@

-include $(OBJECTS:.o=.d) $(OUT)/linker.d

# The symbol table takes two links: one with an empty table tells the addresses.
$(OUT)/no-symbols.S: tests/tools/symbols $(PLAIN)/flags
	@mkdir -p $(@D)
	$(call quiet,symbols)tests/tools/symbols </dev/null >$@

$(OUT)/symbols.S: $(OUT)/first.elf tests/tools/symbols
	@$(NM) -n $< >$(OUT)/first.nm
	$(call quiet,symbols)tests/tools/symbols <$(OUT)/first.nm >$@

$(OUT)/no-symbols.o $(OUT)/symbols.o: %.o: %.S
	$(call quiet,as)$(CC) $(FLAGS) $(ASFLAGS) -c $< -o $@

$(OUT)/first.elf: $(OBJECTS) $(OUT)/no-symbols.o $(OUT)/linker.ld $(OUT)/link
	$(call quiet,ld)$(LD) $(LDFLAGS) -T $(OUT)/linker.ld $(OBJECTS) $(OUT)/no-symbols.o -o $@

$(IMAGE): $(OUT)/first.elf $(OUT)/symbols.o tests/tools/image-check
	$(call quiet,ld)$(LD) $(LDFLAGS) -T $(OUT)/linker.ld -Map=$(OUT)/quire.map \
		$(OBJECTS) $(OUT)/symbols.o -o $@
	@NM=$(NM) READELF=$(READELF) tests/tools/image-check $(OUT)/first.elf $@

.PHONY: iso
iso: $(OUT)/quire.iso
$(OUT)/quire.iso: $(IMAGE) tests/tools/iso
	@$(call need,grub-mkrescue,grub-common)
	@$(call need,xorriso,xorriso)
	@$(call need,mformat,mtools)
	$(call quiet,iso)tests/tools/iso $(IMAGE) $@

# ---- Boot ------------------------------------------------------------------------

export CPUS MEM APPEND RUN SCRIPT TRACE ICOUNT SEED QEMU_CPU ACCEL TIMEOUT FILTER QUICK
export SEEDS SCENARIO
export MINUTES OPERATIONS FRAMES
export SEEDS SCENARIO
export KERNEL = $(IMAGE)
export GDB
boot = $(if $(silent),env QUIET=1) tests/tools/boot

.PHONY: run debug attach console
run: $(IMAGE)
	@$(boot) run

debug: $(IMAGE)
	@$(call need,$(GDB),gdb)
	@$(boot) debug

attach:
	@tests/tools/attach

console:
	@$(call need,perl,perl)
	@tests/tools/console

# ---- Tests -----------------------------------------------------------------------

# Both builds are tested; DEBUG=1 or DEBUG=0 keeps to one.
release_image := build$(if $(bug),/bug-$(bug))/quire.elf
debug_image := $(dir $(release_image))debug/quire.elf
IMAGES := $(if $(debug),,$(release_image)) $(if $(debug)$(if $(DEBUG),,both),$(debug_image))
export RELEASE_IMAGE = $(filter $(release_image),$(IMAGES))
export DEBUG_IMAGE = $(filter $(debug_image),$(IMAGES))
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
make_image = $(MAKE) $(jobs) --no-print-directory

.PHONY: test images schedule bugs stress model bench bench-growth bench-peer bench-policy profile
images:
	$(if $(RELEASE_IMAGE),+@$(make_image) DEBUG= $(RELEASE_IMAGE))
	$(if $(DEBUG_IMAGE),+@$(make_image) DEBUG=1 $(DEBUG_IMAGE))

test: images
	@$(call need,prove,perl)
	@tests/tools/test

# Settings that make no sense are said before anything is built.
schedule:
	@tests/tools/schedule check
	+@$(make_image) $(if $(silent),-s) DEBUG=1 $(debug_image)
	@KERNEL=$(debug_image) BUG=$(bug) tests/tools/schedule

bugs:
	@tests/tools/bugs

stress: $(IMAGE)
	@$(if $(silent),QUIET=1) tests/tools/stress

model:
	@$(call need,spin,spin)
	@tests/model/run

bench: $(IMAGE)
	@$(if $(silent),QUIET=1) OBJDUMP=$(OBJDUMP) tests/tools/bench

bench-growth: $(IMAGE)
	@$(call need,perl,perl)
	@tests/tools/bench-growth

profile: $(IMAGE)
	@$(call need,perl,perl)
	@NM=$(NM) OBJDUMP=$(OBJDUMP) ADDR2LINE=$(ADDR2LINE) tests/tools/profile $(IMAGE)

bench-peer: $(IMAGE)
	@CC=$(CC) tests/peer/run

bench-policy: $(IMAGE)
	@$(call need,perl,perl)
	@tests/tools/bench-policy

# ---- Sources ---------------------------------------------------------------------

.PHONY: analyze tidy format
c_sources := $(filter %.c,$(SOURCES))
common_flags := $(filter-out -mpreferred-stack-boundary=%,$(FLAGS)) # clang has another name for it
clang_flags := --target=x86_64-linux-gnu $(filter-out -Werror,$(common_flags))

analyze: compile_commands.json
	@$(call need,$(CLANG),clang-19)
	@$(call need,$(CPPCHECK),cppcheck)
	@$(call need,$(CLANG_TIDY),clang-tidy)
	@CLANG=$(CLANG) CPPCHECK=$(CPPCHECK) CLANG_TIDY=$(CLANG_TIDY) \
		tests/tools/analyze "$(clang_flags)" $(c_sources)

tidy:
	@$(call need,$(CC),gcc)
	@CC="$(CC)" tests/tools/tidy

format:
	@$(call need,$(CLANG_FORMAT),clang-format)
	$(CLANG_FORMAT) -i $(c_sources) $(HEADERS)

# One line a source: [ {...}, {...} ]
compile_commands.json: $(PLAIN)/flags $(OUT)/link
	@{ separator='['; for source in $(c_sources); do \
		printf '%s\n{"directory": "%s", "file": "%s", "arguments": [' \
			"$$separator" '$(CURDIR)' "$$source"; \
		printf '"%s", ' $(CC) $(common_flags); \
		printf '"-c", "%s"]}' "$$source"; \
		separator=','; \
	done; printf '\n]\n'; } >$@

.PHONY: disasm dist clean help
disasm: $(OUT)/quire.asm
$(OUT)/quire.asm: $(IMAGE)
	$(call quiet,objdump)$(OBJDUMP) -dSl --no-show-raw-insn $< >$@

dist:
	@$(call need,git,git)
	@mkdir -p build
	git archive --format=tar.gz --prefix=quire/ -o build/quire.tar.gz HEAD

clean:
	rm -rf build compile_commands.json

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

endif
