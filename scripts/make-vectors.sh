#!/usr/bin/env bash
# Makes the test vectors in bundle-format/vectors/ again, with examples/make_vectors. Without a change
# to the example or to examples/release the result is the same to the byte: git shows no difference.
#
#   scripts/make-vectors.sh            # write them
#   scripts/make-vectors.sh --check    # write nothing, fail if they would differ
set -euo pipefail
cd "$(dirname "$0")/.."
vectors=bundle-format/vectors

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$vectors/keys" "$work/keys"
cp "$vectors/README.md" "$work/README.md"
cargo run --quiet --locked --no-default-features --example make_vectors -- "$work"

if [ "${1:-}" = --check ]; then
  diff -r "$vectors" "$work"
  echo "the vectors in $vectors are the ones that the example makes"
  exit 0
fi
for case in "$vectors"/*/; do
  [ "$(basename "$case")" = keys ] || rm -r "$case"
done
cp -r "$work/." "$vectors/"
echo "$(find "$vectors" -name case.json | wc -l) cases in $vectors"
