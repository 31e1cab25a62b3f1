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
if [ -n "${BENCH_DIR:-}" ]; then
  work=$BENCH_DIR/$mib
  mkdir -p "$work"
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
if [ -z "${SEALIFT:-}" ]; then
  cargo build --quiet --locked --release --no-default-features
  SEALIFT=target/release/sealift
fi

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
seconds() { local TIMEFORMAT=%R; { time "$1" >/dev/null; } 2>&1; }
median() { sort -n | sed -n 3p; }

sealift
cat "$archive" >/dev/null
for _ in 1 2 3 4 5; do
  for job in sealift openssl_dgst coreutils; do seconds "$job" >>"$work/$job.times"; done
done
printf '%s MiB, %s CPUs\n' "$(($(stat -c %s "$archive") >> 20))" "$(nproc)"
base=$(median <"$work/openssl_dgst.times")
for job in sealift openssl_dgst coreutils; do
  time=$(median <"$work/$job.times")
  awk -v job="$job" -v t="$time" -v base="$base" -v all="$(tr '\n' ' ' <"$work/$job.times")" \
    'BEGIN {printf "%-13s median %6.3f s   ratio to openssl %.2f   all: %s\n", job, t, t / base, all}'
  rm "$work/$job.times"
done
if [ -x /usr/bin/time ]; then
  memory=$(/usr/bin/time -f %M "$SEALIFT" verify --quiet --insecure-ignore-tlog --key "$work/key.pub" \
    --bundle "$work/bundle" "$archive" 2>&1 >/dev/null | tail -n 1)
  echo "sealift peak memory: $memory KiB"
else
  echo "skipped: peak memory needs GNU time"
fi
