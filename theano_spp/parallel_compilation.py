"""Theano's modules compiled by all processors: before a function is put together, for all of its operations at a time.

Theano itself has g++ compile one after the other, half a second to two seconds each; a network in Keras has a hundred.
"""
import atexit
import glob
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from .constant_folding import fold_in_python
from .precompiled_headers import PrecompiledHeaders

#: Of the folder where the compilers of a process write, and the file in it that is locked while the process lives.
PREFIX, LOCK = 'theano-modules-', 'locked'


def compile_in_parallel(n_processes=None):
    """From now on, let several compilers run at a time when Theano makes a function.

    This is for all of Theano in this process; results stay the same to the last bit, and so does the place where
    compiled code is kept. g++ is saved some work besides: debugging information; headers, which are precompiled for as
    long as the process lives, in the folder for temporary files, some 50 MB for each of a few sets of flags; and
    constants, which are computed in Python. A second call changes nothing.

    Parameters
    ----------
    n_processes : int, optional
        How many compilers; as many as there are processors if None.
    """
    from theano.gof.vm import VM_Linker
    if hasattr(VM_Linker.make_all, 'compilers'):
        return
    make_all = VM_Linker.make_all
    compilers = _Compilers(n_processes or os.cpu_count())

    def make_all_of_compiled(linker, *arguments, **named):
        started = []
        try:
            if linker.c_thunks is not False:
                for node in linker.fgraph.toposort():
                    started += compilers.start(node)
            return make_all(linker, *arguments, **named)
        finally:
            compilers.cancel(started)

    make_all_of_compiled.compilers = compilers
    VM_Linker.make_all = make_all_of_compiled
    fold_in_python()


def _lock(folder):
    """Return a file in a folder that is locked for as long as this process lives, None where there are no locks."""
    try:
        import fcntl
        file = open(os.path.join(folder, 'unlocked'), 'w')
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(file.name, os.path.join(folder, LOCK))
        return file
    except (ImportError, OSError):  # Windows; some network file systems
        return None


def _remove_folders_of_killed_processes():
    for path in glob.glob(os.path.join(tempfile.gettempdir(), PREFIX + '*', LOCK)):
        try:
            import fcntl
            with open(path) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        except (ImportError, OSError):  # its process lives, or it is another user's
            pass


class _Started(BaseException):
    """Ends Theano's own function for compiling, which would wait for the compiler. It catches each Exception.

    Its argument is the name of the file that is compiled.
    """


class _Compilers:

    def __init__(self, n_processes):
        from theano.gof import cmodule
        self.threads = ThreadPoolExecutor(n_processes)
        self.folder = tempfile.mkdtemp(prefix=PREFIX)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.lock = _lock(self.folder)
        _remove_folders_of_killed_processes()
        self.running = {}  # by the name of the file that will be compiled
        self.run_command = cmodule.output_subprocess_Popen
        self.headers = PrecompiledHeaders(tempfile.mkdtemp(dir=self.folder), self.run_command)
        cmodule.output_subprocess_Popen = self.take_or_run

    def start(self, node):
        """Start the compiler for an operation, unless its module exists or is under way.

        What fails here will fail again in Theano, which says so.

        Returns
        -------
        list of str
            The name of the file that is compiled, if one is.
        """
        from theano.gof.cc import CLinker, get_module_cache
        from theano.gof.cmodule import get_module_hash
        from theano.gof.fg import FunctionGraph
        try:
            node.op.prepare_node(node, None, None, 'c')
            linker = CLinker().accept(FunctionGraph(node.inputs, node.outputs))
            key, modules = linker.cmodule_key(), get_module_cache()
            if (key is not None and modules._get_from_key(key) is None
                    and get_module_hash(linker.get_src_code(), key) not in modules.module_hash_to_key_data):
                linker.compile_cmodule(tempfile.mkdtemp(dir=self.folder))
        except _Started as started:
            return list(started.args)
        except Exception:
            pass
        return []

    def run_fast(self, command, **named):
        """Run a compiler without Theano's own wish for debugging information, and with precompiled headers."""
        if '-g' in command:
            command = command[:command.index('-g')] + command[command.index('-g') + 1:]
        return self.run_command(self.headers.add_to(command), **named)

    def cancel(self, names):
        """Forget files that nobody has asked for, after an error for example."""
        for name in names:
            if name in self.running:
                self.running.pop(name)[1].cancel()

    def take_or_run(self, command, **named):
        """In place of ``output_subprocess_Popen``: what the compiler printed, and its exit status."""
        if '-o' not in command:
            return self.run_command(command, **named)
        path = command[command.index('-o') + 1]
        name = os.path.basename(path)
        if path.startswith(self.folder):
            if name in self.running:
                raise _Started
            self.running[name] = path, self.threads.submit(self.run_fast, command, **named)
            raise _Started(name)
        if name in self.running:
            compiled, running = self.running.pop(name)
            printed = running.result()
            if printed[2] == 0:
                shutil.move(compiled, path)
                shutil.rmtree(os.path.dirname(compiled))
                return printed
        elif name.endswith('.so'):
            printed = self.run_fast(command, **named)
            if printed[2] == 0:
                return printed
        return self.run_command(command, **named)
