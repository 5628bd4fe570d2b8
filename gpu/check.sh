#!/usr/bin/env bash
# The package for GPU machines, in an empty folder, without node on PATH and, where the system allows that, without a network.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npm run --silent pack:gpu -- --out "$folder/parts"
libtorch=$(node -p 'require("./build/current.json").libtorch.path')
mkdir "$folder/bin" "$folder/work"
IFS=: read -ra places <<<"$PATH"
for place in "${places[@]}"; do
  for program in "$place"/*; do
    name=$(basename "$program")
    case $name in node | nodejs | npm | npx | corepack) continue ;; esac
    [ -x "$program" ] && [ ! -e "$folder/bin/$name" ] && ln -s "$program" "$folder/bin/$name"
  done
done
network=()
unshare -n true 2>/dev/null && network=(unshare -n)

on_machine() {
  (cd "$folder/work" && env -i HOME="$folder" PATH="$folder/bin" TMPDIR="$folder" LIBTORCH="$libtorch" \
    ${network[@]+"${network[@]}"} "$folder/parts/run.sh" "$@")
}
on_machine sqa doctor
run=$(on_machine sqa train --preset mnist-short --sqa --limit 256 --epochs 1 --validation-images 64 --quiet)
[ -f "$folder/work/$run/weights.safetensors" ] && echo "1 passed, 0 failed, 0 skipped"
