#!/bin/bash
# Audits a model in 8 shards by GNU parallel: audit-parallel.sh 8 runs/NAME [options of sqa audit]
# Called again, it starts no finished shard, and stopped ones resume where they were.
# Options of parallel go into its own variable: PARALLEL="--sshloginfile hosts --workdir ." audit-parallel.sh ...
set -euo pipefail
shards=$1
shift
seq "$shards" | parallel --quote --joblog "sqa-audit-$shards.log" --resume-failed \
  node_modules/.bin/sqa audit "$@" --shard "{}/$shards" --threads 1 --quiet
