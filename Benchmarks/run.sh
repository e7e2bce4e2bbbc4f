#!/usr/bin/env bash
# Sets up and runs all benchmarks: Benchmarks/run.sh [--quick] [--sections combine decode lanes prefix firstk words peers] ...
# Everything it makes is in Benchmarks/.build and Benchmarks/.cache. Needs about 6 GB of disk, --quick about 3.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf 'benchmarks: %s\n' "$*" >&2; }

shapes='135m 0.5b 1b'
for argument in "$@"; do
  case $argument in
    --quick) shapes=135m ;;
    --help | -h) python3 session.py --help; exit ;;
  esac
done

environment=$(../Scripts/setup --print-env)
eval "$environment"
mkdir -p .cache

python=.cache/venv/bin/python
if ! cmp -s peers/requirements.txt .cache/venv/requirements.txt; then
  say 'installing the peers (PyTorch, transformers)'
  # Packages that are installed already, in the same version, are used.
  python3 -m venv --system-site-packages .cache/venv
  .cache/venv/bin/pip install --quiet --disable-pip-version-check -r peers/requirements.txt
  cp peers/requirements.txt .cache/venv/requirements.txt
fi

if [ ! -x .cache/quantize ] || [ models/quantize.c -nt .cache/quantize ]; then
  # libllama is C++ inside, so the C++ compiler links.
  # shellcheck disable=SC2046
  c++ -O2 -x c models/quantize.c -x none $(pkg-config --cflags --libs selfcd-llama) -o .cache/quantize
fi

say 'making the models that are missing'
# shellcheck disable=SC2086
$python models/make_models.py --vocabularies "$SELFCD_LLAMA_MODELS" --out .cache/models --quantize .cache/quantize \
  --shapes $shapes >&2

say 'building selfcd-bench'
# shellcheck disable=SC2086
swift build --configuration release ${SELFCD_SWIFT_FLAGS:-} >&2

exec $python session.py "$@"
