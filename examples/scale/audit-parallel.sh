#!/bin/bash
# Audits a model by GNU parallel: audit-parallel.sh runs/NAME 8 [options of parallel, such as --sshloginfile hosts]
# Called again it goes on: finished shards are not started, and stopped ones go on where they were.
set -euo pipefail
model=$1
shards=$2
shift 2
seq "$shards" | parallel --joblog "sqa-audit-$shards.log" --resume-failed "$@" \
  node_modules/.bin/sqa audit "$model" --shard "{}/$shards" --threads 1 --quiet
