"""The paths of results: a different one for each picture, and none outside the folder."""
import os

from spn.results.outputs import named_in, pictures_in, safe_part, stems_of
from tests.spn.cases import FolderTestCase


class OutputsTest(FolderTestCase):

    def test_each_picture_has_a_path_of_its_own_with_the_folders_that_it_has(self):
        self.assertEqual(stems_of(['monday/1.jpg', 'tuesday/1.jpg', 'a-b.png', 'a/b.png']),
                         ['monday/1', 'tuesday/1', 'a-b', 'a/b'])
        self.assertEqual(stems_of(['a.jpg', 'a.png', 'b.jpg']), ['a.jpg', 'a.png', 'b.jpg'])
        self.assert_says(["'a.jpg' and '/a.jpg'", 'would be the same file', 'rename one'], stems_of,
                         ['a.jpg', '/a.jpg'])

    def test_no_name_leads_out_of_the_folder_or_hides_a_file(self):
        for name in ('..', '../../x.jpg', '/etc/passwd', 'a/../../b', '.hidden', 'x\0y', 'x\ny', '', 'n' * 5000, 'a//b',
                     'caf\udce9'):
            stem, = stems_of([name])
            path = os.path.join(self.folder, stem + '.png')
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, 'w').close()
            self.assertEqual(os.path.commonpath([os.path.realpath(path), os.path.realpath(self.folder)]),
                             os.path.realpath(self.folder))
            self.assertFalse(any(part.startswith('.') for part in stem.split('/')), stem)

    def test_odd_names_stay_apart(self):
        names = ['a\nb', 'a%0ab', 'a%250ab', 'n' * 5000, 'n' * 5001, 'a b', 'a-b']
        self.assertEqual(len({safe_part(name) for name in names}), len(names))
        self.assertEqual(safe_part('50 % grey'), '50 % grey')

    def test_the_masks_of_a_folder_of_photographs_are_not_taken_for_pictures(self):
        for name in 'cat/1.jpg', 'masks/cat/1.png', 'dog/masks/2.jpg':
            self.write(name, name)
        self.assertEqual(pictures_in([self.folder], self.path('out'))[1], ['cat/1.jpg', 'dog/masks/2.jpg'])
        self.assert_says(['has no picture in it'], pictures_in, [self.path('dog')], self.path('out'))

    def test_folders_are_walked_without_what_was_written_before(self):
        for name in 'in/1.jpg', 'in/deep/2.jpg', 'in/.hidden.jpg', 'in/out/old-mask.png', 'other/3.jpg':
            self.write(name, name)
        paths, names = pictures_in([self.path('in'), self.path('other', '3.jpg'), self.path('in', '1.jpg')],
                                   self.path('in', 'out'))
        self.assertEqual(names, ['in/1.jpg', 'in/deep/2.jpg', 'other/3.jpg'])
        self.assertEqual([os.path.relpath(path, self.folder) for path in paths], names)
        self.assert_says(['choose another --out'], pictures_in, [self.path('in')], self.path('in'))

    def test_pictures_that_a_list_names_are_the_only_ones(self):
        paths = ['in/1.jpg', 'in/2.png', 'in/deep/3.jpg']
        self.assertEqual(named_in(self.write('test.txt', '3\n\n1.jpg  1\n'), paths), [True, False, True])
        for content, words in [('1\n4\n', ["test.txt names '4', which is not among", '3 pictures']),
                               ('\n', ['names no picture']), (b'\xff\xfe', ['cannot be read as a list'])]:
            self.assert_says(words, named_in, self.write('test.txt', content), paths)
        self.assert_says(['none.txt cannot be read as a list'], named_in, self.path('none.txt'), paths)
