#!/usr/bin/env bash
# All tests. The air-gap edition (--no-default-features) runs every one of them but those of the mirror; the
# edition for the connected side runs those, and what shows that the rest of its command line is the same. Needs
# Rust only; tests that need something else (a Docker Engine, a registry, nginx, cosign, the vectors in ../shared)
# say so and skip.
set -euo pipefail
cd "$(dirname "$0")/.."

# The test programs that name the feature, and some that must hold in both editions.
online=(cli docs example_release layering schemas)
for file in $(grep -l 'feature = "online"' tests/*.rs tests/*/main.rs); do
  name=${file#tests/}
  name=${name%/main.rs}
  name=${name%.rs}
  case " ${online[*]} " in *" $name "*) ;; *) online+=("$name") ;; esac
done
[ ${#online[@]} -gt 7 ] || { echo "test.sh: the mirror's tests were not found" >&2; exit 2; }

echo "== the edition for the connected side: ${online[*]}"
cargo test --locked --lib --bins "${online[@]/#/--test=}" "$@"
echo "== the air-gap edition"
cargo test --locked --no-default-features "$@"
