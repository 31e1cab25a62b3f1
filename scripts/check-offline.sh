#!/usr/bin/env bash
# Proves that the air-gap build (--no-default-features) is offline, in three layers: no crate that
# talks to a network or is built from C, no socket function linked, no network system call during a
# `verify`. Each layer is first shown something that it must refuse.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "check-offline: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "== crates"
# Network and TLS; then what builds or wraps C.
network='reqwest|ureq|hyper|hyper-util|h2|tokio|mio|socket2|async-std|smol|curl|attohttpc|isahc|oci-client|rustls|native-tls|openssl|quinn'
from_c='cc|cmake|bindgen|pkg-config|vcpkg|nasm-rs|ring|aws-lc-rs|aws-lc-sys|[a-z0-9-]*-sys'
# Names that end in -sys and hold neither C code nor a network call.
pure='linux-raw-sys|libbz2-rs-sys|windows-sys|js-sys'
forbidden() { awk '{print $1}' | grep -vxE "$pure" | grep -xE "$network|$from_c" | sort -u || true; }
for bad in 'ureq v3.0.0' 'tokio v1.0.0' 'ring v0.17.0' 'cc v1.0.0' 'zstd-sys v2.0.0'; do
  [ -n "$(forbidden <<<"$bad")" ] || fail "the crate check does not see $bad"
done
crates=$(cargo tree --locked --no-default-features --edges normal,build --prefix none)
[ "$(wc -l <<<"$crates")" -gt 20 ] || fail "cargo tree lists too little"
found=$(forbidden <<<"$crates")
[ -z "$found" ] || fail "the air-gap build holds: $found"
echo "none of $(awk '{print $1}' <<<"$crates" | sort -u | wc -l) crates talks to a network or is built from C"

echo "== linked functions"
. scripts/build-common.sh
program=$(built --quiet --no-default-features --bin sealift)
test_log=$(built --quiet --no-default-features --example test_log)
if command -v nm >/dev/null; then
  sockets() { nm -D --undefined-only "$1" | awk '{print $2}' | grep -E '^(socket|connect|bind|listen|accept4?|getaddrinfo|sendto|recvfrom)(@|$)' || true; }
  [ -n "$(sockets "$test_log")" ] || fail "the symbol check does not see a server's sockets"
  found=$(sockets "$program")
  [ -z "$found" ] || fail "the air-gap program links: $found"
  echo "no socket function is linked"
else
  [ -z "${SEALIFT_CI:-}" ] || fail "nm is not installed"
  echo "skipped: nm is not installed"
fi

echo "== system calls"
if command -v strace >/dev/null; then
  calls() { strace -f -qq -e trace=network -e signal=none -o "$work/trace" "$@" >"$work/out" 2>&1 || true; cat "$work/trace"; }
  [ -n "$(calls bash -c 'exec 3<>/dev/tcp/127.0.0.1/9')" ] || fail "strace does not see a connection"
  release=examples/release keys=examples/keys
  found=$(calls "$program" verify --key "$keys/vendor.pub" --trusted-root "$keys/trusted_root.json" \
    "$release/hello-image.tar" "$release/tools-1.0.tar.gz")
  [ -z "$found" ] || fail "network system calls: $found"
  [ "$(grep -c ': OK' "$work/out")" -eq 2 ] || fail "verify did not do its work: $(cat "$work/out")"
  mkdir "$work/transfer"
  cp "$release"/hello* "$release"/tools-1.0* "$work/transfer/"
  export SEALIFT_PASSWORD=offline
  "$program" keygen --output-key-prefix "$work/transfer-key" >/dev/null
  found=$found$(calls "$program" seal "$work/transfer" --key "$work/transfer-key.key" \
    --vendor-key "$keys/vendor.pub" --trusted-root "$keys/trusted_root.json")
  found=$found$(calls "$program" verify "$work/transfer" --transfer-key "$work/transfer-key.pub")
  [ -z "$found" ] || fail "network system calls: $found"
  [ "$(grep -c ': OK' "$work/out")" -eq 3 ] || fail "verify did not do its work: $(cat "$work/out")"
  echo "no network system call in a verify of an image and a package, nor in sealing and verifying a transfer"
else
  [ -z "${SEALIFT_CI:-}" ] || fail "strace is not installed"
  echo "skipped: strace is not installed"
fi
