#!/bin/sh
# Makes .venv with the pinned requirements, from the Python named or from the first on PATH that fits; or another
# folder, from another file of requirements:
#     sh environments/make_venv.sh [python3.8 [.venv-docs requirements-docs.txt]]
# Does nothing where it is ready. `make` calls this before each of its jobs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
venv=${2:-.venv} requirements=${3:-requirements-dev.txt}
bridge=theano_spp/legacy_bridge/first_import.py

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

# By running it: a name on PATH may be a shim for a Python that is not installed.
runs_and_fits() {
    "$1" -c 'import sys; sys.exit(not (3, 6) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 </dev/null
}

python=
for candidate in ${1:-python3 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python3.7 python3.6}; do
    if runs_and_fits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    stop "${1:-python3} is not a Python from 3.6 to 3.13 that runs here, and Theano-PyMC 1.0.9 needs one." \
        "Install one (on Debian or Ubuntu: apt-get install python3 python3-venv python3-dev) or name one: make test PYTHON=/path/to/python3.8"
fi

# The Python beneath, should this one live in a virtual environment, maybe in the very one that is to be made anew.
beneath=$("$python" -c 'import sys; print("%s/bin/python%d.%d" % ((sys.base_prefix,) + sys.version_info[:2]))')
if [ -x "$beneath" ]; then python=$beneath; fi

# An environment is ready if it was finished from this Python for these requirements. An interrupted one has no such note.
wanted="$python $("$python" -c 'import platform; print(platform.python_version())') $(cd "$here" && cat requirements.txt requirements-spn.txt requirements-cluster.txt "$requirements" make_venv.sh ../$bridge | cksum)"
if [ "$(cat "$venv/ready" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

minor=$("$python" -c 'import sys; print("3.%d" % sys.version_info[1])')
missing= packages=
lacks() {
    missing="$missing  $1
"
    packages="$packages $2"
}
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    lacks "Python's modules venv and ensurepip" "python$minor-venv"
"$python" -c 'import os, sysconfig; open(os.path.join(sysconfig.get_paths()["include"], "Python.h"))' 2>/dev/null ||
    lacks "Python's header Python.h, without which Theano cannot compile" "python$minor-dev"
command -v g++ >/dev/null ||
    lacks "the compiler g++" "g++"
[ -z "$missing" ] || stop "For $python these are missing:" "${missing%?}" \
    "On Debian or Ubuntu type:  sudo apt-get install$packages"

echo "Making $venv from $python ($("$python" -V 2>&1)): about half a minute, once."
rm -rf "$venv"
"$python" -m venv "$venv"
# As an installed theano-spp has it. Before pip, which on Python 3.12 and later could not build Theano-PyMC without.
"$python" $bridge >"$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/theano_spp_legacy_bridge.pth"
"$venv/bin/python" -m pip install --disable-pip-version-check -r "$here/$requirements" >"$venv/pip.log" 2>&1 </dev/null || {
    tail -n 15 "$venv/pip.log" >&2
    stop "pip could not install $requirements; the whole story is in $venv/pip.log. Is there a network?"
}
echo "$wanted" >"$venv/ready"
