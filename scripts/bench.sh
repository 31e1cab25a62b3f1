#!/usr/bin/env bash
# How fast is a verdict? Makes a docker archive of eight equal uncompressed layers, signs its id with
# openssl, and compares `sealift verify` with `openssl dgst -sha256` of the same file in the same run:
# warm cache, interleaved, median of five. sha256sum stands beside them. Also peak memory (GNU time).
#
#   scripts/bench.sh [MIB_PER_LAYER]     # default 256: an archive of 2 GiB
#
# SEALIFT names another program than the release build of the air-gap edition; BENCH_DIR keeps the
# archive from one run to the next.
set -euo pipefail
cd "$(dirname "$0")/.."
mib=${1:-256}
. scripts/bench-common.sh
bench_folder "$mib"

archive=$work/big.tar
if [ ! -f "$work/bundle" ]; then
  id=$(scripts/make-big-archive.sh "$archive" 8 "$mib" | grep -o 'sha256:[0-9a-f]*$')
  openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
  openssl ec -in "$work/key.pem" -pubout -out "$work/key.pub" 2>/dev/null
  printf '%s' "$id" | openssl dgst -sha256 -sign "$work/key.pem" | base64 -w0 >"$work/signature"
  printf '{"base64Signature":"%s"}' "$(cat "$work/signature")" >"$work/bundle"
fi

sealift() { "$SEALIFT" verify --quiet --insecure-ignore-tlog --key "$work/key.pub" --bundle "$work/bundle" "$archive"; }
openssl_dgst() { openssl dgst -sha256 "$archive"; }
coreutils() { sha256sum "$archive"; }

sealift
rm -f "$work"/*.times
cat "$archive" >/dev/null
for _ in 1 2 3 4 5; do
  for job in sealift openssl_dgst coreutils; do seconds "$job" >>"$work/$job.times"; done
done
printf '%s MiB, %s CPUs\n' "$(($(stat -c %s "$archive") >> 20))" "$(nproc)"
for job in sealift openssl_dgst coreutils; do bench_line "$job" openssl_dgst; done
if [ -x /usr/bin/time ]; then
  memory=$(/usr/bin/time -f %M "$SEALIFT" verify --quiet --insecure-ignore-tlog --key "$work/key.pub" \
    --bundle "$work/bundle" "$archive" 2>&1 >/dev/null | tail -n 1)
  echo "sealift peak memory: $memory KiB"
else
  echo "skipped: peak memory needs GNU time"
fi
