# The vendor's site and the registry of demo.sh, on this machine, with what is installed. Sourced; sets
# `site_port` and `registry_port` (empty where there is no program for it), and `ca`.
#
#   start_site DIR ROOT     serves ROOT over HTTPS under the names of the vendor, its certificate authority in DIR/ca.pem
#   start_registry DIR      an empty registry
#   stop_servers

servers=()
stop_servers() {
  for server in ${servers[@]+"${servers[@]}"}; do kill "$server" 2>/dev/null || true; done
  for server in ${servers[@]+"${servers[@]}"}; do wait "$server" 2>/dev/null || true; done
  servers=()
}

free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  return 1
}

# Waits until something answers at a port.
answers() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  return 1
}

# An authority, and a certificate of it for the vendor's host.
site_keys() {
  local dir=$1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=demo CA' \
    -addext basicConstraints=critical,CA:TRUE -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=vendor.example' \
    -keyout "$dir/site.key" -out "$dir/site.csr" 2>/dev/null
  printf 'subjectAltName=DNS:vendor.example,DNS:support.k2view.com\nextendedKeyUsage=serverAuth\n' >"$dir/site.ext"
  openssl x509 -req -in "$dir/site.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
    -extfile "$dir/site.ext" -out "$dir/site.pem" 2>/dev/null
}

start_site() {
  local dir=$1 root=$2
  site_port=
  command -v openssl >/dev/null || return 0
  site_keys "$dir"
  ca=$dir/ca.pem
  local port
  port=$(free_port)
  if command -v nginx >/dev/null; then
    cat >"$dir/nginx.conf" <<CONF
daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.log;
events {}
http {
  access_log $dir/access.log;
  client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $dir/site.pem; ssl_certificate_key $dir/site.key;
    root $root;
  }
}
CONF
    nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/nginx.log" >/dev/null 2>&1 &
  elif command -v python3 >/dev/null; then
    python3 - "$port" "$dir" "$root" >/dev/null 2>&1 <<'PYTHON' &
import functools, http.server, ssl, sys
port, keys, root = int(sys.argv[1]), sys.argv[2], sys.argv[3]
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(keys + "/site.pem", keys + "/site.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
  else
    return 0
  fi
  servers+=($!)
  answers "$port" && site_port=$port
}

start_registry() {
  local dir=$1 program port
  registry_port=
  for program in docker-registry registry; do command -v "$program" >/dev/null && break; done
  command -v "$program" >/dev/null && command -v skopeo >/dev/null || return 0
  port=$(free_port)
  mkdir -p "$dir/registry"
  cat >"$dir/registry.yml" <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $dir/registry}}
http: {addr: 127.0.0.1:$port}
CONF
  "$program" serve "$dir/registry.yml" >/dev/null 2>&1 &
  servers+=($!)
  answers "$port" && registry_port=$port
}
