#!/bin/sh
# Makes a docker archive with LAYERS layers of MIB MiB each, to measure with. FORM says what is in them:
#
#   plain            a tar with one file of noise from a fixed key: every run makes the same bytes (the default)
#   text             the base64 of such noise, which compresses to three quarters
#   gzip             the same, each layer compressed
#   programs         like real layers: a tar of this machine's /usr/bin and /usr/lib, again and again, cut to size
#   programs-gzip    the same, each layer compressed
#
# An engine can load only `plain`: the layers of the others are cut where the size ends. NUMBER makes another
# archive, except of programs.
# Needs: openssl, GNU tar. Writes the archive to FILE and needs as much space again beside it.
set -eu

if [ $# -lt 3 ] || [ $# -gt 5 ]; then
    echo "usage: $0 FILE LAYERS MIB [plain|text|gzip|programs|programs-gzip [NUMBER]]" >&2
    exit 2
fi
file=$1 layers=$2 mib=$3 form=${4:-plain} archive=${5:-0}

work=$(mktemp -d "$(dirname "$file")/big-archive.XXXXXX")
trap 'rm -rf "$work"' EXIT

noise() {
    head -c "$1" /dev/zero |
        openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$((archive * 1000 + number))")" \
            -iv "$(printf '%032x' 0)"
}
# The machine's programs for ever: until nobody reads any more. 1 is what tar says of a file that changed.
programs() {
    while
        tar -C / --sort=name --ignore-failed-read -cf - usr/bin usr/lib 2>/dev/null
        [ $? -le 1 ]
    do :; done
}

case $form in
programs*)
    programs | head -c "$((layers * mib * 1048576))" |
        split -d -a 3 -b "$((mib * 1048576))" --additional-suffix=.raw - "$work/"
    ;;
esac
ids='' names='' number=0
while [ "$number" -lt "$layers" ]; do
    layer=$work/layer-$number.tar
    case $form in
    plain)
        # Header and end of a tar are three blocks of 512 bytes.
        noise "$((mib * 1048576 - 1536))" >"$work/noise-$number"
        tar -C "$work" --format=ustar --owner=0 --group=0 --mode=644 --mtime=@0 -b 1 -cf "$layer" "noise-$number"
        rm "$work/noise-$number"
        ;;
    text | gzip) noise "$((mib * 786432))" | base64 -w 0 >"$layer" ;;
    programs | programs-gzip) mv "$work/$(printf %03d "$number").raw" "$layer" ;;
    *) echo "$0: $form: no such form" >&2 && exit 2 ;;
    esac
    id=$(openssl dgst -sha256 -r "$layer" | cut -d' ' -f1)
    case $form in
    # Level 1 is quick to make; programs are compressed as engines do it.
    gzip) gzip -n -1 "$layer" && mv "$layer.gz" "$layer" ;;
    programs-gzip) gzip -n -6 "$layer" && mv "$layer.gz" "$layer" ;;
    esac
    ids="$ids${ids:+,}\"sha256:$id\""
    names="$names${names:+,}\"layer-$number.tar\""
    number=$((number + 1))
done

printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' "$ids" \
    >"$work/config.json"
printf '[{"Config":"config.json","RepoTags":["sealift-bench:1"],"Layers":[%s]}]\n' "$names" \
    >"$work/manifest.json"
(cd "$work" && find . -type f -printf '%f\n') | LC_ALL=C sort |
    tar -C "$work" --format=ustar --owner=0 --group=0 --mtime=@0 -cf "$file" -T -
echo "$file: image id sha256:$(openssl dgst -sha256 -r "$work/config.json" | cut -d' ' -f1)"
