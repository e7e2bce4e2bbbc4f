#!/usr/bin/env bash
# Builds llama.cpp's own server and its batched benchmark, as peers: from the archive that Scripts/setup pins, with the
# same flags and the same libllama sources (its change for few rows of quantised weights included), so that what is
# compared is the server and nothing below it.
#
#   Benchmarks/peers/llama_server.sh [ARCHIVE]      prints the folder with llama-server and llama-batched-bench
#
# Everything is in Benchmarks/.cache/llama-server; about four minutes on two cores. A second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'llama-server: %s\n' "$*" >&2; }
setting() { sed -n "s/^readonly $1=//p" ../Scripts/setup; }
sha() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

package=$(setting package) version=$(setting version) sha256=$(setting sha256)
url=$(setting default_url)
# The URL is written there with these two variables.
url=${url/\$package-\$version/$package-$version}
here=$PWD/.cache/llama-server
build=$here/build-$version
if [ -x "$build/bin/llama-server" ] && [ -x "$build/bin/llama-batched-bench" ]; then
  printf '%s\n' "$build/bin"
  exit
fi

environment=$(../Scripts/setup --print-env)
eval "$environment"
# The tree libllama was built from.
pinned=$(dirname "$SELFCD_LLAMA_MODELS")

mkdir -p "$here"
archive=${1:-$here/$package-$version.tar.gz}
if [ ! -f "$archive" ]; then
  say "downloading $package $version (77 MB)"
  curl --fail --location --silent --show-error --retry 3 --output "$archive.partial" "$url"
  mv "$archive.partial" "$archive"
fi
[ "$(sha "$archive")" = "$sha256" ] || { say "wrong SHA-256 for $archive, expected $sha256"; exit 1; }

rm -rf "$here/source"
mkdir -p "$here/source"
tar -xzf "$archive" -C "$here/source" --strip-components=3 "$package-$version/vendor/llama.cpp"
for part in ggml src; do
  rm -rf "$here/source/$part"
  cp -R "$pinned/$part" "$here/source/$part"
done

say "building in $build"
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S "$here/source" -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DGGML_OPENMP=OFF -DGGML_NATIVE=ON -DGGML_CCACHE=OFF \
  -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
  -DLLAMA_USE_PREBUILT_UI=OFF >"$here/build.log" 2>&1 || { tail -n 20 "$here/build.log" >&2; exit 1; }
cmake --build "$build" --target llama-server llama-batched-bench >>"$here/build.log" 2>&1 ||
  { grep -n -A6 -E 'error[: ]|CMake Error' "$here/build.log" | head -n 40 >&2; exit 1; }
printf '%s\n' "$build/bin"
