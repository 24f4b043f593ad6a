#!/bin/sh
# Makes .venv-gpu, in which the ops run on a GPU, or through OpenCL (PoCL) on the processor. Does nothing where it is ready.
# pygpu 0.7.6 cannot be had from PyPI; Debian 12 has it, for its own Python 3.11. What is missing of Debian is installed
# where that is allowed (root). Exit status 2, and one line to type, where it is not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."

packages="python3-pygpu libgpuarray-dev libclblast-dev pocl-opencl-icd python3-numpy python3-scipy python3-dev python3-six
    python3-venv g++"
missing=
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
# As the package lists say, if there are any.
stop_without_pygpu() {
    if apt-cache show python3 >/dev/null 2>&1 && ! apt-cache show python3-pygpu >/dev/null 2>&1; then
        echo "This system has no package python3-pygpu, which Theano needs for a GPU. Debian 12 has it: see docs/gpu.md." >&2
        exit 2
    fi
}
if [ -n "$missing" ]; then
    stop_without_pygpu
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "For the tests on the GPU type:  sudo apt-get install --no-install-recommends$missing" >&2
        exit 2
    fi
    echo "Installing for the tests on the GPU:$missing"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && stop_without_pygpu && apt-get -qq -y --no-install-recommends install $missing; } >/dev/null </dev/null || {
        echo "These packages could not be installed:$missing. Is there a network?" >&2
        exit 2
    }
fi

wanted="$(/usr/bin/python3 -V) $(cd "$here" && cat requirements.txt requirements-spn.txt requirements-cluster.txt requirements-dev.txt requirements-gpu.txt make_gpu_venv.sh | cksum)"
if [ "$(cat .venv-gpu/ready 2>/dev/null)" = "$wanted" ] && .venv-gpu/bin/python -c '' 2>/dev/null; then
    exit 0
fi
echo "Making .venv-gpu from /usr/bin/python3 ($(/usr/bin/python3 -V)): about a minute, once."
rm -rf .venv-gpu
/usr/bin/python3 -m venv --system-site-packages .venv-gpu
.venv-gpu/bin/python -m pip install --disable-pip-version-check -r "$here/requirements-gpu.txt" >.venv-gpu/pip.log 2>&1 </dev/null || {
    tail -n 15 .venv-gpu/pip.log >&2
    echo "pip could not install requirements-gpu.txt; the whole story is in .venv-gpu/pip.log. Is there a network?" >&2
    exit 1
}
# libgpuarray opens CUDA's compiler by this name, which its wheel does not have.
(cd .venv-gpu/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib && ln -s libnvrtc.so.11.2 libnvrtc.so)
echo "$wanted" >.venv-gpu/ready
