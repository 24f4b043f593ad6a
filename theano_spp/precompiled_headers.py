"""The headers that Theano's modules begin with, compiled once for many modules: half of the time g++ takes for one."""
import os
import shutil
import threading

HEADERS = os.path.splitext(os.path.abspath(__file__))[0] + '.h'


class PrecompiledHeaders:
    """Precompiled headers for the modules that are compiled in this process.

    g++ takes over some flags of a precompiled header, whatever those of the module are: -ffp-contract is one. So each
    set of flags has its own header, compiled when it is wanted for the second time.

    Parameters
    ----------
    folder : str
        An empty folder. A header takes some 50 MB there.
    run_command : callable
        Runs a list of words, and returns a tuple that ends with the exit status.
    """

    def __init__(self, folder, run_command):
        self.folder = folder
        self.run_command = run_command
        self.lock = threading.Lock()
        self.header_of = {}  # flags -> the header, or None as long as there is none

    def add_to(self, command):
        """Return the command of a compiler with the header for its flags, if there is one.

        One that waited for the header would not be faster: while it is compiled, others go without.
        """
        flags = tuple(_flags(command))
        with self.lock:
            is_second = flags in self.header_of and self.header_of[flags] is None
            header = self.header_of.setdefault(flags)
            if is_second:
                self.header_of[flags] = ''
                number = list(self.header_of).index(flags)
        if is_second:
            header = self.header_of[flags] = self._compile(command[0], flags, number)
        return [command[0], '-include', header] + command[1:] if header else command

    def _compile(self, compiler, flags, number):
        """Compile a header for these flags; return the name to include, '' if it cannot be compiled."""
        header = os.path.join(self.folder, 'for-flags-{}.h'.format(number))
        try:
            shutil.copyfile(HEADERS, header)
        except OSError:  # no space is left, or somebody has removed the folder
            return ''
        command = [compiler] + list(flags) + ['-x', 'c++-header', header, '-o', header + '.gch']
        return header if self.run_command(command)[-1] == 0 else ''


def _flags(command):
    """The words of a command that are not about files, libraries and linking."""
    words = iter(command[1:])
    for word in words:
        if word == '-o':
            next(words)
        elif word != '-shared' and not word.startswith(('-l', '-L')) and not word.endswith('.cpp'):
            yield word
