#!/usr/bin/env bash
# Carries the small release in examples/release/ (its PROVENANCE.md says how it was made) across an
# air gap, as far as one machine can show it:
#
#   1. checks the image archive and the package against the vendor's signatures, and an archive in
#      which one word of a layer was changed;
#   2. seals the two genuine ones with a new key into a transfer directory, and checks it as the far
#      side will, with Sealift and, where openssl is installed, without it;
#   3. tampers with the transfer directory, and sees it refused.
#
# Ends with 0 only if every answer is what it should be. Leaves nothing behind, unless a DIR is named:
#
#   scripts/demo.sh [DIR]
set -euo pipefail
cd "$(dirname "$0")/.."
release=examples/release
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd)
  [ ! -e "$work/transfer" ] || { echo "demo: $1/transfer is there already" >&2; exit 2; }
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
cargo build --quiet --locked
program=$PWD/target/debug/sealift
fail() { echo "demo: $*" >&2; exit 1; }
# Runs sealift, shows command, answer and exit status; the answer stays in $answer.
try() {
  local expected=$1 status=0
  shift
  echo "\$ sealift $*"
  answer=$("$program" "$@" 2>&1) || status=$?
  printf '%s\n[exit status %s]\n\n' "$answer" "$status"
  [ "$status" -eq "$expected" ] || fail "exit status $status where $expected was expected"
}
says() { grep -qF -- "$1" <<<"$answer" || fail "the answer does not say: $1"; }

echo "== 1. What the vendor signed"
try 0 verify --key "$release/vendor.pub" --trusted-root "$release/trusted_root.json" \
  "$release/hello-image.tar" "$release/tools-1.0.tar.gz"
[ "$(grep -c ': OK' <<<"$answer")" -eq 2 ] || fail "the genuine release was not accepted"
try 1 verify --key "$release/vendor.pub" --trusted-root "$release/trusted_root.json" "$release/tampered-image.tar"
says ': FAILED (layer-mismatch'

echo "== 2. Across the gap"
mkdir "$work/transfer"
cp "$release"/hello-image.tar "$release"/hello_signature.bundle "$release"/tools-1.0.tar.gz* "$work/transfer/"
cp "$release/vendor.pub" "$release/trusted_root.json" "$work/"
cd "$work"
export SEALIFT_PASSWORD=demo
try 0 keygen --output-key-prefix transfer
try 0 seal transfer --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json
says 'carry out of band'
try 0 verify transfer --transfer-key transfer.pub --state accepted.json --init-state
says 'transfer: OK (transfer, sealed by key'
if command -v openssl >/dev/null; then
  echo "\$ sh transfer/tools/verify-with-openssl.sh transfer transfer.pub"
  sh transfer/tools/verify-with-openssl.sh transfer transfer.pub || fail "the independent check refused"
  echo
fi

echo "== 3. Tampered with on the way"
cp -r transfer tampered
printf 'x' >>tampered/tools-1.0.tar.gz
echo 'run me' >tampered/tools/install.sh
try 1 verify tampered --transfer-key transfer.pub
says 'tools-1.0.tar.gz: FAILED (file-mismatch'
says 'tools/install.sh: EXTRA (file-extra'
rm -r tampered
echo "As it should be: genuine artifacts OK, the transfer OK, and every change refused."
