#!/usr/bin/env bash
# Breaks `sealift mirror` again and again, in another way in each round, and looks at what is left:
#
#   kill     SIGKILL at random moments, up to four in a row, the release changing between them
#   lost     the same, and what lies in half-written files is damaged, as a power cut may do it
#   call     SIGKILL before one system call that changes the disk
#   error    a system call fails: no space, or an error of the medium
#   full     a full disk: too small from the start, or filled by another while it runs
#   server   the site, the registry or both end, and come back
#
# In each round the directory is empty at first, or holds the sealed release before. After the fault,
# `sealift verify` may call it OK only if it is one release whole; else it must say that it is not
# sealed or that sealing was interrupted. Then the same command runs again, without a fault: it must
# succeed, leave no half-written file, and make what a run that nothing happened to made.
#
#   scripts/fault-campaign.sh [ROUNDS]
#
# Needs Linux, nginx, docker-registry, skopeo, strace, openssl, curl, jq; and root, to mount a small disk.
# SEED repeats the choices (not the moments), KINDS names the faults ("kill call"), PROGRAM the program.
# Ends with 0 only if no rule was broken; each round that broke one leaves its directory and says where.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-300}
read -ra kinds <<<"${KINDS:-kill kill lost call call error full server}"
RANDOM=${SEED:-$$}
need=()
for program in nginx skopeo strace openssl curl jq unshare; do
  command -v "$program" >/dev/null || need+=("$program")
done
for registry_program in docker-registry registry; do command -v "$registry_program" >/dev/null && break; done
command -v "$registry_program" >/dev/null || need+=(docker-registry)
[ "$(id -u)" -eq 0 ] || need+=(root)
[ ${#need[@]} -eq 0 ] || { echo "fault-campaign: needs ${need[*]}" >&2; exit 2; }
. scripts/build-common.sh
program=${PROGRAM:-$(built --quiet --bin sealift)}
program=$(realpath "$program")

work=$(mktemp -d)
keep=$work/kept
round=0 story=setup
nginx_pid='' registry_pid=''
# shellcheck source=scripts/demo-site.sh
. scripts/demo-site.sh
# shellcheck source=scripts/fault-site.sh
. scripts/fault-site.sh
clean_up() {
  kill -9 $nginx_pid $registry_pid 2>/dev/null || true
  umount "$work/disk" 2>/dev/null || true
  if [ -d "$keep" ]; then find "$work" -mindepth 1 -maxdepth 1 ! -name kept -exec rm -rf {} +; else rm -rf "$work"; fi
}
trap clean_up EXIT
trap 'echo "fault-campaign: line $LINENO failed in round $round ($story)" >&2' ERR
set -E

declare -A answers_seen=() rounds_of=() resumed_of=() wrong_of=() part_of=()
violations=0
random() { echo $(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1))); }
pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
milliseconds() { date +%s%3N; }

# Sets `run` to the command that mirrors to a directory.
command_for() {
  run=("$program" mirror -q --out "$1" --key "$work/transfer.key" --vendor-profile "$work/vendor.toml"
    --vendor-key "$work/vendor.pub" --insecure-ignore-tlog --ca-file "$work/ca.pem" --allow-http --retries 2
    --connect-to "vendor.example=127.0.0.1:$site_port" --image "$image" --package "$package" "$small")
}

violation() {
  violations=$((violations + 1))
  wrong_of[$kind]=$((${wrong_of[$kind]:-0} + 1))
  mkdir -p "$keep"
  cp -a "$dir" "$keep/$round" 2>/dev/null || true
  echo "round $round ($story): $1; see $keep/$round" >&2
  sed 's/^/    /' "$work/out" >&2 || true
}

same() { diff -rq "$1/images" "$work/ref-$2/images" && diff -rq "$1/packages" "$work/ref-$2/packages"; } >/dev/null 2>&1

# What verify says of a directory, as a word; with no network.
ask() {
  local status=0
  answer=nothing
  [ -d "$dir" ] || return 0
  unshare -n "$program" verify -q -o json --transfer-key "$work/transfer.pub" --vendor-profile "$work/vendor.toml" \
    --insecure-ignore-tlog "$dir" >"$work/report" 2>"$work/out" || status=$?
  answer=$(jq -r '[.artifacts[].code // empty] | unique | join("+")' "$work/report" 2>/dev/null) || answer=
  [ -n "$answer" ] || answer=$(sed -n 's/^sealift: error\[\([^]]*\)\].*/\1/p' "$work/out" | head -1)
  if [ "$status" -eq 0 ]; then answer=OK; elif [ "$status" -gt 3 ]; then answer="crash $status"; fi
}

# The rule for a directory after a fault.
judge() {
  ask
  case $answer in
  OK)
    if [ -e "$dir/manifest.json.sealift-tmp" ]; then violation "OK, and marked as interrupted"
    elif same "$dir" a; then answer="OK, release a"
    elif same "$dir" b; then answer="OK, release b"
    else violation "OK with content of no release"; fi
    ;;
  nothing | seal-missing) [ "$had" = nothing ] || violation "a sealed directory, now $answer" ;;
  seal-incomplete) ;;
  omitted*)
    # A transfer that says itself what is absent: of what the servers did not give, and nothing else.
    [ "$kind" = server ] || violation "sealed with something left out"
    ;;
  *) violation "the answer is: $answer" ;;
  esac
  answers_seen[$kind:$answer]=$((${answers_seen[$kind:$answer]:-0} + 1))
}

# The same command without a fault.
complete() {
  local from status=0 parts file bytes=0
  parts=$(find "$dir" -type f \( -name '*.tar.sealift-tmp' -o -name '*gz.sealift-tmp' \) 2>/dev/null) || true
  # So much of a file lies there that going on must be worth it.
  for file in $parts; do bytes=$(($(stat -c %b "$file") * 512)); [ "$bytes" -lt 400000 ] || break; done
  from=$(wc -l <"$work/access.log")
  command_for "$dir"
  "${run[@]}" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq 0 ] || { violation "run again, it ends with $status"; return; }
  if [ "$bytes" -ge 400000 ]; then
    part_of[$kind]=$((${part_of[$kind]:-0} + 1))
    if tail -n "+$((from + 1))" "$work/access.log" | grep -q '^206 '; then
      resumed_of[$kind]=$((${resumed_of[$kind]:-0} + 1))
    fi
  fi
  [ -z "$(find "$dir" -name '*sealift-tmp*')" ] || violation "half-written files are left"
  same "$dir" "$target" || violation "not what an undisturbed run makes"
  for file in $(cd "$dir" && find images packages -type f); do
    grep -qF "\"path\":\"$file\"" "$dir/trust/fetches.jsonl" || violation "the log of fetches lacks $file"
  done
  ask
  [ "$answer" = OK ] || violation "complete, and the answer is: $answer"
}

# A run in the background; sets `pid`.
start() {
  command_for "$dir"
  "${run[@]}" >"$work/out" 2>&1 &
  pid=$!
}
ended() { wait "$pid" 2>/dev/null || true; }

fault_kill() {
  local times=$((RANDOM % 3 == 0 ? 2 + RANDOM % 3 : 1)) moment other
  for ((; times > 0; times--)); do
    moment=$(random 0 "$duration")
    start
    pause "$moment"
    kill -9 "$pid" 2>/dev/null || true
    ended
    story+=", killed after $moment ms"
    [ "$times" -gt 1 ] || break
    judge
    if [ $((RANDOM % 2)) -eq 0 ]; then
      other=$([ "$target" = a ] && echo b || echo a)
      target=$other
      publish "$target"
      story+=", release $target"
    fi
  done
}

fault_lost() {
  local file size
  fault_kill
  while read -r file; do
    size=$(stat -c %s "$file")
    [ "$size" -gt 0 ] || continue
    # Mostly the note of how much is there stays, and says too much.
    [[ $file != *.resume.sealift-tmp ]] || [ $((RANDOM % 4)) -eq 0 ] || continue
    if [ $((RANDOM % 2)) -eq 0 ]; then truncate -s "$(random 0 "$size")" "$file"
    else dd if=/dev/zero of="$file" bs=1 count=4096 seek="$(random 0 "$size")" conv=notrunc status=none; fi
  done < <(find "$dir" -type f -name '*.sealift-tmp' ! -name manifest.json.sealift-tmp \
    ! -path '*/trust/*' 2>/dev/null)
  story+=", half-written files damaged"
}

# Under strace, with words for it.
traced() {
  command_for "$dir"
  # The shell itself says "Killed", too.
  { timeout 60 strace -f -qq -o "$work/trace" "$@" "${run[@]}" >"$work/out" 2>&1 || true; } 2>/dev/null
}

# Writes down how often one thread makes which call, in a run over what lies there.
record() {
  traced -e trace=write,pwrite64,renameat,unlinkat,fsync,mkdirat,ftruncate,openat
  awk '{ sub(/\(.*/, "", $2); if (++count[$1 " " $2] > most[$2]) most[$2] = count[$1 " " $2] }
    END { for (name in most) if (name ~ /^[a-z0-9]+$/) print name, most[name] }' "$work/trace" | sort
}

one_call() {
  local list
  mapfile -t list < <(grep -E "^($1) " "$work/calls-$had")
  read -r name most <<<"${list[RANDOM % ${#list[@]}]}"
  number=$(random 1 "$most")
}

fault_call() {
  one_call 'write|pwrite64|renameat|unlinkat|fsync|mkdirat|ftruncate|openat'
  story+=", killed before $name number $number"
  traced -e "trace=$name" -e "inject=$name:signal=KILL:when=$number"
}

fault_error() {
  local error=$([ $((RANDOM % 2)) -eq 0 ] && echo ENOSPC || echo EIO) more=$([ $((RANDOM % 2)) -eq 0 ] && echo + || true)
  one_call 'pwrite64|renameat|unlinkat|fsync|mkdirat|ftruncate'
  story+=", $name number $number$more fails ($error)"
  traced -e "trace=$name" -e "inject=$name:error=$error:when=$number$more"
  ! grep -q 'panicked' "$work/out" || violation "a panic"
}

fault_full() {
  local moment room
  if [ $((RANDOM % 2)) -eq 0 ]; then
    room=$(random 0 $((size / 2)))
    if [ $((RANDOM % 3)) -gt 0 ]; then room=$(random "$size" $((size + 200000))); fi
    if [ "$had" != nothing ]; then room=$((room + size)); fi
    mount -o "remount,size=$room" "$work/disk" 2>/dev/null || true
    story+=", a disk of $room bytes"
    start
    ended
  else
    moment=$(random 0 "$duration")
    story+=", a disk full after $moment ms"
    start
    pause "$moment"
    dd if=/dev/zero of="$work/disk/ballast" bs=64k status=none 2>/dev/null || true
    ended
  fi
  judge
  rm -f "$work/disk/ballast"
  mount -o remount,size=64m "$work/disk"
}

fault_server() {
  local moment later victim=$((RANDOM % 3))
  moment=$(random 0 "$duration")
  later=$(random 0 2000)
  story+=", server(s) $victim gone after $moment ms for $later ms"
  start
  pause "$moment"
  [ "$victim" -eq 1 ] || { kill -9 "$nginx_pid"; }
  [ "$victim" -eq 0 ] || { kill -9 "$registry_pid"; }
  pause "$later"
  [ "$victim" -eq 0 ] || start_storage
  [ "$victim" -eq 1 ] || start_nginx
  ended
}

make_releases
start_all
dir=$work/dir had=nothing kind=setup
for release in a b; do
  publish "$release"
  dir=$work/ref-$release
  command_for "$dir"
  before=$(milliseconds)
  "${run[@]}" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
  duration=$(($(milliseconds) - before))
done
size=$(du -sb "$work/ref-b" | cut -f1)
dir=$work/dir
record >"$work/calls-nothing"
rm -rf "$dir"
cp -a "$work/ref-a" "$dir"
record >"$work/calls-a"
cp "$work/calls-a" "$work/calls-b"
mkdir "$work/disk"
echo "fault-campaign: a run takes $duration ms and makes $size bytes; $rounds rounds"

for ((round = 1; round <= rounds; round++)); do
  kind=${kinds[(round - 1) % ${#kinds[@]}]}
  rounds_of[$kind]=$((${rounds_of[$kind]:-0} + 1))
  dir=$work/dir
  rm -rf "$dir"
  if [ "$kind" = full ]; then
    mount -t tmpfs -o size=64m tmpfs "$work/disk"
    dir=$work/disk/dir
  fi
  target=$([ $((RANDOM % 2)) -eq 0 ] && echo a || echo b)
  had=$(printf '%s\n' nothing a b | sed -n "$((1 + RANDOM % 3))p")
  [ "$had" = nothing ] || cp -a "$work/ref-$had" "$dir"
  publish "$target"
  story="$kind, over $had, release $target"
  "fault_$kind"
  [ "$kind" = full ] || judge
  complete
  [ "$kind" != full ] || umount "$work/disk"
  [ $((round % 50)) -ne 0 ] || echo "  $round rounds, $violations violations"
done

printf '\n%-8s %7s %12s %8s %11s\n' fault rounds 'large part' resumed violations
for kind in $(printf '%s\n' "${kinds[@]}" | sort -u); do
  printf '%-8s %7d %12d %8d %11d\n' "$kind" "${rounds_of[$kind]:-0}" "${part_of[$kind]:-0}" \
    "${resumed_of[$kind]:-0}" "${wrong_of[$kind]:-0}"
done
echo
for key in "${!answers_seen[@]}"; do printf '%-8s %5d  %s\n' "${key%%:*}" "${answers_seen[$key]}" "${key#*:}"; done | sort
echo
echo "$rounds rounds, $violations violations"
[ "$violations" -eq 0 ]
