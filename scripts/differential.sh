#!/usr/bin/env bash
# The long form of tests/archives/differential: mutants of archives, and of what Sealift accepts the image that
# real loaders see. Needs skopeo; podman and a Docker Engine are used where they are. About half an hour for
# 20,000 mutants on two cores.
#
#   scripts/differential.sh [MUTANTS [SEED]]
#
# SEALIFT_SKOPEO and SEALIFT_PODMAN name other programs, with words in front of them:
#   SEALIFT_SKOPEO='chroot /srv/sid skopeo' scripts/differential.sh 2000
# A mutant on which programs disagree is kept, and the message names it.
set -euo pipefail
cd "$(dirname "$0")/.."
export SEALIFT_MUTANTS=${1:-20000} SEALIFT_SEED=${2:-$(date +%s)}
echo "mutants: $SEALIFT_MUTANTS, seed: $SEALIFT_SEED"
cargo test --locked --no-default-features --test archives differential:: -- --nocapture
