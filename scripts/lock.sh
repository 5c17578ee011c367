#!/bin/sh
# Writes requirements/*.txt: versions and hashes for every platform, and no index address.
# The versions of runtime.txt bind dev.txt, so that tests run on what is shipped.
set -eu

uv=$1
compile() {
    target=$1
    shift
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-emit-index-url --no-emit-find-links \
        --custom-compile-command 'make lock' --output-file "requirements/$target" "$@"
}

compile build.txt --group build
compile runtime.txt pyproject.toml
compile dev.txt pyproject.toml --group dev --constraint requirements/runtime.txt
