# shellcheck shell=bash disable=SC2034,SC2154 # variables that go from one file to another
# What the benchmarks share; sourced by them, in the project's root. Sets SEALIFT to the program that is measured (the
# release build of the air-gap edition, unless it is set), and gives:

# A folder that stays from run to run below BENCH_DIR, else a temporary one.
bench_folder() {
  if [ -n "${BENCH_DIR:-}" ]; then
    work=$BENCH_DIR/$1
    mkdir -p "$work"
    work=$(cd "$work" && pwd)
  else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
  fi
}

# Times jobs (functions or programs), one after another, round after round: five rounds, three where a job takes more
# than 20 seconds, or RUNS. What a function `before_JOB` does comes first and is not counted. Leaves the seconds in
# JOB.times, and user and system seconds together in JOB.cpu. A job that fails ends the benchmark.
measure() {
  local job round rounds=${RUNS:-5} all user system TIMEFORMAT='%R %U %S'
  for job in "$@"; do rm -f "$work/$job.times" "$work/$job.cpu"; done
  for ((round = 1; round <= rounds; round++)); do
    for job in "$@"; do
      if declare -F "before_$job" >/dev/null; then "before_$job"; fi
      if ! { time "$job" >"$work/output" 2>&1; } 2>"$work/time"; then
        echo "bench: $job failed:" >&2
        tail -n 20 "$work/output" >&2
        exit 1
      fi
      read -r all user system <"$work/time"
      echo "$all" >>"$work/$job.times"
      calc "$user + $system" "%.3f\\n" >>"$work/$job.cpu"
      if [ -z "${RUNS:-}" ] && [ "${all%.*}" -ge 20 ]; then rounds=3; fi
    done
  done
}

# The median of the numbers in a file.
median() { sort -n "$1" | awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)]}'; }

# The median seconds of a job that was measured.
seconds_of() { median "$work/$1.times"; }

# What awk makes of an expression: `calc "3 * 0.5"`, or `calc "3 * 0.5" %.2f`.
calc() { awk "BEGIN {printf \"${2:-%.3f}\", $1}"; }

# A line for a job beside another: `bench_line NAME BASE`.
bench_line() {
  printf '%-14s median %8.3f s   ratio to %s %.2f   all: %s\n' "$1" "$(seconds_of "$1")" "$2" \
    "$(calc "$(seconds_of "$1") / $(seconds_of "$2")")" "$(tr '\n' ' ' <"$work/$1.times")"
}

# The peak memory of a job in KiB. The job runs its program behind "${timer[@]}", which is empty at other times.
timer=()
peak_of() {
  if declare -F "before_$1" >/dev/null; then "before_$1"; fi
  timer=(/usr/bin/time -f %M -o "$work/memory")
  if ! "$1" >"$work/output" 2>&1; then
    echo "bench: $1 failed:" >&2
    tail -n 20 "$work/output" >&2
    exit 1
  fi
  timer=()
  tail -n 1 "$work/memory"
}
has_time() { [ -x /usr/bin/time ]; }

has() { command -v "$1" >/dev/null; }

# The machine and the program, in lines of Markdown.
describe_machine() {
  echo "- processor: $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $(nproc) cores," \
    "$(grep -qw sha_ni /proc/cpuinfo && echo "with SHA instructions" || echo "without SHA instructions of x86")"
  echo "- memory: $(awk '/^MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo); system: $(uname -sr)"
  echo "- program: $("$SEALIFT" --version), SHA-256 $(sha256sum "$SEALIFT" | cut -c1-16)…;" \
    "$(openssl version | cut -d' ' -f1-2); $(date -u +%Y-%m-%d)"
  echo "- load before the run: $(cut -d' ' -f1-3 /proc/loadavg)"
}

# An ECDSA P-256 key pair of the vendor, NAME.pem and NAME.pub, unless it is there.
vendor_key() {
  [ ! -f "$1.pub" ] || return 0
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.pem"
  openssl ec -in "$1.pem" -pubout -out "$1.pub" 2>/dev/null
}

# An old cosign bundle without a log entry, over standard input: `sign KEY.pem`.
sign() { printf '{"base64Signature":"%s"}' "$(openssl dgst -sha256 -sign "$1" | base64 -w0)"; }

if [ -z "${SEALIFT:-}" ]; then
  . scripts/build-common.sh
  SEALIFT=$(built --quiet --release --no-default-features --bin sealift)
fi
SEALIFT=$(cd "$(dirname "$SEALIFT")" && pwd)/$(basename "$SEALIFT")
