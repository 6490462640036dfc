# What a person or CI does with this checkout. `make demo` and `make test` install what is missing first.
.PHONY: demo test bench fuzz soak format lint install dependencies generate release

PREFIX ?= /usr/local
# One file that needs no Swift where it runs and starts fast: docs/decisions/012-one-file.md.
# Nothing is exported: no library is loaded that calls back, and what nobody can call is left out.
RELEASE_FLAGS = -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic $(PACKED) \
	--disable-local-rpath --pkg-config-path $(STATIC) -Xswiftc -L$(STATIC) \
	-Xswiftc -Xclang-linker -Xswiftc -static-libgcc
PACKED = $(shell ldd --version | awk 'NR == 1 && $$NF >= 2.36 { print "-Xlinker -z -Xlinker pack-relative-relocs" }')
# A folder with the archives of system libraries, which is looked into first: what is linked in is not found, loaded and
# bound anew at each start (docs/decisions/014-libgit2-when-needed.md).
STATIC = .build/static
ARCHIVES = $(patsubst %,$(STATIC)/lib%.a,stdc++ yaml sqlite3 z) $(patsubst %,$(STATIC)/%.pc,yaml-0.1 sqlite3 zlib)
RELEASE = swift build $(RELEASE_FLAGS) --product martlet

demo: dependencies release
	"$$(swift build -c release --show-bin-path)/martlet" demo --examples examples-repo $(if $(KEEP),--keep)

test: dependencies
	scripts/with-progress swift build --build-tests
	scripts/run-tests

# Many more seeds and longer runs than `make test` has time for.
soak: dependencies
	swift build --build-tests
	MARTLET_SOAK=1 swift test --skip-build --filter 'SimulationTests|EndToEndTests|StoreTests|PlanPropertyTests|SoakTests'

# Looks for inputs that break a reader, for FUZZ_SECONDS (60) in each fuzz target (Tests/Fuzzing).
fuzz: dependencies
	scripts/with-progress swift build --build-tests
	scripts/fuzz

bench: dependencies $(ARCHIVES)
	swift run $(RELEASE_FLAGS) martlet-bench $(FILTER)

release: dependencies $(ARCHIVES)
	scripts/with-progress $(RELEASE)

$(STATIC)/%.a: | dependencies
	@mkdir -p $(STATIC)
	@archive=$$(clang -print-file-name=$*.a) && test -e "$$archive" && ln -sf "$$archive" $@ || \
		{ echo "error: $*.a is missing: install the package that has the static library" >&2; exit 1; }

# Where the library is: otherwise the folder that pkg-config names would come before, with what is loaded at each start.
$(STATIC)/%.pc: | dependencies
	@mkdir -p $(STATIC)
	@sed 's|^libdir=.*|libdir=$(CURDIR)/$(STATIC)|' "$$(pkg-config --variable=pcfiledir $*)/$*.pc" >$@.new
	@mv $@.new $@

format:
	swift format -i -r Package.swift Sources Tests Benchmarks

lint: dependencies
	swift format lint --strict -r Package.swift Sources Tests Benchmarks
	swift run generate-kinds --check

generate: dependencies
	swift run generate-kinds

install: release
	install -D -m 755 "$$(swift build -c release --show-bin-path)/martlet" "$(DESTDIR)$(PREFIX)/bin/martlet"

dependencies:
	@scripts/install-dependencies
