# What the benchmarks share; sourced by them, in the project's root. Sets SEALIFT to the program that is measured (the
# release build of the air-gap edition, unless it is set), and gives:

# A folder that stays from run to run below BENCH_DIR, else a temporary one.
bench_folder() {
  if [ -n "${BENCH_DIR:-}" ]; then
    work=$BENCH_DIR/$1
    mkdir -p "$work"
  else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
  fi
}

# The seconds that a command takes, its output thrown away.
seconds() { local TIMEFORMAT=%R; { time "$@" >/dev/null; } 2>&1; }

# The median of the numbers in a file.
median() { sort -n "$1" | awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)]}'; }

# A line for a job: `bench_line NAME BASE`, from NAME.times and BASE.times in the folder.
bench_line() {
  awk -v job="$1" -v name="${2/_dgst/}" -v t="$(median "$work/$1.times")" -v base="$(median "$work/$2.times")" \
    -v all="$(tr '\n' ' ' <"$work/$1.times")" \
    'BEGIN {printf "%-13s median %7.3f s   ratio to %s %.2f   all: %s\n", job, t, name, t / base, all}'
}

if [ -z "${SEALIFT:-}" ]; then
  cargo build --quiet --locked --release --no-default-features
  SEALIFT=target/release/sealift
fi
