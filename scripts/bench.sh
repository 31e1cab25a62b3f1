#!/usr/bin/env bash
# How fast is a verdict, and how much memory does it take? Each thing is measured beside its alternative in the same
# run: warm cache, interleaved, medians of five runs (three where one takes more than 20 seconds).
#
#   scripts/bench.sh [PART…]       # default: all
#
#   a  a docker archive of eight uncompressed layers, alone, in a folder, sealed       beside openssl and sha256sum
#   b  the same with gzip layers, and as one gzip file, of two kinds of content        beside gzip and openssl
#   c  many small packages with logged bundles of both forms                           beside sha256sum and cosign
#   d  a folder of archives and packages, plain and sealed                             beside openssl
#   e  the start of the program                                                        beside openssl
#   f  the archive of (a)                                                              beside skopeo, docker, cosign
#
# and with each the peak memory with 1, 2 and 8 jobs (g). Prints a table, and adds it as Markdown to
# $BENCH_DIR/results.md.
#
# MIB (512) is the size of a layer of (a) and sets those of (b) and (d); PACKAGES (2000) is the number of (c); RUNS
# sets another number of runs. BENCH_DIR keeps the inputs from one run to the next: about 27 GiB with 512 MiB a layer,
# and 8 GiB more while it works. SEALIFT names another program than the release build of the air-gap edition,
# SIGNATURE_BENCH another benches/signature.rs. COSIGN_DIR holds cosign-2 and cosign-3; without it, (c) and (f)
# have no cosign beside them.
set -euo pipefail
cd "$(dirname "$0")/.."
mib=${MIB:-512} packages=${PACKAGES:-2000}
parts=("$@")
[ $# -gt 0 ] || parts=(a b c d e f)
for part in "${parts[@]}"; do
  case $part in [a-f]) ;; *) echo "usage: $0 [a|b|c|d|e|f]..." >&2 && exit 2 ;; esac
done
. scripts/bench-common.sh
. scripts/bench-inputs.sh
bench_folder "mib-$mib"
results=${BENCH_DIR:-$work}/results.md
declare -A peak=()
memory_rows=() missed=0
has_time || echo "skipped: peak memory needs GNU time"

# What is printed -----------------------------------------------------------------------------------------------

# A line of the table: what, time, ratio, target, whether it is met, memory.
line() {
  printf '%-46s %11s  %-22s %-14s %-8s %s\n' "$@"
  { printf '|'; printf ' %s |' "$@"; printf '\n'; } >>"$results"
  [ "$5" != "not met" ] || missed=$((missed + 1))
}
part() {
  printf '\n== %s\n' "$*"
  printf '\n### %s\n\n' "$*" >>"$results"
  line "what" "time" "ratio" "target" "" "peak memory, MiB"
  echo '|---|---|---|---|---|---|' >>"$results"
}
# Whether a condition of numbers holds.
held() { if awk "BEGIN {exit !($1)}"; then echo met; else echo "not met"; fi; }

# `row WHAT JOB [BASE WORD [TARGET]]`: a job's time, its ratio to another's, which must be at most the target.
row() {
  local time ratio='' target='' met=''
  time=$(seconds_of "$2")
  if [ $# -gt 2 ]; then
    ratio=$(calc "$time / $(seconds_of "$3")")
    if [ $# -gt 4 ]; then target="at most $5" met=$(held "$ratio <= $5"); fi
    ratio="$(calc "$ratio" %.2f) of $4"
  fi
  line "$1" "$time s" "$ratio" "$target" "$met" "${peak[$2]:-}"
}

# `peaks JOB WHAT [ARTIFACTS]`: the peak memory of Sealift with 1, 2 and 8 jobs; at two it may be 64 MiB and 1 KiB for
# each artifact.
peaks() {
  local n all=() limit=$((65536 + ${3:-1})) met
  has_time || return 0
  for n in 1 2 8; do
    jobs=(--jobs "$n")
    all+=("$(peak_of "$1")")
  done
  jobs=()
  met=$(held "${all[1]} <= $limit")
  peak[$1]=$(printf '%s %s %s' "${all[@]}" | awk '{printf "%.1f, %.1f, %.1f", $1 / 1024, $2 / 1024, $3 / 1024}')
  memory_rows+=("$2|$(calc "$limit / 1024" %.1f)|$met|${peak[$1]}")
}
peak_mib() { if has_time; then peak[$1]=$(calc "$(peak_of "$1") / 1024" %.1f); fi; }

size_of() { du -sm --apparent-size "$1" | awk '{print $1 " MiB"}'; }

# Jobs, on $file, $folder and $sealed; bench-inputs.sh has some too ----------------------------------------------

verify_folder() { verify --insecure-ignore-tlog --key "$work/keys/vendor.pub" "$folder"; }
verify_sealed() { verify --insecure-ignore-tlog --transfer-key "$work/keys/transfer.pub" "$sealed"; }
verify_whole() { verify --insecure-ignore-tlog --transfer-key "$work/keys/transfer.pub" --full-digest "$sealed"; }
coreutils_file() { sha256sum "$file"; }
openssl_folder() { find "$folder" -type f -print0 | sort -z | xargs -0 openssl dgst -sha256; }
inflate_layers() {
  local layer
  for layer in 0 1 2 3 4 5 6 7; do
    tar -xOf "$file" "layer-$layer.tar" | gzip -dc | openssl dgst -sha256 || return
  done
}
inflate_file() { gzip -dc "$file" | openssl dgst -sha256; }

# Parts ---------------------------------------------------------------------------------------------------------

part_a() {
  input a make_image plain 0 8 "$mib"
  input a-sealed make_sealed a
  file=$work/a/image-0.tar folder=$work/a sealed=$work/a-sealed
  warm "$folder"
  measure verify_file verify_folder verify_sealed openssl_file coreutils_file
  part "(a) a docker archive with 8 uncompressed layers, $(size_of "$file")"
  peaks verify_file "(a) archive"
  peaks verify_folder "(a) folder"
  peaks verify_sealed "(a) sealed"
  row "sealift verify FILE" verify_file openssl_file openssl 0.60
  row "sealift verify DIR, not sealed" verify_folder openssl_file openssl 0.60
  row "sealift verify DIR, sealed" verify_sealed openssl_file openssl 0.60
  row "openssl dgst -sha256 FILE" openssl_file openssl_file openssl
  row "sha256sum FILE" coreutils_file openssl_file openssl
}

part_b() {
  local kind form
  for kind in text programs; do
    form=$kind-gzip
    [ "$kind" != text ] || form=gzip
    input "b-$kind" make_image "$form" 0 8 "$mib"
    input "b-$kind-sealed" make_sealed "b-$kind"
    input "b-$kind-whole" make_image "$kind-whole" 0 8 "$mib"

    file=$work/b-$kind/image-0.tar sealed=$work/b-$kind-sealed
    warm "$work/b-$kind"
    measure verify_file verify_sealed inflate_layers
    part "(b) gzip layers of $kind, $(size_of "$file"), inflated $((8 * mib)) MiB"
    peaks verify_file "(b) gzip layers of $kind"
    peaks verify_sealed "(b) gzip layers of $kind, sealed"
    row "sealift verify FILE" verify_file inflate_layers "gzip, openssl" 0.40
    row "sealift verify DIR, sealed" verify_sealed inflate_layers "gzip, openssl" 0.40
    row "gzip -dc LAYER | openssl dgst, in turn" inflate_layers inflate_layers "gzip, openssl"

    file=$work/b-$kind-whole/image-0.tar.gz
    warm "$work/b-$kind-whole"
    measure verify_file inflate_file
    part "(b) one gzip file of $kind, $(size_of "$file"), inflated $((8 * mib)) MiB"
    peaks verify_file "(b) one gzip file of $kind"
    row "sealift verify FILE" verify_file inflate_file "gzip, openssl" 0.60
    row "gzip -dc FILE | openssl dgst" inflate_file inflate_file "gzip, openssl"
  done
}

# The vendor's commands for the first packages: `cosign_loop PROGRAM OPTION…`
looped=$((packages < 100 ? packages : 100))
cosign_loop() {
  local program=$1 package
  shift
  for package in "${first_packages[@]}"; do
    sha256sum "$package" | awk '{print $1}' >"$work/digest.txt"
    "$program" verify-blob --key "$logged/key.pub" --bundle "${package}_signature.bundle" "$@" "$work/digest.txt" || return
  done
}
# An old bundle can be checked offline only with the log's key in the environment, a Sigstore bundle by a trusted root.
cosign_old() { SIGSTORE_REKOR_PUBLIC_KEY=$logged/log.pub cosign_loop "$COSIGN_DIR/$1" --offline; }
cosign_new() { cosign_loop "$COSIGN_DIR/$1" --new-bundle-format --trusted-root "$logged/trusted_root.json"; }
cosign_old_2() { cosign_old cosign-2; }
cosign_old_3() { cosign_old cosign-3; }
cosign_new_2() { cosign_new cosign-2; }
cosign_new_3() { cosign_new cosign-3; }
verify_logged() { verify --key "$logged/key.pub" --trusted-root "$logged/trusted_root.json" "$logged/packages"; }
primitives() { "$SIGNATURE_BENCH" --form "$form" --packages "$packages" --rounds 1 | tee -a "$work/primitives"; }
# The median of the microseconds that the benchmark says of something.
primitive() {
  sed -n "s/^$1  *\([0-9.]*\) us.*/\1/p" "$work/primitives" >"$work/numbers"
  median "$work/numbers"
}

part_c() {
  local form looping=() job ours cpu scaled hashing verification verifications needed
  ! has_cosign || looping=(2 3)
  find_signature_bench
  for form in old new; do
    input "c-$form-$packages" make_logged "$form" "$packages" 65536
    logged=$work/c-$form-$packages
    mapfile -t first_packages < <(find "$logged/packages" -name '*.bin' | sort | sed -n "1,${looped}p")
    warm "$logged"
    rm -f "$work/primitives"
    measure primitives verify_logged "${looping[@]/#/cosign_${form}_}"
    part "(c) $packages packages of 64 KiB, each with a logged bundle of the $form form"
    peaks verify_logged "(c) $packages packages, $form form" "$packages"
    row "sealift verify DIR" verify_logged
    ours=$(seconds_of verify_logged)
    for job in "${looping[@]/#/cosign_${form}_}"; do
      scaled=$(calc "$(seconds_of "$job") * $packages / $looped")
      line "sha256sum and cosign-${job##*_} verify-blob, in turn" "$scaled s" \
        "$(calc "$scaled / $ours" %.0f) times slower" "at least 60" "$(held "$scaled / $ours >= 60")" ""
    done
    has_cosign || line "cosign (COSIGN_DIR)" skipped "" "" "" ""
    hashing=$(primitive "SHA-256 of the package") verification=$(primitive "one P-256 verification")
    cpu=$(median "$work/verify_logged.cpu")
    line "processor time of sealift verify DIR" "$cpu s" "" "" "" ""
    for verifications in 3 4; do
      [ "$form" = new ] || [ "$verifications" -eq 3 ] || continue
      needed=$(calc "$packages * ($hashing + $verifications * $verification) / 1000000")
      line "beside $packages hashes, $verifications verifications each" "$needed s" \
        "$(calc "$cpu / $needed" %.2f) (sealift to this)" "at most 1.30" "$(held "$cpu / $needed <= 1.3")" ""
    done
    line "a hash, a P-256 verification (one thread)" "" "$hashing us, $verification us" "" "" ""
  done
}

part_d() {
  input d make_release "$((mib * 3 / 8))" "$mib"
  input d-sealed make_sealed d
  folder=$work/d sealed=$work/d-sealed
  warm "$folder"
  measure verify_folder verify_sealed verify_whole openssl_folder
  part "(d) 4 docker archives of 8 uncompressed layers and 8 packages, $(size_of "$folder")"
  peaks verify_folder "(d) folder" 12
  peaks verify_sealed "(d) sealed" 12
  row "sealift verify DIR, not sealed" verify_folder openssl_folder openssl 0.55
  row "sealift verify DIR, sealed" verify_sealed openssl_folder openssl 0.55
  row "sealift verify --full-digest DIR, sealed" verify_whole openssl_folder openssl
  row "openssl dgst -sha256 of all files" openssl_folder openssl_folder openssl
}

hundred() {
  local n
  for ((n = 0; n < 100; n++)); do "$@" || return; done
}
tiny() {
  verify --insecure-ignore-tlog --key "$work/keys/vendor.pub" "$work/e/tiny.bin"
}
start_version() { hundred "$SEALIFT" --version; }
start_verify() { hundred tiny; }
start_openssl() { hundred openssl version; }
start_check() { hundred openssl dgst -sha256 -verify "$work/keys/vendor.pub" -signature "$work/tiny.sig" "$work/tiny.txt"; }
# A job's hundredth part in milliseconds, which must be below 10 if so asked.
start_row() {
  local ms
  ms=$(calc "$(seconds_of "$2") * 10" %.1f)
  if [ -n "${3:-}" ]; then line "$1" "$ms ms" "" "< 10 ms" "$(held "$ms < 10")" "${peak[$2]:-}"; else line "$1" "$ms ms" "" "" "" ""; fi
}

part_e() {
  input e make_tiny
  sha256sum "$work/e/tiny.bin" | awk '{print $1}' >"$work/tiny.txt"
  sed 's/.*"base64Signature":"//; s/".*//' "$work/e/tiny.bin_signature.bundle" | base64 -d >"$work/tiny.sig"
  measure start_version start_verify start_openssl start_check
  part "(e) start, each a hundredth of a hundred"
  peaks tiny "(e) tiny package"
  peak[start_verify]=${peak[tiny]:-}
  start_row "sealift --version" start_version 10
  start_row "sealift verify of a tiny package" start_verify 10
  start_row "openssl version" start_openssl
  start_row "openssl dgst -verify of its digest" start_check
}
make_tiny() { echo tiny | make_package tiny.bin "$1"; }

skopeo_inspect() { "${timer[@]}" skopeo --insecure-policy inspect "docker-archive:$file"; }
before_skopeo_copy() { rm -rf "$work/skopeo"; }
skopeo_copy() { "${timer[@]}" skopeo --insecure-policy copy "docker-archive:$file" "dir:$work/skopeo"; }
tag=sealift-bench:1
before_docker_load() { docker rmi "$tag" >/dev/null 2>&1 || true; }
docker_load() { "${timer[@]}" docker load --input "$file" && docker image inspect --format '{{.Id}}' "$tag"; }
cosign_id() {
  "${timer[@]}" "$COSIGN_DIR/cosign-3" verify-blob --insecure-ignore-tlog --key "$work/keys/vendor.pub" \
    --bundle "$file.bundle" "$work/id.txt"
}
has_cosign() { [ -n "${COSIGN_DIR:-}" ] && [ -x "$COSIGN_DIR/cosign-2" ] && [ -x "$COSIGN_DIR/cosign-3" ]; }
# What a process occupies: `status PID VmRSS`, in KiB.
status() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"; }
# How much the daemon grew while it loaded, if it may be asked.
docker_growth() {
  local daemon before
  daemon=$(pgrep -x dockerd | head -n 1)
  before_docker_load
  if [ -n "$daemon" ] && (echo 5 >"/proc/$daemon/clear_refs") 2>/dev/null; then
    before=$(status "$daemon" VmRSS)
    docker_load >/dev/null
    calc "($(status "$daemon" VmHWM) - $before) / 1024" %.1f
  fi
}

part_f() {
  local others=() left_out=() growth="" job
  input a make_image plain 0 8 "$mib"
  file=$work/a/image-0.tar
  warm "$work/a"
  printf 'sha256:%s' "$(tar -xOf "$file" config.json | openssl dgst -sha256 -r | cut -d' ' -f1)" >"$work/id.txt"
  if has skopeo; then others+=(skopeo_inspect skopeo_copy); else left_out+=(skopeo); fi
  if has docker && docker info >/dev/null 2>&1; then others+=(docker_load); else left_out+=(docker); fi
  if has_cosign; then others+=(cosign_id); else left_out+=("cosign (COSIGN_DIR)"); fi
  measure verify_file "${others[@]}"
  part "(f) the archive of (a), $(size_of "$file"), in other programs"
  peaks verify_file "(f) archive"
  row "sealift verify FILE" verify_file
  for job in "${others[@]}"; do
    peak_mib "$job"
    case $job in
      skopeo_inspect) row "skopeo inspect docker-archive:FILE" "$job" verify_file sealift ;;
      skopeo_copy) row "skopeo copy docker-archive:FILE dir:DIR" "$job" verify_file sealift ;;
      docker_load)
        growth=$(docker_growth)
        peak[docker_load]+=" (client), ${growth:-?} (daemon's growth)"
        row "docker load, docker image inspect" "$job" verify_file sealift
        ;;
      cosign_id) row "cosign-3 verify-blob of the id alone" "$job" verify_file sealift ;;
    esac
  done
  for job in "${left_out[@]}"; do line "$job" "skipped" "" "" "" ""; done
  before_skopeo_copy
  if has docker; then before_docker_load; fi
}

# The run -------------------------------------------------------------------------------------------------------

{
  printf '\n## %s\n\n' "scripts/bench.sh ${parts[*]}: MIB=$mib PACKAGES=$packages"
  describe_machine
} >>"$results"
describe_machine
input keys make_keys
for part in "${parts[@]}"; do
  "part_$part"
done
if [ ${#memory_rows[@]} -gt 0 ]; then
  part "(g) peak memory of sealift verify, with 1, 2 and 8 jobs; the target is for 2"
  for entry in "${memory_rows[@]}"; do
    IFS='|' read -r what limit met all <<<"$entry"
    line "$what" "" "" "at most $limit MiB" "$met" "$all"
  done
fi
[ -n "${BENCH_DIR:-}" ] && printf '\nas Markdown: %s\n' "$results"
printf 'targets not met: %s\n' "$missed"
