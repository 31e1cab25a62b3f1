#!/usr/bin/env bash
# Makes the example release in examples/release/ with the vendor's documented procedure and real
# tools: a Docker Engine, cosign 2 (old bundle format) and cosign 3 (new one), and a transparency
# log of our own (examples/test_log.rs). The signing key and the log's key are thrown away.
#
#   COSIGN_2=path/to/cosign-2 COSIGN_3=path/to/cosign-3 scripts/make-example.sh
#
# COSIGN_2_VERSION and COSIGN_3_VERSION name the versions where the programs call themselves "devel".
set -euo pipefail
cd "$(dirname "$0")/.."
cosign_2=${COSIGN_2:-cosign-2} cosign_3=${COSIGN_3:-cosign-3}
release=$PWD/examples/release
tag=vendor.example/hello:1.0
site=https://vendor.example/signatures

work=$(mktemp -d)
log_pid=
clean_up() {
  [ -z "$log_pid" ] || kill "$log_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

echo "== transparency log"
. scripts/build-common.sh
test_log=$(built --quiet --example test_log)
"$test_log" "$work/log.pub" "$work/log.url" &
log_pid=$!
for _ in $(seq 50); do [ -s "$work/log.url" ] && break; sleep 0.1; done
url=$(cat "$work/log.url")

echo "== vendor key, trusted root"
export COSIGN_PASSWORD='' SIGSTORE_REKOR_PUBLIC_KEY=$work/log.pub
(cd "$work" && "$cosign_2" generate-key-pair --output-key-prefix vendor)
"$cosign_3" trusted-root create --out "$work/trusted_root.json" \
  --rekor="url=https://log.vendor.example,public-key=$work/log.pub,start-time=2024-01-01T00:00:00Z"
"$cosign_3" signing-config create --out "$work/signing_config.json" --rekor-config=ANY \
  --rekor="url=$url,api-version=1,operator=example,start-time=2024-01-01T00:00:00Z"

echo "== image: build, save, sign its id"
mkdir -p "$work/image/greetings"
echo 'Hello from the vendor.' >"$work/image/hello.txt"
echo 'Good morning from the vendor.' >"$work/image/greetings/morning.txt"
cat >"$work/image/Dockerfile" <<DOCKERFILE
FROM scratch
COPY hello.txt /hello.txt
COPY greetings /greetings
LABEL org.opencontainers.image.title="hello" \\
      org.opencontainers.image.version="1.0" \\
      org.opencontainers.image.signature.bundle="$site/bundles/hello_signature.bundle" \\
      org.opencontainers.image.signature.key="vendor.pub"
CMD ["/hello"]
DOCKERFILE
docker build --quiet --tag "$tag" "$work/image" >/dev/null
docker save --output "$work/hello-image.tar" "$tag"
docker inspect --format '{{.Id}}' "$tag" | tr -d '\n' >"$work/id.txt"
docker image rm "$tag" >/dev/null
"$cosign_2" sign-blob --yes --key "$work/vendor.key" --rekor-url "$url" \
  --bundle "$work/hello_signature.bundle" "$work/id.txt"

echo "== package: pack, sign its SHA-256"
mkdir -p "$work/tools-1.0"
echo 'Read me first.' >"$work/tools-1.0/README"
printf '#!/bin/sh\necho "tools 1.0"\n' >"$work/tools-1.0/tools.sh"
package=tools-1.0.tar.gz
tar -C "$work" -czf "$work/$package" tools-1.0
sha256sum "$work/$package" | awk '{print $1}' >"$work/digest.txt"
"$cosign_3" sign-blob --yes --key "$work/vendor.key" --signing-config "$work/signing_config.json" \
  --trusted-root "$work/trusted_root.json" --bundle "$work/${package}_signature.bundle" "$work/digest.txt"
printf '{"publicKey":"%s/public-keys/vendor.pub"}\n' "$site" >"$work/${package}_publickey.json"

echo "== the same image with one word changed in a layer: config and signature stay as they are"
LC_ALL=C sed 's/Hello from the vendor/Hello from a stranger/' "$work/hello-image.tar" >"$work/tampered-image.tar"
! cmp -s "$work/hello-image.tar" "$work/tampered-image.tar" || { echo "the engine wrote compressed layers" >&2; exit 1; }

echo "== what cosign itself says"
"$cosign_2" verify-blob --key "$work/vendor.pub" --bundle "$work/hello_signature.bundle" "$work/id.txt"
"$cosign_3" verify-blob --key "$work/vendor.pub" --bundle "$work/${package}_signature.bundle" \
  --trusted-root "$work/trusted_root.json" "$work/digest.txt"

mkdir -p "$release"
for file in hello-image.tar hello_signature.bundle "$package" "${package}_signature.bundle" \
  "${package}_publickey.json" tampered-image.tar vendor.pub trusted_root.json; do
  install -m 644 "$work/$file" "$release/$file"
done
# What judges lies apart from what is judged.
mkdir -p "$release/../keys"
install -m 644 "$work/vendor.pub" "$work/trusted_root.json" "$release/../keys/"
engine=$(docker version --format '{{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})')
version_of() { "$1" version 2>/dev/null | awk '/GitVersion/ {print $2}'; }
cat >"$release/PROVENANCE.md" <<PROVENANCE
# Where these files come from

Made by \`scripts/make-example.sh\` on $(date -u +%Y-%m-%d) with Docker Engine $engine,
cosign ${COSIGN_2_VERSION:-$(version_of "$cosign_2")} and cosign ${COSIGN_3_VERSION:-$(version_of "$cosign_3")}. A throwaway release of a vendor that does not exist:
the private key was never kept, and the transparency log ran for these two signatures only.

| file | what it is |
|---|---|
| \`hello-image.tar\` | \`docker save\` of an image \`FROM scratch\` with two layers; its labels name the bundle and the key |
| \`hello_signature.bundle\` | cosign's old bundle format, over the text \`docker inspect --format '{{.Id}}'\` printed, without newline: \`$(cat "$work/id.txt")\` |
| \`$package\` | a small package |
| \`${package}_signature.bundle\` | a Sigstore bundle (v0.3), over \`sha256sum\`'s first column and a newline: \`$(cat "$work/digest.txt")\` |
| \`${package}_publickey.json\` | which key signed the package, as the vendor publishes it |
| \`tampered-image.tar\` | \`hello-image.tar\` with one word changed in a file of a layer; config, id and signature are untouched. It must be refused |
| \`vendor.pub\` | the vendor's public key (ECDSA P-256) |
| \`trusted_root.json\` | the log that this release trusts, made by \`cosign trusted-root create\` |

A vendor's site has such a key and root too. Nothing is judged by them: what judges lies in \`examples/keys/\`, as if
it had come another way.

cosign itself accepts both signatures (the script checks that); it has no way to look at the archives.

\`\`\`
$(cd "$release" && sha256sum -- *.bundle *.json *.pub *.tar *.tar.gz)
\`\`\`
PROVENANCE
echo "== done: $release"

echo "   then record what the program says of it: TRYCMD=overwrite cargo test --test commands"
