#!/usr/bin/env bash
# How fast does `sealift mirror` fetch, judge, seal and check? An image of LAYERS uncompressed layers of MIB MiB
# each in a registry on this machine, and a package of the same size on a web server over HTTPS. Beside each, in
# the same run, `curl` of the same bytes to the same disk and `openssl dgst -sha256` of what arrived; interleaved,
# median of three; and the peak memory (GNU time) of `mirror`.
#
#   scripts/bench-mirror.sh [LAYERS [MIB]]     # default 8 and 640: 5 GiB of each
#
# Needs docker-registry, nginx, curl, openssl and GNU tar. SEALIFT names another program than the release build;
# BENCH_DIR says where (the space is needed three times).
set -euo pipefail
cd "$(dirname "$0")/.."
layers=${1:-8} mib=${2:-640}
if [ -z "${SEALIFT:-}" ]; then
  . scripts/build-common.sh
  SEALIFT=$(built --quiet --release --bin sealift)
fi
. scripts/bench-common.sh
. scripts/demo-site.sh
bench_folder mirror
trap 'stop_servers; [ -n "${BENCH_DIR:-}" ] || rm -rf "$work"' EXIT
export SEALIFT_PASSWORD=bench
root=$work/site
mkdir -p "$root/signatures/bundles" "$root/signatures/public-keys" "$root/packages" "$work/servers"
rm -rf "$work/transfer.key" "$work/transfer.pub"
"$SEALIFT" keygen --output-key-prefix "$work/transfer" >/dev/null
vendor_key "$work/vendor"
cp "$work/vendor.pub" "$root/signatures/public-keys/"
start_site "$work/servers" "$root"
start_registry "$work/servers"
if [ -z "$site_port" ] || [ -z "$registry_port" ]; then
  echo "bench: nginx, openssl and docker-registry are needed" >&2
  exit 2
fi

echo "== preparing $((layers * mib)) MiB"
registry=http://127.0.0.1:$registry_port/v2/big
# Pushes a file as a blob; answers with its digest and size.
push() {
  local digest location
  digest=sha256:$(openssl dgst -sha256 -r "$1" | cut -d' ' -f1)
  location=$(curl -fsS -X POST -D - -o /dev/null "$registry/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' -T "$1" "$location&digest=$digest" >/dev/null
  echo "$digest $(stat -c %s "$1")"
}
scripts/make-big-archive.sh "$work/big.tar" "$layers" "$mib" plain 7 >/dev/null
rm -rf "$work/layers"
mkdir "$work/layers"
tar -xf "$work/big.tar" -C "$work/layers"
mv "$work/big.tar" "$root/packages/big.bin"
site=https://vendor.example/signatures
sed "s|^{|{\"config\":{\"Labels\":{\"org.opencontainers.image.signature.bundle\":\"$site/bundles/big_signature.bundle\",\"org.opencontainers.image.signature.key\":\"vendor.pub\"}},|" \
  "$work/layers/config.json" >"$work/labelled.json"
list=
: >"$work/urls"
for number in $(seq 0 $((layers - 1))); do
  read -r digest size < <(push "$work/layers/layer-$number.tar")
  list="$list${list:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"$digest\",\"size\":$size}"
  echo "$registry/blobs/$digest" >>"$work/urls"
done
rm -rf "$work/layers"
read -r digest size < <(push "$work/labelled.json")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[%s]}' \
  "$digest" "$size" "$list" >"$work/manifest.json"
curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
  --data-binary "@$work/manifest.json" "$registry/manifests/1.0" >/dev/null
printf '%s' "$digest" | sign "$work/vendor.pem" >"$root/signatures/bundles/big_signature.bundle"
openssl dgst -sha256 -r "$root/packages/big.bin" | cut -d' ' -f1 | sign "$work/vendor.pem" >"$root/signatures/bundles/big.bin_signature.bundle"
echo '{"publicKey":"https://support.k2view.com/signatures/public-keys/vendor.pub"}' >"$root/signatures/bundles/big.bin_publickey.json"

out=$work/out
mirror() {
  rm -rf "$out"
  "${timer[@]}" "$SEALIFT" mirror --quiet --out "$out" --key "$work/transfer.key" --vendor k2view --allow-host vendor.example \
    --vendor-key "$root/signatures/public-keys/vendor.pub" --insecure-ignore-tlog --allow-http --ca-file "$ca" \
    --connect-to "vendor.example=127.0.0.1:$site_port" --connect-to "support.k2view.com=127.0.0.1:$site_port" "$@"
}
image() { mirror --image "127.0.0.1:$registry_port/big:1.0"; }
image_alone() { mirror --image "127.0.0.1:$registry_port/big:1.0" --no-preflight; }
package() { mirror --package https://vendor.example/packages/big.bin; }
package_alone() { mirror --package https://vendor.example/packages/big.bin --no-preflight; }
# What the vendor's page asks for: each file fetched, written through to the disk, and hashed.
curl_image() {
  rm -rf "$out"
  mkdir "$out"
  (cd "$out" && xargs -n 1 curl -fsS -O <"$work/urls" && sync -f . && openssl dgst -sha256 ./*)
}
curl_package() {
  rm -rf "$out"
  mkdir "$out"
  (cd "$out" && curl -fsS --cacert "$ca" --connect-to "vendor.example:443:127.0.0.1:$site_port" -O \
    https://vendor.example/packages/big.bin && sync -f . && openssl dgst -sha256 ./*)
}
for what in image package; do
  RUNS=${RUNS:-3} measure "curl_$what" "$what" "${what}_alone"
  echo "== $what of $((layers * mib)) MiB, $(nproc) CPUs (alone: --no-preflight)"
  for job in "$what" "${what}_alone" "curl_$what"; do bench_line "$job" "curl_$what"; done
  if has_time; then echo "peak memory: $(peak_of "$what") KiB"; else echo "skipped: peak memory needs GNU time"; fi
done
rm -rf "$out"
