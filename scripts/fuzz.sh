#!/usr/bin/env bash
# Fuzzes every target with real inputs as seeds. Needs a nightly toolchain, cargo-fuzz, and for seeds from
# real tools the folder ../shared (or $SEALIFT_SHARED); without it the project's own files are the seeds.
#
#   scripts/fuzz.sh [SECONDS [TARGET…]]      600 seconds for each of all targets by default
#
# Expect: 200 to 1,000 runs a second of `archive`, some 10,000 of the others; no
# crash, no hang (a run above 20 s), no more than 2 GiB. What was found lies in fuzz/artifacts/TARGET: mend it, and
# keep it as a test.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | grep -v '^sealift-fuzz$')
shared=${SEALIFT_SHARED:-../shared}

# Copies files of at most so many bytes, each under its digest.
seed() {
  local corpus=$1 most=$2
  shift 2
  mkdir -p "$corpus"
  find "$@" -type f -size "-$((most / 512 + 1))b" 2>/dev/null | while read -r file; do
    cp "$file" "$corpus/$(sha256sum <"$file" | cut -c1-40)"
  done
}

failed=0
for target in "${targets[@]}"; do
  corpus=fuzz/corpus/$target
  most=65536
  case $target in
  archive) seed "$corpus" $most "$shared/archives" tests examples ;;
  bundle | trusted_root | key | found) seed "$corpus" $most "$shared/vectors/bundles" "$shared/vectors/cosign" "$shared/vectors/sigstore-conformance" examples tests bundle-format ;;
  manifest | state) seed "$corpus" $most bundle-format ;;
  policy) seed "$corpus" $most docs examples bundle-format tests/cmd ;;
  private_key) seed "$corpus" $most "$shared/vectors/cosign" bundle-format examples ;;
  report | pairing_map) seed "$corpus" $most docs examples tests/cmd tests/report bundle-format ;;
  *) mkdir -p "$corpus" ;;
  esac
  echo "== $target: $(find "$corpus" -type f | wc -l) seeds, $seconds s"
  log=$(mktemp)
  # Threads of `archive` may still be ending when leaks are looked for.
  if ! cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len=$most -timeout=20 \
    -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 >"$log" 2>&1; then
    failed=1
    tail -n 40 "$log"
  fi
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb|slowest_unit_time_sec)|DONE' "$log" || true
  rm -f "$log"
done
exit $failed
