#!/usr/bin/env bash
# docs.sh - the generated parts of the documents are what the program says now (`make docs`).
set -u
cd "$(dirname "$0")/.." || exit 2
railsim=${RAILSIM:-./railsim}
passed=0 failed=0
try() { # try WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "--- $what"; fi
}
config() { "$railsim" schema --markdown | diff docs/config.md - | head -20 | { ! grep .; }; }
schema() { "$railsim" schema "$1" | diff "docs/schema/$1.json" - | head -20 | { ! grep .; }; }
length() { [ "$(wc -l <README.md)" -le 200 ]; }

try "docs/config.md is old: make docs" config
try "docs/schema/topology.json is old: make docs" schema topology
try "docs/schema/workload.json is old: make docs" schema workload
try "docs/schema/devices.json is old: make docs" schema devices
try "README.md is missing or has more than 200 lines" length
echo "$passed passed, $failed failed"
