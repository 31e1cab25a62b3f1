#!/usr/bin/env bash
# All tests of both editions. The air-gap edition (--no-default-features) runs every test program but the mirror's.
# The edition for the connected side runs those, the unit tests of the library, which are the same and some more
# there, and what must hold in both editions. Needs Rust only, and is quicker with cargo-nextest; tests that need
# something else (a Docker Engine, a registry, nginx, cosign, the vectors in ../shared) say so and skip.
#
#   scripts/test.sh [ARGUMENTS of `cargo nextest run` or `cargo test`]
set -euo pipefail
cd "$(dirname "$0")/.."

connected=(--lib --bins --test mirror --test transport --test commands --test layering)
air_gap=()
for main in tests/*.rs tests/*/main.rs; do
  program=${main#tests/}
  program=${program%/main.rs}
  case $program in mirror | transport) ;; *) air_gap+=(--test "${program%.rs}") ;; esac
done
if cargo nextest --version >/dev/null 2>&1; then
  run=(cargo nextest run --locked --no-fail-fast)
  # One more than there are cores: some tests wait for servers and stopped programs.
  cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  export NEXTEST_TEST_THREADS=${NEXTEST_TEST_THREADS:-$((cores + 1))}
else
  run=(cargo test --locked --no-fail-fast)
fi
skipped=$(mktemp)
trap 'rm -f "$skipped"' EXIT
export SEALIFT_SKIPPED=$skipped
failed=0
echo "== the edition for the connected side"
"${run[@]}" "${connected[@]}" "$@" || failed=1
cargo test --locked --doc || failed=1
echo "== the air-gap edition"
# An example that a test of the program `bundles` runs.
cargo build --locked --no-default-features --example conformance || failed=1
"${run[@]}" --no-default-features "${air_gap[@]}" "$@" || failed=1
sort "$skipped" | uniq -c
exit "$failed"
