# Two releases of one vendor under the same names, and a slow server for them. Sourced by
# fault-campaign.sh after demo-site.sh; works in $work.
#
#   make_releases        the releases "a" and "b", and keys
#   start_all            nginx (the site, and the registry behind it, both slow) and a registry
#   publish RELEASE      makes it the one that is served

rate=${RATE:-6m}
package=tools-1.0.tar.gz
small=notes-1.0.tgz

# Signs what is on standard input, as `cosign sign-blob --tlog-upload=false` does.
sign() {
  printf '{"base64Signature":"%s"}' "$(openssl dgst -sha256 -sign "$work/vendor.key" | base64 -w0)"
}

layer() {
  local name=$1 bytes=$2
  head -c "$bytes" /dev/urandom >"$work/file"
  tar -C "$work" --transform "s,file,$name," -cf "$work/image/$name.tar" file
}

# The image of a release as `docker save` wrote it for long: config, layers, manifest.json.
make_image() {
  local release=$1 layers=() diffs=() name
  rm -rf "$work/image"
  mkdir "$work/image"
  for name in base app extra; do
    layer "$name-$release" $((700000 + RANDOM * 30))
    layers+=("\"$name-$release.tar\"")
    diffs+=("\"sha256:$(sha256sum <"$work/image/$name-$release.tar" | cut -d' ' -f1)\"")
  done
  diffs=("$(IFS=,; echo "${diffs[*]}")") layers=("$(IFS=,; echo "${layers[*]}")")
  printf '{"architecture":"amd64","os":"linux","config":{"Labels":{"%s":"%s","%s":"%s"}},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    org.opencontainers.image.signature.bundle https://vendor.example/bundles/hello_signature.bundle \
    org.opencontainers.image.signature.key vendor.pub "${diffs[*]}" >"$work/image/config.json"
  printf '[{"Config":"config.json","RepoTags":["vendor.example/hello:1.0"],"Layers":[%s]}]' "${layers[*]}" \
    >"$work/image/manifest.json"
  tar -C "$work/image" -cf "$work/image-$release.tar" manifest.json config.json {base,app,extra}"-$release.tar"
  printf 'sha256:%s' "$(sha256sum <"$work/image/config.json" | cut -d' ' -f1)" | sign \
    >"$work/$release/bundles/hello_signature.bundle"
}

make_releases() {
  local release file
  openssl ecparam -name prime256v1 -genkey -noout -out "$work/vendor.key"
  openssl ec -in "$work/vendor.key" -pubout -out "$work/vendor.pub" 2>/dev/null
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$work/transfer.key" 2>/dev/null
  openssl pkey -in "$work/transfer.key" -pubout -out "$work/transfer.pub"
  for release in a b; do
    mkdir -p "$work/$release"/{bundles,files,keys}
    cp "$work/vendor.pub" "$work/$release/keys/"
    make_image "$release"
    head -c $((3000000 + RANDOM * 10)) /dev/urandom >"$work/$release/files/$package"
    head -c $((200000 + RANDOM)) /dev/urandom >"$work/$release/files/$small"
    for file in "$package" "$small"; do
      sha256sum "$work/$release/files/$file" | cut -d' ' -f1 | sign >"$work/$release/bundles/${file}_signature.bundle"
      printf '{"publicKey":"https://vendor.example/keys/vendor.pub"}\n' >"$work/$release/bundles/${file}_publickey.json"
    done
  done
  # nginx makes entity tags of time and size.
  find "$work/b" -type f -exec touch -d '2026-01-01' {} +
  cat >"$work/vendor.toml" <<'TOML'
name = "fault"
on_failure = "Look."
[image]
message = "digest"
bundle_label = "org.opencontainers.image.signature.bundle"
key_label = "org.opencontainers.image.signature.key"
[package]
message = "hex-line"
bundle_file = "{package}_signature.bundle"
key_file = "{package}_publickey.json"
[mirror]
hosts = ["vendor.example"]
key_url = "https://vendor.example/keys/{key}"
bundle_url = "https://vendor.example/bundles/{package}_signature.bundle"
key_file_url = "https://vendor.example/bundles/{package}_publickey.json"
package_url = "https://vendor.example/files/{package}"
TOML
}

start_nginx() {
  nginx -p "$work" -c "$work/nginx.conf" -e "$work/nginx.log" >/dev/null 2>&1 &
  nginx_pid=$!
  disown
  answers "$site_port" && answers "$front_port"
}

start_storage() {
  "$registry_program" serve "$work/registry.yml" >/dev/null 2>&1 &
  registry_pid=$!
  disown
  answers "$registry_port"
}

start_all() {
  local release
  site_keys "$work"
  site_port=$(free_port) front_port=$(free_port) registry_port=$(free_port)
  cat >"$work/registry.yml" <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:$registry_port}
CONF
  cat >"$work/nginx.conf" <<CONF
daemon off; master_process off; pid $work/nginx.pid; error_log $work/nginx.log;
events {}
http {
  log_format short '\$status \$http_range \$request'; access_log $work/access.log short;
  client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
  limit_rate $rate;
  server {
    listen 127.0.0.1:$site_port ssl;
    ssl_certificate $work/site.pem; ssl_certificate_key $work/site.key;
    root $work/served;
  }
  server {
    listen 127.0.0.1:$front_port;
    location / {
      proxy_pass http://127.0.0.1:$registry_port; proxy_set_header Host \$http_host;
      proxy_http_version 1.1; proxy_max_temp_file_size 0;
    }
  }
}
CONF
  start_storage
  for release in a b; do
    skopeo copy --quiet --insecure-policy --dest-tls-verify=false \
      "docker-archive:$work/image-$release.tar" "docker://127.0.0.1:$registry_port/hello:$release"
    curl -sf -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
      "http://127.0.0.1:$registry_port/v2/hello/manifests/$release" >"$work/manifest-$release.json"
  done
  mkdir "$work/served"
  publish a
  start_nginx
}

publish() {
  local type=application/vnd.docker.distribution.manifest.v2+json
  curl -sf -X PUT -H "Content-Type: $type" --data-binary "@$work/manifest-$1.json" \
    "http://127.0.0.1:$registry_port/v2/hello/manifests/1.0"
  rm -rf "$work/served.new" "$work/served.old"
  cp -a "$work/$1" "$work/served.new"
  mv "$work/served" "$work/served.old"
  mv "$work/served.new" "$work/served"
  image=127.0.0.1:$front_port/hello:1.0
}
