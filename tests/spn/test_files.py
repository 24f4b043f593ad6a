"""Files that are written whole or not at all."""
import os

from spn.files import atomic_write, digest_of_file, write_bytes, write_json, write_text
from tests.spn.cases import FolderTestCase


class AtomicWriteTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.old = self.write('result.txt', 'before')

    def content(self):
        with open(self.old) as stream:
            return stream.read()

    def test_a_file_is_replaced_when_the_block_ends_and_not_before(self):
        with atomic_write(self.old) as temporary:
            with open(temporary, 'w') as stream:
                stream.write('after')
            self.assertEqual(self.content(), 'before')
        self.assertEqual(self.content(), 'after')
        self.assertEqual(self.files(), ['result.txt'])

    def test_a_run_that_is_stopped_leaves_the_file_that_was_there_and_nothing_else(self):
        for stop in KeyboardInterrupt, SystemExit, ValueError:
            with self.assertRaises(stop):
                with atomic_write(self.old) as temporary:
                    with open(temporary, 'w') as stream:
                        stream.write('half')
                    raise stop
            self.assertEqual((self.content(), self.files()), ('before', ['result.txt']))

    def test_the_temporary_name_ends_like_that_of_the_file_and_its_folder_is_made(self):
        path = os.path.join(self.folder, 'new', 'folder', 'picture.png')
        with atomic_write(path) as temporary:
            self.assertTrue(temporary.endswith('picture.png'))
            self.assertEqual(os.path.dirname(temporary), os.path.dirname(path))
            open(temporary, 'w').close()
        self.assertEqual(self.files(), ['new/folder/picture.png', 'result.txt'])

    def test_what_cannot_be_written_is_reported_in_a_sentence(self):
        for path in os.path.join(self.old, 'below-a-file.txt'), self.folder:
            self.assert_says([path, 'could not be written', 'make room or choose another folder'],
                             write_text, path, 'text')
        self.assertEqual((self.content(), self.files()), ('before', ['result.txt']))

    def test_bytes_are_written_as_they_are(self):
        write_bytes(self.old, b'\x00\xff\r\n')
        with open(self.old, 'rb') as stream:
            self.assertEqual(stream.read(), b'\x00\xff\r\n')

    def test_json_is_written_line_by_line_in_the_order_in_which_it_is_given(self):
        write_json(self.old, {'b': [1.5, None], 'a': 'ü'})
        self.assertEqual(self.content(), '{\n "b": [\n  1.5,\n  null\n ],\n "a": "\\u00fc"\n}\n')

    def test_a_digest_is_that_of_sha256sum(self):
        self.assertEqual(digest_of_file(self.old), '6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb')
