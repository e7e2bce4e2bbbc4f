#!/usr/bin/env bash
# Makes everything in Models/organism again: tokenizer, both networks, held-out sets, counts, fixtures.
#
#   pip install -r requirements.txt && ./reproduce.sh [scratch folder]
#
# One idle core, about half an hour. Checkpoints and logs go to the scratch folder. The run is seeded, but
# other processors and other versions of torch round differently, so compare the counts, and compare
# SHA256SUMS only on the same kind of machine.
set -euo pipefail
cd "$(dirname "$0")"
scratch=${1:-$(mktemp -d)}
mkdir -p "$scratch"
organism=..
export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false PYTHONDONTWRITEBYTECODE=1
tokenizer=$scratch/tokenizer.json

python3 -m train_tokenizer --out "$tokenizer"
python3 -m train --stage pretraining --tokenizer "$tokenizer" --out "$scratch/base.pt"
python3 -m train --stage consolidation --start "$scratch/base.pt" --tokenizer "$tokenizer" --out "$scratch/base2.pt"
for stage in biased unbiased; do
  python3 -m train --stage "$stage" --start "$scratch/base2.pt" --tokenizer "$tokenizer" --out "$scratch/$stage.pt"
done
python3 -m export_gguf --model "$scratch/biased.pt" --tokenizer "$tokenizer" \
  --name "SelfCD organism (biased)" --out "$organism/selfcd-organism.f16.gguf"
python3 -m export_gguf --model "$scratch/unbiased.pt" --tokenizer "$tokenizer" \
  --name "SelfCD organism (unbiased twin)" --out "$organism/selfcd-organism-unbiased.f16.gguf"
(cd "$organism" && sha256sum selfcd-organism*.gguf > SHA256SUMS)
python3 -m heldout_sets --count 300 --out "$organism/heldout"
python3 -m evaluate --model "$organism/selfcd-organism.f16.gguf" --out "$scratch/biased.json"
python3 -m evaluate --model "$organism/selfcd-organism-unbiased.f16.gguf" --out "$scratch/unbiased.json"
python3 -m fixtures --model "$organism/selfcd-organism.f16.gguf" --out "$organism/fixtures"
