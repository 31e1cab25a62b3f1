#!/usr/bin/env bash
# How fast is a transfer directory checked? Makes ARCHIVES docker archives of eight layers of MIB MiB each,
# signs their ids with openssl, seals them, and compares `sealift verify` with `openssl dgst -sha256` over the
# same files in the same run: warm cache, interleaved, median of five; and peak memory (GNU time).
# Once with uncompressed layers and once with gzip layers; beside the latter stands
# `gzip -dc | openssl dgst -sha256` of each layer, the work that the layers ask for.
#
#   scripts/bench-transfer.sh [ARCHIVES [MIB [prepare]]]     # default 5 and 256: 10 GiB of each
#
# SEALIFT names another program than the release build of the air-gap edition; BENCH_DIR keeps the
# transfers from one run to the next.
set -euo pipefail
cd "$(dirname "$0")/.."
archives=${1:-5} mib=${2:-256}
. scripts/bench-common.sh
bench_folder .
export SEALIFT_PASSWORD=bench

[ -f "$work/transfer.key" ] || "$SEALIFT" keygen --output-key-prefix "$work/transfer" >/dev/null
if [ ! -f "$work/vendor.pem" ]; then
  openssl ecparam -name prime256v1 -genkey -noout -out "$work/vendor.pem"
  openssl ec -in "$work/vendor.pem" -pubout -out "$work/vendor.pub" 2>/dev/null
fi

# Makes and seals a transfer, if it is not there.
prepare() {
  local form=$1 dir=$work/$1-$archives-$mib number id
  [ ! -f "$dir/manifest.json" ] || return 0
  mkdir -p "$dir"
  for number in $(seq "$archives"); do
    id=$(scripts/make-big-archive.sh "$dir/image-$number.tar" 8 "$mib" "$form" "$number" | grep -o 'sha256:[0-9a-f]*$')
    printf '{"base64Signature":"%s"}' \
      "$(printf '%s' "$id" | openssl dgst -sha256 -sign "$work/vendor.pem" | base64 -w0)" >"$dir/image-$number.tar.bundle"
  done
  echo "seal ($form): $(seconds "$SEALIFT" seal --quiet --insecure-ignore-tlog --key "$work/transfer.key" \
    --vendor-key "$work/vendor.pub" "$dir") s"
}

verify() {
  "$SEALIFT" verify --quiet --insecure-ignore-tlog --transfer-key "$work/transfer.pub" "$@" "$dir"
}
openssl_dgst() { find "$dir" -type f -print0 | sort -z | xargs -0 openssl dgst -sha256; }
inflate() {
  local archive layer
  for archive in "$dir"/image-*.tar; do
    for layer in 0 1 2 3 4 5 6 7; do
      tar -xOf "$archive" "layer-$layer.tar" | gzip -dc | openssl dgst -sha256
    done
  done
}

report() {
  local form=$1 jobs=$2 job threads memory
  dir=$work/$form-$archives-$mib
  verify >/dev/null
  openssl_dgst >/dev/null
  rm -f "$work"/*.times
  for _ in 1 2 3 4 5; do
    for job in $jobs; do seconds "$job" >>"$work/$job.times"; done
  done
  echo "== $form layers: $(du -sm "$dir" | cut -f1) MiB in $(find "$dir" -type f | wc -l) files, $(nproc) CPUs"
  for job in $jobs; do bench_line "$job" openssl_dgst; done
  if [ -x /usr/bin/time ]; then
    for threads in 1 2 8; do
      memory=$(/usr/bin/time -f %M "$SEALIFT" verify --quiet --jobs "$threads" --insecure-ignore-tlog \
        --transfer-key "$work/transfer.pub" "$dir" 2>&1 >/dev/null | tail -n 1)
      echo "peak memory, $threads jobs: $memory KiB"
    done
  else
    echo "skipped: peak memory needs GNU time"
  fi
}

prepare plain
prepare gzip
[ "${3:-}" != prepare ] || exit 0
whole() { verify --full-digest; }
report plain "verify whole openssl_dgst"
report gzip "verify openssl_dgst inflate"
