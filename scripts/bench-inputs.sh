# shellcheck shell=bash disable=SC2154 # variables of the script that sources it
# What bench.sh and bench-plot.sh measure on; sourced by them after bench-common.sh. Inputs lie in $work and are made
# once; an interrupted run leaves no half of one.

# Makes the folder $work/NAME, unless it is there: `input NAME COMMAND…`, where the command is given a folder to fill.
input() {
  local dir=$work/$1
  [ ! -d "$dir" ] || return 0
  shift
  echo "making ${dir##*/}" >&2
  rm -rf "$dir.part"
  mkdir -p "$dir.part"
  "$@" "$dir.part"
  mv "$dir.part" "$dir"
}

# The vendor's key pair and the operator's.
make_keys() {
  vendor_key "$1/vendor"
  SEALIFT_PASSWORD=bench "$SEALIFT" keygen --output-key-prefix "$1/transfer" >/dev/null
}

# `make_image FORM NUMBER LAYERS MIB DIR`: an archive and its bundle. The forms are those of make-big-archive.sh, and
# `text-whole` and `programs-whole`: the archive with uncompressed layers as one gzip file.
make_image() {
  local form=$1 number=$2 layers=$3 mib=$4 file=$5/image-$2.tar id
  id=$(scripts/make-big-archive.sh "$file" "$layers" "$mib" "${form%-whole}" "$number" | sed -n 's/.*image id //p')
  case $form in
    text-whole) gzip -n -1 "$file" && file=$file.gz ;;
    programs-whole) gzip -n -6 "$file" && file=$file.gz ;;
  esac
  printf '%s' "$id" | sign "$work/keys/vendor.pem" >"$file.bundle"
}

# `make_package NAME DIR`: a package of what standard input says, and its bundle.
make_package() {
  cat >"$2/$1"
  openssl dgst -sha256 -r "$2/$1" | cut -d' ' -f1 | sign "$work/keys/vendor.pem" >"$2/$1_signature.bundle"
}

# `make_release LAYER_MIB PACKAGE_MIB DIR`: four archives of eight layers, and eight packages.
make_release() {
  local number
  for number in 1 2 3 4; do make_image plain "$number" 8 "$1" "$3"; done
  for number in 1 2 3 4 5 6 7 8; do
    head -c "$(($2 << 20))" /dev/zero |
      openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$((9000 + number))")" -iv "$(printf '%032x' 0)" |
      make_package "package-$number.bin" "$3"
  done
}

# `make_sealed NAME DIR`: the input NAME by hard links, sealed.
make_sealed() {
  cp -al "$work/$1/." "$2"
  SEALIFT_PASSWORD=bench "$SEALIFT" seal --quiet --insecure-ignore-tlog --key "$work/keys/transfer.key" \
    --vendor-key "$work/keys/vendor.pub" "$2" >/dev/null
}

# `make_logged FORM COUNT BYTES DIR`: packages with bundles of a test log, or without one (benches/signature.rs).
make_logged() {
  find_signature_bench
  "$SIGNATURE_BENCH" --make "$4" --form "$1" --packages "$2" --bytes "$3" >/dev/null
}

# Sets SIGNATURE_BENCH to the benchmark of signatures, built now unless it was named.
find_signature_bench() {
  [ -z "${SIGNATURE_BENCH:-}" ] || return 0
  SIGNATURE_BENCH=$(cargo build --quiet --locked --release --no-default-features --bench signature \
    --message-format json | sed -n 's/.*"name":"signature".*"executable":"\([^"]*\)".*/\1/p')
}

# Everything is read once, so that the first run is no slower than the others.
warm() { find "$@" -type f -exec cat {} + >/dev/null; }

# The jobs that both measure. `jobs` holds the option for another number of jobs.
jobs=()
verify() { "${timer[@]}" "$SEALIFT" verify --quiet "${jobs[@]}" "$@"; }
verify_file() { verify --insecure-ignore-tlog --key "$work/keys/vendor.pub" --bundle "$file.bundle" "$file"; }
openssl_file() { openssl dgst -sha256 "$file"; }
