#!/usr/bin/env bash
# Runs a command of sqa on a machine without Node, npm and a network: gpu/run.sh [COMMAND [ARGUMENT ...]].
#
# Takes the parts of `npm run pack:gpu` that lie beside it or in parts/, unpacks every archive that is complete, builds the
# addon against the libtorch of this machine's python3 (or LIBTORCH), and runs COMMAND, such as `sqa doctor`. The parts may
# come in several calls: what came is kept in SQA_GPU_HOME (default: sqa-gpu in TMPDIR or /tmp). Without COMMAND it only takes
# parts and says what is missing. Exit code 3: a part is damaged, or one that COMMAND needs is missing.
set -euo pipefail

say() { echo "gpu/run.sh: $*" >&2; }
die() {
  say "$@"
  exit 3
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts=$here
[ -f "$here/parts/MANIFEST" ] && parts=$here/parts
[ -f "$parts/MANIFEST" ] || die "no MANIFEST in $parts: make the parts by npm run pack:gpu, and bring it with each of them"
home=${SQA_GPU_HOME:-${TMPDIR:-/tmp}/sqa-gpu}
mkdir -p "$home/kept"
home=$(cd "$home" && pwd)

sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }
lines_of() { grep -E "^[0-9a-f]{64}  $1\.tar\.gz\.[0-9]+$" "$parts/MANIFEST"; }

# Puts an archive's files in their place: unpack NAME FOLDER, where FOLDER is freshly unpacked.
place() {
  case $1 in
  node)
    mkdir -p "$home/bin"
    mv -f "$2/bin/node" "$home/bin/node"
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/program/bin/sqa.mjs" "$@"\n' "$home" "$home" >"$home/bin/sqa"
    chmod +x "$home/bin/sqa"
    ;;
  modules)
    rm -rf "$home/node_modules"
    mv "$2/node_modules" "$home/node_modules"
    ;;
  program)
    # The addon that was built for an earlier program stays, and is built anew only where its sources differ.
    [ -d "$home/program/build" ] && mv "$home/program/build" "$2/build"
    rm -rf "$home/program"
    mv "$2" "$home/program"
    ln -s ../node_modules "$home/program/node_modules"
    ;;
  *)
    # A data set: unpacked by our own node where sqa looks for fetched ones.
    "$home/bin/node" "$home/program/gpu/unpack-data.mjs" "$2" "$home/cache/sqa/$1"
    ;;
  esac
}

missing=()
# Takes an archive's parts, and unpacks it once they are all there. Archives follow one another as one needs another.
take() {
  local name=$1 expected sum file absent=()
  expected=$(lines_of "$name") || return 0
  [ -f "$home/$name.done" ] && [ "$(cat "$home/$name.done")" = "$expected" ] && return 0
  while read -r sum file; do
    if [ -f "$parts/$file" ]; then
      [ "$(sum_of "$parts/$file")" = "$sum" ] || die "$parts/$file is damaged: bring it again"
      cp "$parts/$file" "$home/kept/$file"
    elif [ ! -f "$home/kept/$file" ] || [ "$(sum_of "$home/kept/$file")" != "$sum" ]; then
      absent+=("$file")
    fi
  done <<<"$expected"
  if [ ${#absent[@]} -gt 0 ]; then
    missing+=("${absent[@]}")
    return 0
  fi
  rm -rf "$home/new" && mkdir "$home/new"
  cut -c 67- <<<"$expected" | sed "s|^|$home/kept/|" | xargs -d '\n' cat | tar -xz -C "$home/new"
  place "$name" "$home/new"
  printf '%s' "$expected" >"$home/$name.done"
  rm -rf "$home/new" "$home/kept/$name".tar.gz.*
  say "unpacked $name"
}

take node
take modules
take program
needed=${#missing[@]}
# Any other archive is a data set, which node and the program undo.
datasets() {
  grep -oE '^[0-9a-f]{64}  [a-z0-9-]+\.tar\.gz\.' "$parts/MANIFEST" | cut -c 67- | sed 's/\.tar\.gz\.$//' |
    grep -vxE 'node|modules|program' | sort -u
}
if [ "$needed" -eq 0 ]; then
  for name in $(datasets); do take "$name"; done
fi
[ ${#missing[@]} -gt 0 ] && say "still missing: ${missing[*]}"
[ $# -eq 0 ] && exit 0
[ "$needed" -eq 0 ] || die "cannot run $1 before those parts are there"

export PATH="$home/bin:$PATH" XDG_CACHE_HOME="$home/cache"
node "$home/program/scripts/setup.mjs" >&2
exec "$@"
