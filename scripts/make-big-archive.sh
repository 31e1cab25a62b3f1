#!/bin/sh
# Makes a docker archive with LAYERS uncompressed layers of MIB MiB each, to measure with.
# The layers are noise from a fixed key, so that every run makes the same bytes.
# Needs: openssl, GNU tar. Writes the archive to FILE and needs as much space again beside it.
set -eu

if [ $# -ne 3 ]; then
    echo "usage: $0 FILE LAYERS MIB" >&2
    exit 2
fi
file=$1 layers=$2 mib=$3

work=$(mktemp -d "$(dirname "$file")/big-archive.XXXXXX")
trap 'rm -rf "$work"' EXIT

ids= names=
number=0
while [ "$number" -lt "$layers" ]; do
    head -c "$((mib * 1048576))" /dev/zero |
        openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$number")" -iv "$(printf '%032x' 0)" \
            >"$work/layer-$number.tar"
    id=$(openssl dgst -sha256 -r "$work/layer-$number.tar" | cut -d' ' -f1)
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
