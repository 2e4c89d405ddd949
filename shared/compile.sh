# Compiles the modules of a layer with the first working Python of the layer's version.
# Usage: sh compile.sh VERSION UV LAYER
version=$1 uv=$2 layer=$3

candidates() {
  echo "$RELAY_PYTHON"
  "$uv" python find --no-python-downloads "$version" 2>/dev/null
  command -v "python$version" python3
  ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python3 2>/dev/null
}

candidates | while read -r python; do
  found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
  if [ "$found" = "$version" ]; then
    "$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$layer" -p /opt \
      "$layer/python" && exit 10
  fi
done
[ $? -eq 10 ] || echo "WARNING: No Python $version was found to compile the layer for the runtime python$version:" \
  "its cold starts take three times as long." \
  "Install one, for example with 'uv python install $version', and build again."
