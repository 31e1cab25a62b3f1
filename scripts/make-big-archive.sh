#!/bin/sh
# Makes a docker archive with LAYERS layers of MIB MiB each, to measure with. The layers are noise from
# a fixed key, so that every run makes the same bytes; with `gzip` as fourth argument they are the
# base64 of noise, and compressed (to three quarters), as containerd stores save them. The fifth
# argument is a number that makes another archive.
# Needs: openssl, GNU tar. Writes the archive to FILE and needs as much space again beside it.
set -eu

if [ $# -lt 3 ] || [ $# -gt 5 ]; then
    echo "usage: $0 FILE LAYERS MIB [plain|gzip [NUMBER]]" >&2
    exit 2
fi
file=$1 layers=$2 mib=$3 form=${4:-plain} archive=${5:-0}

work=$(mktemp -d "$(dirname "$file")/big-archive.XXXXXX")
trap 'rm -rf "$work"' EXIT

ids= names=
number=0
while [ "$number" -lt "$layers" ]; do
    noise() {
        head -c "$1" /dev/zero |
            openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$((archive * 1000 + number))")" \
                -iv "$(printf '%032x' 0)"
    }
    layer=$work/layer-$number.tar
    if [ "$form" = gzip ]; then
        noise "$((mib * 786432))" | base64 -w 0 >"$layer"
    else
        noise "$((mib * 1048576))" >"$layer"
    fi
    id=$(openssl dgst -sha256 -r "$layer" | cut -d' ' -f1)
    [ "$form" != gzip ] || { gzip -n -1 "$layer" && mv "$layer.gz" "$layer"; }
    ids="$ids${ids:+,}\"sha256:$id\""
    names="$names${names:+,}\"layer-$number.tar\""
    number=$((number + 1))
done

printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' "$ids" \
    >"$work/config.json"
printf '[{"Config":"config.json","RepoTags":["big:1"],"Layers":[%s]}]\n' "$names" \
    >"$work/manifest.json"
tar -C "$work" --format=ustar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$file" \
    $(ls "$work")
echo "$file: image id sha256:$(openssl dgst -sha256 -r "$work/config.json" | cut -d' ' -f1)"
