#!/usr/bin/env bash
# All tests, for both feature sets: the default one and the air-gap build. Needs Rust only; tests
# that need something else (a Docker Engine, cosign, the vectors in ../shared) say so and skip.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== cargo test (default features)"
cargo test --locked "$@"
echo "== cargo test (air-gap build: --no-default-features)"
cargo test --locked --no-default-features "$@"
