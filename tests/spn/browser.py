"""A headless browser for the tests of HTML pages."""
import logging
import os
import shutil
import tempfile
import unittest

from tests.spn.cases import SharedFolderTestCase

for chatty in 'selenium', 'urllib3':  # nose would show all that is said to the browser next to a failure
    logging.getLogger(chatty).setLevel(logging.WARNING)


class Browser:
    """Debian's chromium, without a window.

    Parameters
    ----------
    width, height : int
        Of the page, in pixels.

    Raises
    ------
    SkipTest
        If it is not installed.
    """

    def __init__(self, width=1280, height=900):
        programs = [shutil.which(name) for name in ('chromium', 'chromedriver')]
        if not all(programs):
            raise unittest.SkipTest('pages are tested in chromium, which is not installed: '
                                    'apt-get install chromium chromium-driver')
        try:
            from selenium import webdriver
            from selenium.webdriver.chrome.service import Service
        except ImportError:
            raise unittest.SkipTest('pages are tested through selenium, which is not installed: '
                                    'pip install -r environments/requirements-dev.txt, on Python 3.8 or later')
        self._profile = tempfile.mkdtemp()
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                         '--hide-scrollbars', '--user-data-dir=' + self._profile):
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        try:
            self.driver = webdriver.Chrome(service=Service(programs[1]), options=options)
        except BaseException:
            shutil.rmtree(self._profile, ignore_errors=True)
            raise
        self.resize(width, height)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def resize(self, width, height):
        # By a command of its own, because a window cannot be narrower than 500 pixels.
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': False})

    def open(self, path, address=''):
        """Open a file anew; `address` begins with ``#``."""
        self.driver.get('about:blank')  # or only another address would not load the page
        self.driver.get('file://' + os.path.abspath(path) + address)

    def run(self, script, *arguments):
        """The value that JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector):
        """The texts of all elements that a CSS selector finds."""
        return self.run('return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent.trim())',
                        selector)

    def element(self, selector):
        return self.driver.find_element('css selector', selector)

    def wait(self, script, *arguments):
        """Wait until JavaScript returns something true, and return it."""
        from selenium.webdriver.support.ui import WebDriverWait
        return WebDriverWait(self.driver, 20).until(lambda driver: self.run(script, *arguments), script)

    def choose(self, selector, text):
        """Choose an option of a list by its text."""
        from selenium.webdriver.support.ui import Select
        Select(self.element(selector)).select_by_visible_text(text)

    def complaints(self):
        """What the browser has logged since this was last asked: errors and warnings, as text."""
        return [entry['message'] for entry in self.driver.get_log('browser')]

    def images_without_alt(self):
        return self.run('return [...document.images].filter((each) => !each.alt.trim()).map((each) => each.src)')

    def controls_without_label(self):
        return self.run('return [...document.querySelectorAll("input, select")].filter((each) => '
                        '![...each.labels].some((label) => label.textContent.trim())).map((each) => each.outerHTML)')

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.run('return document.documentElement.scrollWidth - document.documentElement.clientWidth')


class PageTestCase(SharedFolderTestCase):
    """The tests of a class share a browser and a page, which each of them opens anew, without any complaint of it.

    A subclass has a class method ``make_page``, which writes the page to the folder `shared` and returns its path.
    """

    @classmethod
    def make_shared(cls):
        cls.browser = Browser()
        cls.page = cls.make_page()

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, 'browser'):
            cls.browser.close()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.browser.resize(1280, 900)
        self.browser.open(self.page)
        self.addCleanup(lambda: self.assertEqual(self.browser.complaints(), []))
