# SPDX-License-Identifier: GPL-2.0
# The targets are listed by `make help`.

KVER ?= 6.1
BUILD := $(CURDIR)/build
FOLDERS := kiobuf block lvm raid loop filter tests/kunit tests/probe samples
KOBJ := $(BUILD)/kbuild/$(KVER)
KMODULES := $(BUILD)/modules/$(KVER)
# Any other built tree: KDIR=/lib/modules/$(uname -r)/build
ifdef KDIR
KVER := $(shell basename $(realpath $(KDIR)))
else
KDIR = $(shell tests/qemu/kernels --print kdir $(KVER))
endif
W ?= 1
C ?= 0

.PHONY: all modules tools setup demo check check-debug torture bench docs install help clean
all: modules tools ## modules for KVER (or KDIR), and the tools

modules: ## modules only, into build/modules/KVER
	@mkdir -p $(KOBJ) $(KMODULES)
	@cp -rup Kbuild include compat $(FOLDERS) $(KOBJ)/
	@compat/probe.sh $(KDIR) $(BUILD)/probes/$(KVER) $(KOBJ)/compat/kio_probes.h
	@$(MAKE) -s -C $(KDIR) M=$(KOBJ) W=$(W) C=$(C) KIO=$(KOBJ) \
		KIO_PLANT=$(KIO_PLANT) modules
	@cp -up $(KOBJ)/*/*.ko $(KMODULES)/

tools: ## kioctl and the C++ programs, into build/bin
	@mkdir -p $(BUILD)
	@cmake -S . -B $(BUILD)/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=$(BUILD)/bin >$(BUILD)/cmake.log
	@cmake --build $(BUILD)/cmake -j$$(nproc)

setup: ## install what is missing (apt-get, as root)
	@scripts/setup

demo: setup ## the main job: build, boot, stack, lose a leg, verify
	@$(MAKE) --no-print-directory all
	@scripts/demo

check: setup ## builds, style, unit tests, selftests; ends with N passed, N failed
	@scripts/check

check-debug: setup ## KUnit and selftests on a kernel with KASAN, lockdep, kmemleak
	@scripts/check-debug

SECONDS ?= 600
torture: all ## random stacks, faults and requests against the model for SECONDS=600
	@VM_OUT=$(BUILD)/torture tests/qemu/vm --timeout $$(($(SECONDS) + 600)) \
		--kernel $(KVER) -- $(BUILD)/bin/kio_torture --seconds $(SECONDS)

bench: all ## instructions per I/O beside dm, md and loop
	@tests/bench/bench

docs: setup ## HTML pages, the API's too, into build/docs
	@scripts/docs

install: all ## modules_install and the tools
	$(MAKE) -C $(KDIR) M=$(KOBJ) KIO=$(KOBJ) KIO_TESTS=n modules_install
	cmake --install $(BUILD)/cmake

help: ## this list
	@awk -F '##' '/^[a-z-]+:.*##/ { split($$1, t, ":"); printf "make %-12s %s\n", t[1], $$2 }' $(MAKEFILE_LIST)

clean: ## throw the build away; kernels stay cached
	rm -rf $(BUILD)
