#!/usr/bin/env bash
# Verifies the small release in examples/release/ (its PROVENANCE.md says how it was made): an image
# archive and a package that are what the vendor signed, then an archive in which one word of a layer
# was changed. Ends with 0 only if the first two are OK and the third is refused.
set -euo pipefail
cd "$(dirname "$0")/.."
release=examples/release

cargo build --quiet --locked
verify=(target/debug/sealift verify --key "$release/vendor.pub" --trusted-root "$release/trusted_root.json")

echo "\$ sealift ${verify[*]:1} hello-image.tar tools-1.0.tar.gz"
status=0
genuine=$("${verify[@]}" "$release/hello-image.tar" "$release/tools-1.0.tar.gz") || status=$?
printf '%s\n[exit status %s]\n\n' "$genuine" "$status"
if [ "$status" -ne 0 ] || [ "$(grep -c ': OK' <<<"$genuine")" -ne 2 ]; then
  echo "demo: the genuine release was not accepted" >&2
  exit 1
fi

echo "\$ sealift ${verify[*]:1} tampered-image.tar     # must be refused"
status=0
tampered=$("${verify[@]}" "$release/tampered-image.tar") || status=$?
printf '%s\n[exit status %s]\n\n' "$tampered" "$status"
if [ "$status" -ne 1 ] || ! grep -q ': FAILED (layer-mismatch' <<<"$tampered"; then
  echo "demo: the tampered archive was not refused as it should be" >&2
  exit 1
fi
echo "As it should be: two OK, and the tampered archive refused."
