#!/bin/sh
# Checks a sealed transfer directory of Sealift without Sealift: the seal, the list of files, and every
# file, with POSIX sh, openssl and sha256sum only. bundle-format/README.md is the specification.
#
#   verify-with-openssl.sh DIR TRANSFER.PUB
#
# TRANSFER.PUB is the operator's public transfer key (PEM, ECDSA P-256). It must be known beforehand; one
# that lies in DIR proves nothing. The same is true of this script: take it from where you took the key.
#
# The last line is "OK: ..." (exit code 0) or "FAILED: ..." (1). A call that can't be carried out is 2.
# Nothing is written into DIR. It does NOT read the manifest beyond its second line, so it does not check
# vendor signatures, what was requested and omitted, times, or the serial number: `sealift verify` does.
# It is stricter with names: on a medium that changed their case, files count as missing.
set -eu
umask 077
LC_ALL=C
export LC_ALL
unset CDPATH

usage() {
  printf 'verify-with-openssl: %s\nusage: verify-with-openssl.sh DIR TRANSFER.PUB\n' "$1" >&2
  exit 2
}
# failed CODE WHAT NEXT: the codes are those of `sealift explain`.
failed() {
  printf 'FAILED: %s (%s). %s\n' "$2" "$1" "$3"
  exit 1
}
# The beginning of a list of names, safe for a terminal.
show() {
  tr -c '\012\040-\176' '?' <"$1" | awk 'NR <= 20 { print "  " $0 } END { if (NR > 20) print "  ... and " NR - 20 " more" }'
}
count() { echo $(($(wc -l <"$1"))); }
again='Stop the deployment. Copy the transfer again from the sealing side.'

# ---- arguments, programs, a place for temporary files

[ $# -eq 2 ] || usage "two arguments are needed"
for program in openssl sha256sum awk cmp dd find grep mkdir od rm sed tr wc; do
  command -v "$program" >/dev/null || usage "$program is not installed"
done
[ -d "$1" ] || usage "$1 is not a directory"
[ -f "$2" ] || usage "$2 is not a file"
# The directory of a file, without links.
folder_of() {
  case $1 in
    /*/*) cd -P -- "${1%/*}" ;;
    /*) cd / ;;
    */*) cd -P -- "./${1%/*}" ;;
    *) ;;
  esac
  pwd -P
}
root=$(cd -P -- "$1" && pwd -P) || usage "$1 can't be entered"
inside() { case $1/ in "${root%/}"/*) return 0 ;; *) return 1 ;; esac; }
if inside "$(folder_of "$2")"; then
  usage "the key lies in the directory that it is to judge; name one that you had before"
fi
place=$(cd -P -- "${TMPDIR:-/tmp}" && pwd -P) || usage "TMPDIR can't be entered"
if inside "$place"; then
  usage "temporary files would lie in the directory; set TMPDIR to another place"
fi
tmp=${place%/}/verify-with-openssl.$$
mkdir "$tmp" || usage "no temporary directory can be made in $place"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if grep -q 'PRIVATE KEY' <"$2"; then
  usage "$2 is a private key; name the public one"
fi
[ "$(grep -c '^-----BEGIN ' <"$2")" = 1 ] || usage "$2 is not one public key in PEM form"
openssl pkey -pubin -outform DER <"$2" >"$tmp/key.der" 2>/dev/null || usage "$2 is not a public key in PEM form"
# The fixed beginning of every P-256 key (SPKI, uncompressed point), and its length.
hex() { od -A n -v -t x1 | tr -d ' \n'; }
case $(hex <"$tmp/key.der") in
  3059301306072a8648ce3d020106082a8648ce3d03010703420004*) ;;
  *) usage "$2 is not an ECDSA P-256 key" ;;
esac
openssl pkey -pubin <"$2" >"$tmp/key.pem" 2>/dev/null
sha256() { openssl dgst -sha256 -binary | hex; }
fingerprint=$(sha256 <"$tmp/key.der")

case $0 in
  */*) if inside "$(folder_of "$0")"; then echo 'warning: this script lies in the directory that it checks, and proves nothing unless you compared its SHA-256 first'; fi ;;
esac
cd -P -- "$1"

# ---- the files of the seal: regular files of bounded size, read once

seal='manifest.json manifest.json.sig manifest.json.sigstore.json SHA256SUMS'
for name in $seal; do
  if [ -e "$name.sealift-tmp" ] || [ -L "$name.sealift-tmp" ]; then
    failed seal-incomplete "$name.sealift-tmp: sealing was interrupted" \
      'On the sealing side run the same seal command again, then copy the directory again.'
  fi
done
for name in $seal; do
  if [ -L "$name" ]; then failed file-type-refused "$name is a link" "$again"; fi
  [ -e "$name" ] || failed seal-missing "$name is not there" "$again"
  [ -f "$name" ] || failed file-type-refused "$name is not a regular file" "$again"
  # In blocks of 16 KiB: 128 MiB, and 16 KiB for the two forms of the signature.
  case $name in manifest.json | SHA256SUMS) blocks=8192 ;; *) blocks=1 ;; esac
  dd if="$name" of="$tmp/$name" bs=16384 count=$((blocks + 1)) 2>/dev/null ||
    failed unreadable "$name can't be read" "$again"
  [ "$(($(wc -c <"$tmp/$name")))" -le $((blocks * 16384)) ] || failed seal-malformed "$name is too large" "$again"
done

# ---- the signature over the manifest's bytes

tr -d '\n' <"$tmp/manifest.json.sig" | openssl base64 -d -A >"$tmp/sig.der" 2>/dev/null || : >"$tmp/sig.der"
{ openssl base64 -A <"$tmp/sig.der" && echo; } >"$tmp/sig.again"
if [ ! -s "$tmp/sig.der" ] || ! cmp -s "$tmp/manifest.json.sig" "$tmp/sig.again"; then
  failed seal-malformed 'manifest.json.sig is not one line of base64' "$again"
fi
if ! openssl dgst -sha256 -verify "$tmp/key.pem" -signature "$tmp/sig.der" <"$tmp/manifest.json" >"$tmp/said" 2>&1; then
  echo "  the key given has the fingerprint sha256:$fingerprint"
  failed seal-invalid 'manifest.json: the signature is not one by this key over these bytes' \
    "Stop the deployment. Ask the sealing side for the transfer key's fingerprint, and copy the transfer again."
fi

# The manifest's second line, the only one that is read here, names the list of files.
printf '{\n  "sha256sums": "%s",\n' "$(sha256 <"$tmp/SHA256SUMS")" >"$tmp/begin"
dd if="$tmp/manifest.json" of="$tmp/began" bs="$(($(wc -c <"$tmp/begin")))" count=1 2>/dev/null
if ! cmp -s "$tmp/begin" "$tmp/began"; then
  failed seal-not-canonical "SHA256SUMS is not the list that the manifest's second line names" "$again"
fi

# The second form of the signature says the same, in the one spelling.
b64() { openssl base64 -A; }
printf '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"%s"}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"%s"},"signature":"%s"}}\n' \
  "$(openssl dgst -sha256 -binary <"$tmp/key.der" | b64)" "$(openssl dgst -sha256 -binary <"$tmp/manifest.json" | b64)" \
  "$(b64 <"$tmp/sig.der")" >"$tmp/bundle"
if ! cmp -s "$tmp/bundle" "$tmp/manifest.json.sigstore.json"; then
  failed seal-not-canonical 'manifest.json.sigstore.json is not the form of this signature and key' "$again"
fi

# ---- the list of files

if [ "$(($(tr -d '\012\040-\176' <"$tmp/SHA256SUMS" | wc -c)))" -ne 0 ]; then
  failed path-not-portable 'SHA256SUMS holds bytes other than printable ASCII' 'Seal the directory again.'
fi
[ -s "$tmp/SHA256SUMS" ] || failed seal-malformed 'SHA256SUMS lists no file, so nothing was checked' "$again"
# The last byte is a newline.
[ "$(tail -n 1 "$tmp/SHA256SUMS" | wc -l)" -eq 1 ] || failed seal-not-canonical 'SHA256SUMS does not end with a newline' "$again"
awk '
  function refuse(code, why) { print code " line " NR ": " why ": " $0; bad = 1; exit }
  # Why a path can not be carried on every medium, or nothing.
  function fault(path,   parts, n, i, part, stem) {
    if (length(path) > 1024) return "path longer than 1024 bytes"
    if (path ~ /[\\:*?"<>|]/) return "character that some media refuse"
    n = split(path, parts, "/")
    for (i = 1; i <= n; i++) {
      part = parts[i]
      if (part == "") return "absolute path, or an empty part"
      if (part == "." || part == "..") return "path with . or .."
      if (part ~ /^ / || part ~ /[. ]$/) return "blank at the edge of a name, or a dot at its end"
      if (length(part) > 255) return "name longer than 255 bytes"
      stem = tolower(part)
      sub(/\..*/, "", stem)
      sub(/ +$/, "", stem)
      if (stem ~ /^(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])$/) return "name of a device"
    }
    return ""
  }
  {
    if (length($0) < 67 || substr($0, 1, 64) !~ /^[0-9a-f]*$/ || substr($0, 65, 2) != "  ") refuse("manifest-malformed", "not a digest, two blanks and a path")
    path = substr($0, 67)
    why = fault(path)
    if (why != "") refuse("path-not-portable", why)
    key = tolower(path)
    if (key ~ /\.sealift-tmp(\/|$)/) refuse("manifest-malformed", "name of a temporary file")
    if (key ~ /^(manifest\.json|manifest\.json\.sig|manifest\.json\.sigstore\.json|sha256sums)(\/|$)/) refuse("manifest-malformed", "file of the seal")
    if (NR > 1 && (path "") <= (last "")) refuse("manifest-malformed", "not sorted, or twice")
    last = path
    if (key in seen) refuse("manifest-malformed", "differs from " seen[key] " in case only")
    seen[key] = path
  }
  END {
    if (bad) exit
    for (key in seen) {
      parent = key
      while (match(parent, /\/[^\/]*$/)) {
        parent = substr(parent, 1, RSTART - 1)
        if (parent in seen) { print "manifest-malformed " seen[parent] ": both a file and the folder of " seen[key]; exit }
      }
    }
  }
' "$tmp/SHA256SUMS" >"$tmp/fault"
if [ -s "$tmp/fault" ]; then
  sed 's/^[^ ]* //' "$tmp/fault" >"$tmp/list"
  show "$tmp/list"
  failed "$(sed 's/ .*//' "$tmp/fault")" 'SHA256SUMS has a line that no seal may have' 'Stop the deployment. Seal the directory again with an unmodified program.'
fi
files=$(count "$tmp/SHA256SUMS")

# ---- what lies in the directory: exactly these files

# Does find name anything that it should not? look FILE EXPRESSION...
look() {
  out=$1
  shift
  find . "$@" -print >"$out" 2>"$tmp/said" || {
    show "$tmp/said"
    failed unreadable 'the directory could not be read to its end' 'Check the medium and the permissions, and call again.'
  }
}
newline='
'
look "$tmp/odd" -name "*$newline*"
if [ -s "$tmp/odd" ]; then
  show "$tmp/odd"
  failed path-not-portable 'a name holds a newline' 'Find out who put it there, and copy the transfer again.'
fi
look "$tmp/odd" -name '*.sealift-tmp'
if [ -s "$tmp/odd" ]; then
  show "$tmp/odd"
  failed seal-incomplete 'a temporary file of a seal lies in the directory' 'On the sealing side run the same seal command again, then copy the directory again.'
fi
look "$tmp/odd" ! -type f ! -type d
if [ -s "$tmp/odd" ]; then
  show "$tmp/odd"
  failed file-type-refused 'links, devices, sockets and pipes have no place here' 'Find out who put them there, and copy the transfer again.'
fi
look "$tmp/found" -type f
awk '
  FNR == NR { path = "./" substr($0, 67); sealed[path] = 1; spelt[tolower(path)] = path; next }
  $0 == "./manifest.json" || $0 == "./manifest.json.sig" || $0 == "./manifest.json.sigstore.json" || $0 == "./SHA256SUMS" { next }
  $0 in sealed { sealed[$0] = 2; next }
  tolower($0) in spelt { other[$0] = spelt[tolower($0)]; next }
  tolower($0) ~ /^\.\/(manifest\.json|manifest\.json\.sig|manifest\.json\.sigstore\.json|sha256sums)$/ { print "name-collision " $0; next }
  { print "file-extra " $0 }
  END {
    for (name in other) print (sealed[other[name]] == 2 ? "name-collision " : "file-missing in other case: ") name
    for (path in sealed) if (sealed[path] == 1) print "file-missing " path
  }
' "$tmp/SHA256SUMS" "$tmp/found" >"$tmp/odd"
for code in name-collision file-extra file-missing; do
  sed -n "s/^$code //p" "$tmp/odd" >"$tmp/list"
  [ -s "$tmp/list" ] || continue
  show "$tmp/list"
  case $code in
    name-collision) failed $code 'names that differ in case only' 'Find out who put the second one there, and copy the transfer again.' ;;
    file-extra) failed $code 'files that were never sealed' 'Do not use them. Find out who put them there, and copy the transfer again.' ;;
    file-missing) failed $code 'sealed files that are not there, or under a changed name' "$again" ;;
  esac
done

# ---- the files themselves

# "./" so that no name is taken for an option or for standard input. -c is the only option that all have.
sed 's,^\(................................................................\)  ,\1  ./,' "$tmp/SHA256SUMS" >"$tmp/sums"
sha256sum -c "$tmp/sums" >"$tmp/result" 2>"$tmp/said" && good=yes || good=no
grep -v ': OK$' "$tmp/result" >"$tmp/list" || :
if [ "$good" = no ] || [ -s "$tmp/list" ] || [ "$(count "$tmp/result")" -ne "$files" ]; then
  if [ -s "$tmp/list" ]; then show "$tmp/list"; else show "$tmp/said"; fi
  failed file-mismatch 'files that are not the ones that were sealed' "$again"
fi

# ---- what was found, what was not looked at

echo "The manifest says (compare with what the sealing side told you):"
sed -n -e '/^  "schema": "/p' -e '/^  "transfer_id": "/p' -e '/^  "stream": "/p' -e '/^  "serial": /p' \
  -e '/^  "created": "/p' -e '/^  "expires": "/p' "$tmp/manifest.json" >"$tmp/list"
show "$tmp/list"
echo "Not checked: the vendors' signatures, expiry and age, the serial number (an older transfer is genuine too),"
echo "what was requested and omitted. sealift verify checks them."
echo "OK: the seal by sha256:$fingerprint holds, and $files files are the ones that were sealed."
