#!/usr/bin/env bash
# What does a verdict cost against the size of an archive, and against the number of packages in a folder? Measures
# time (warm cache, interleaved, medians of five runs, three where one takes more than 20 seconds) and peak memory,
# and draws cost-by-size.svg and cost-by-count.svg (scripts/plot.py). The figures stay beside the inputs as .tsv.
#
#   scripts/bench-plot.sh [OUT_DIR]     # default: docs/images
#
# SIZES are sizes of archives in MiB, each of eight uncompressed layers; COUNTS are numbers of packages of 1 KiB, each
# with a bundle without a log entry. RUNS sets another number of runs. SEALIFT names another program than the release
# build, SIGNATURE_BENCH another benches/signature.rs; BENCH_DIR keeps the inputs (9 GiB).
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-docs/images}
read -ra sizes <<<"${SIZES:-64 128 256 512 1024 2048 4096}"
read -ra counts <<<"${COUNTS:-10 100 1000 10000 100000}"
. scripts/bench-common.sh
. scripts/bench-inputs.sh
bench_folder plot
mkdir -p "$out"
has_time || { echo "bench-plot: GNU time is needed" >&2 && exit 2; }
describe_machine
input keys make_keys

# `point X JOB SERIES [memory]`: a line for plot.py, also shown.
point() {
  local kib=-
  [ $# -lt 4 ] || kib=$(peak_of "$2")
  printf '%s\t%s\t%s\t%s\n' "$1" "$3" "$(seconds_of "$2")" "$kib"
}

{
  for mib in "${sizes[@]}"; do
    input "size-$mib" make_image plain 0 8 "$((mib / 8))"
    file=$work/size-$mib/image-0.tar
    warm "$work/size-$mib"
    measure verify_file openssl_file
    point "$mib" verify_file "sealift verify" memory
    point "$mib" openssl_file "openssl dgst"
    printf '%s\tlimit\t-\t65536\n' "$mib"
  done
} | tee "$work/size.tsv"
scripts/plot.py "$out/cost-by-size.svg" "One docker archive of eight uncompressed layers, $(nproc) cores" \
  "size of the archive, MiB" 1024 GiB <"$work/size.tsv"

verify_text() { verify --insecure-ignore-tlog --key "$made/key.pub" "$folder"; }
verify_json() { verify --insecure-ignore-tlog --key "$made/key.pub" --output json "$folder"; }
# `make_part COUNT DIR`: the first packages by hard links.
make_part() {
  local number names=()
  for ((number = 0; number < $1; number++)); do
    names+=("$(printf 'package-%06d.bin' "$number")")
  done
  printf '%s\0' "${names[@]}" "${names[@]/%/_signature.bundle}" | (cd "$made/packages" && xargs -0 ln -t "$2")
}
most=$(printf '%s\n' "${counts[@]}" | sort -n | tail -n 1)
input "count-$most" make_logged unlogged "$most" 1024
made=$work/count-$most
{
  for count in "${counts[@]}"; do
    folder=$made/packages
    if [ "$count" -ne "$most" ]; then
      input "count-$most-first-$count" make_part "$count"
      folder=$work/count-$most-first-$count
    fi
    warm "$folder"
    measure verify_text verify_json
    point "$count" verify_text "sealift verify" memory
    point "$count" verify_json "sealift verify -o json" memory
    printf '%s\tlimit\t-\t%s\n' "$count" "$((65536 + count))"
  done
} | tee "$work/count.tsv"
scripts/plot.py "$out/cost-by-count.svg" "A folder of signed packages of 1 KiB, $(nproc) cores" \
  "packages in the folder" 1000 "1,000" <"$work/count.tsv"
