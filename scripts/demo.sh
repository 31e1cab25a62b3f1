#!/usr/bin/env bash
# Carries the small release in examples/release/ (its PROVENANCE.md says how it was made) across an
# air gap, as far as one machine can show it:
#
#   1. checks the image archive and the package against the vendor's signatures, and an archive in
#      which one word of a layer was changed;
#   2. plays the vendor: a web site over HTTPS (nginx or python3, with openssl) and a registry
#      (docker-registry and skopeo), as far as they are installed; `sealift mirror` fetches from them,
#      verifies, and seals a transfer directory. Without a registry it takes the archive from
#      examples/release/; without a web server it seals a folder of copied files;
#   3. checks the transfer directory as the far side will, without a network where that can be had, with
#      Sealift and, where openssl is installed, without it;
#   4. tampers with the transfer directory, and sees it refused.
#
# Ends with 0 only if every answer is what it should be. Leaves nothing behind, unless a DIR is named:
# then transfer/, transfer.pub and commands (what was run) stay in it.
#
#   scripts/demo.sh [DIR]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/demo-site.sh
. scripts/build-common.sh
cat <<'INTRODUCTION'
This carries a small release across an air gap, as far as one machine can show it: it verifies what a vendor signed,
mirrors and seals it, checks the sealed transfer directory on the far side, and sees a tampered one refused.
INTRODUCTION
release=$PWD/examples/release
# What judges lies apart from what is judged.
keys=$PWD/examples/keys
hidden=$(mktemp -d)
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd)
  [ ! -e "$work/transfer" ] || { echo "demo: $1/transfer is there already" >&2; rm -rf "$hidden"; exit 2; }
  trap 'stop_servers; rm -rf "$hidden"' EXIT
else
  work=$hidden/work
  mkdir "$work"
  trap 'stop_servers; rm -rf "$hidden"' EXIT
fi
echo "== Building sealift (a few minutes the first time)"
program=$(built --bin sealift)
echo
fail() { echo "demo: $*" >&2; exit 1; }
# Runs sealift, shows command, answer and exit status; the answer stays in $answer. `wrap` stands in front.
wrap=()
try() {
  local expected=$1 status=0
  shift
  echo "\$ sealift $*"
  echo "sealift $*" >>"$work/commands"
  answer=$(${wrap[@]+"${wrap[@]}"} "$program" "$@" 2>&1) || status=$?
  printf '%s\n[exit status %s]\n\n' "$answer" "$status"
  [ "$status" -eq "$expected" ] || fail "exit status $status where $expected was expected"
}
says() { grep -qF -- "$1" <<<"$answer" || fail "the answer does not say: $1"; }

echo "== 1. What the vendor signed"
try 0 verify --key "$keys/vendor.pub" --trusted-root "$keys/trusted_root.json" \
  "$release/hello-image.tar" "$release/tools-1.0.tar.gz"
[ "$(grep -c ': OK' <<<"$answer")" -eq 2 ] || fail "the genuine release was not accepted"
try 1 verify --key "$keys/vendor.pub" --trusted-root "$keys/trusted_root.json" "$release/tampered-image.tar"
says ': FAILED (layer-mismatch'

echo "== 2. On the connected side"
root=$hidden/site
mkdir -p "$root/signatures/bundles" "$root/signatures/public-keys" "$root/packages" "$hidden/servers"
cp "$release"/*_signature.bundle "$release"/*_publickey.json "$root/signatures/bundles/"
cp "$release/vendor.pub" "$root/signatures/public-keys/"
cp "$release/tools-1.0.tar.gz" "$root/packages/"
cp "$keys/vendor.pub" "$keys/trusted_root.json" "$work/"
start_site "$hidden/servers" "$root"
registry_port=
[ -z "$site_port" ] || start_registry "$hidden/servers"
cd "$work"
export SEALIFT_PASSWORD=demo
try 0 keygen --output-key-prefix transfer
if [ -n "$site_port" ]; then
  cp "$ca" ca.pem
  if [ -n "$registry_port" ]; then
    image=127.0.0.1:$registry_port/vendor/hello:1.0
    skopeo copy --quiet --dest-tls-verify=false "docker-archive:$release/hello-image.tar" "docker://$image"
    from=(--image "$image" --allow-http)
  else
    echo "(no registry: docker-registry and skopeo are not both installed; the archive is taken from examples/release/)"
    from=(--image "$release/hello-image.tar")
  fi
  mirror=(mirror --out transfer --key transfer.key --vendor k2view --allow-host vendor.example
    "${from[@]}" --package https://vendor.example/packages/tools-1.0.tar.gz
    --ca-file ca.pem --trusted-root trusted_root.json
    --connect-to "vendor.example=127.0.0.1:$site_port" --connect-to "support.k2view.com=127.0.0.1:$site_port")
  # The key that the site offers is not believed until somebody names it.
  try 2 "${mirror[@]}"
  says 'key-not-named'
  fingerprint=$(sed -n 's/.*--pin-key \(sha256:[0-9a-f]\{64\}\).*/\1/p' <<<"$answer" | head -n 1)
  try 0 "${mirror[@]}" --pin-key "$fingerprint"
  says 'preflight: 2 artifacts verified offline'
else
  echo "(no web server: openssl, and nginx or python3, are not installed; the files are copied and sealed)"
  mkdir transfer
  cp "$release"/hello-image.tar "$release"/hello_signature.bundle "$release"/tools-1.0.tar.gz* transfer/
  try 0 seal transfer --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json
fi
says 'carry out of band'
stop_servers

echo "== 3. On the far side"
for isolation in "unshare -n" "unshare -rn"; do
  if $isolation true 2>/dev/null; then
    wrap=($isolation)
    echo "(in a network namespace without any network)"
    break
  fi
done
try 0 verify transfer --transfer-key transfer.pub --state accepted.json --init-state
says 'transfer: OK (transfer, sealed by key'
if command -v openssl >/dev/null; then
  echo "\$ sh transfer/tools/verify-with-openssl.sh transfer transfer.pub"
  echo "sh transfer/tools/verify-with-openssl.sh transfer transfer.pub" >>commands
  sh transfer/tools/verify-with-openssl.sh transfer transfer.pub || fail "the independent check refused"
  echo
fi

echo "== 4. Tampered with on the way"
cp -r transfer tampered
package=$(cd tampered && find . -name tools-1.0.tar.gz -type f | cut -c 3-)
printf 'x' >>"tampered/$package"
echo 'run me' >tampered/tools/install.sh
try 1 verify tampered --transfer-key transfer.pub
says "FAILED (file-mismatch: tampered/$package"
says 'tools/install.sh: EXTRA (file-extra'
rm -r tampered
echo "As it should be: genuine artifacts OK, the transfer OK, and every change refused."
