const AT_ONCE = 24;             // cards are made in batches, when they are about to be seen
const BY_DEFAULT = ['image', 'truth'];
const pictures = data.pictures.map(([name, url, width, height, classes, ious]) =>
    ({name, url, width, height, classes, ious}));
const collator = new Intl.Collator(undefined, {numeric: true});
const start = {method: data.chosen, sort: 'worst', class: null, text: '', shown: BY_DEFAULT, masks: true, opacity: 60,
               picture: null};
let state = {...start};
let list = [];                  // the pictures that pass the filters, in their order

const percent = (iou) => iou === null ? 'no IoU' : `${(100 * iou).toFixed(1)} %`;
const namesOf = (classes) => classes.map((c) => data.classes[c]).join(', ') || 'no class';

// ---- the address ----

function toAddress(state) {
    const address = new URLSearchParams();
    const put = (name, value) => value !== start[name] && address.set(name, value);
    if (state.picture !== null) {
        address.set('picture', state.picture);
    }
    if (state.method !== start.method) {
        address.set('method', data.methods[state.method]);
    }
    put('sort', state.sort);
    if (state.class !== null) {
        address.set('class', data.classes[state.class]);
    }
    put('text', state.text);
    put('opacity', state.opacity);
    put('masks', state.masks);
    if (state.shown.join() !== BY_DEFAULT.join()) {
        (state.shown.length ? state.shown : ['']).forEach((view) => address.append('show', data.methods[view] || view));
    }
    return '#' + address;
}

/** What an address says, as far as this page knows it: it may have been written by hand, or for another page. */
function fromAddress(hash) {
    const address = new URLSearchParams(hash.slice(1));
    const found = (names, name) => names.indexOf(address.get(name));
    const result = {...start};
    if (found(data.methods, 'method') >= 0) {
        result.method = found(data.methods, 'method');
    }
    if (['worst', 'best', 'name'].includes(address.get('sort'))) {
        result.sort = address.get('sort');
    }
    if (found(data.classes, 'class') >= 0) {
        result.class = found(data.classes, 'class');
    }
    result.text = address.get('text') || '';
    result.masks = address.get('masks') !== 'false';
    const opacity = parseInt(address.get('opacity'), 10);
    if (opacity >= 5 && opacity <= 100) {
        result.opacity = opacity;
    }
    if (address.has('show')) {
        const views = address.getAll('show').map((view) =>
            data.methods.includes(view) ? String(data.methods.indexOf(view)) : view);
        result.shown = choices.map((choice) => choice.value).filter((value) => views.includes(value));
    }
    result.picture = address.get('picture');
    return result;
}

const isInAddress = () => toAddress(state) === (location.hash || '#');

/** Going back leads from an enlarged picture to the page, not through each change of a filter. */
function writeAddress(asNewEntry = false) {
    if (!isInAddress()) {
        const url = location.href.split('#')[0] + (toAddress(state) === '#' ? '' : toAddress(state));
        history[asNewEntry ? 'pushState' : 'replaceState'](null, '', url);
    }
}

// ---- one picture ----

function layer(picture, className, ending, alt) {
    return make('img', {className, loading: 'lazy', alt, src: picture.url + ending});
}

/** The photograph with the mask of one method, or the true one, which is the last. */
function withMask(picture, number, what) {
    const mask = layer(picture, 'mask', '.masks.png', `mask of ${picture.name}: ${what}`);
    mask.style.objectPosition = `0 ${100 * number / data.methods.length}%`;
    return frame(picture.width, picture.height, layer(picture, 'photograph', '.jpg', picture.name), mask);
}

function view(picture, what) {
    const photograph = () => layer(picture, 'photograph', '.jpg', picture.name);
    if (what === 'image') {
        return make('figure', {}, frame(picture.width, picture.height, photograph()), make('figcaption', {}, 'image'));
    }
    if (what === 'superpixels') {
        const lines = layer(picture, 'borders', '.superpixels.png', `borders of the superpixels of ${picture.name}`);
        return make('figure', {}, frame(picture.width, picture.height, photograph(), lines),
                    make('figcaption', {}, 'superpixels'));
    }
    if (what === 'truth') {
        return make('figure', {}, withMask(picture, data.methods.length, 'truth'), make('figcaption', {}, 'truth'));
    }
    return make('figure', {}, withMask(picture, Number(what), data.methods[what]), make('figcaption', {},
        data.methods[what] + ' ', make('b', {}, percent(picture.ious[what]))));
}

/** What is shown of a picture, from left to right. */
function views() {
    const methods = data.methods.map((_, number) => String(number));
    return ['image', 'superpixels', ...methods, 'truth'].filter(
        (value) => value === String(state.method) || state.shown.includes(value));
}

function card(picture) {
    const link = make('a', {href: '#' + new URLSearchParams({picture: picture.name})}, picture.name);
    link.addEventListener('click', (event) => {
        if (!(event.ctrlKey || event.metaKey || event.shiftKey)) {
            event.preventDefault();
            enlarge(picture.name);
        }
    });
    return make('article', {className: 'card'}, make('h3', {}, link),
        make('p', {className: 'faint'}, namesOf(picture.classes)),
        make('div', {className: 'views'}, ...views().map((each) => view(picture, each))));
}

// ---- the list ----

function chosenPictures() {
    const text = state.text.toLowerCase();
    const chosen = pictures.filter((picture) => picture.name.toLowerCase().includes(text)
        && (state.class === null || picture.classes.includes(state.class)));
    const sign = state.sort === 'best' ? -1 : 1;
    const iou = (picture) => picture.ious[state.method];
    return chosen.sort(state.sort === 'name' ? (a, b) => collator.compare(a.name, b.name) : (a, b) =>
        iou(a) === null || iou(b) === null ? (iou(a) === null) - (iou(b) === null) : sign * (iou(a) - iou(b)));
}

function showList() {
    list = chosenPictures();
    byId('cards').style.setProperty('--card', `${Math.min(64, Math.max(18, 7.5 * views().length))}rem`);
    byId('cards').replaceChildren();
    const ious = list.map((picture) => picture.ious[state.method]).filter((iou) => iou !== null);
    const mean = ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
    byId('count').textContent = `${list.length} of ${pictures.length} pictures`
        + (ious.length ? `; the mean of their IoUs by ${data.methods[state.method]} is ${percent(mean)}` : '');
    showMore();
}

function showMore() {
    const made = byId('cards').children.length;
    byId('cards').append(...list.slice(made, made + AT_ONCE).map(card));
    byId('more').hidden = byId('cards').children.length >= list.length;
    nearTheEnd.unobserve(byId('more'));      // observed anew, it reports again if it can still be seen
    nearTheEnd.observe(byId('more'));
}

const nearTheEnd = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
        showMore();
    }
}, {rootMargin: '300px'});

// ---- the enlarged picture ----

function enlarge(name) {
    const entered = state.picture === null;
    state.picture = name;
    writeAddress(entered);
    showEnlarged();
}

function showEnlarged() {
    const dialog = byId('enlarged');
    const picture = pictures.find((each) => each.name === state.picture);
    if (!picture) {
        if (state.picture !== null) {
            byId('count').textContent = `There is no picture ${state.picture} here. ` + byId('count').textContent;
        }
        state.picture = null;
        dialog.close();
        return;
    }
    const place = list.indexOf(picture);
    byId('enlarged-name').replaceChildren(picture.name + ' ', make('span', {className: 'faint'},
                                                                   namesOf(picture.classes)));
    byId('enlarged-views').replaceChildren(...['image', 'truth', 'superpixels', ...data.methods.keys()].map(
        (each) => view(picture, each)));
    byId('previous').disabled = place <= 0;
    byId('next').disabled = place < 0 || place === list.length - 1;
    if (!dialog.open) {
        dialog.showModal();
        byId('close').focus();
    }
    cardAt(place)?.scrollIntoView({block: 'center'});
}

/** The card of a place in the list; undefined unless it is made: with thousands before it that would take seconds. */
function cardAt(place) {
    return byId('cards').children[place];
}

function step(by) {
    const picture = list[list.findIndex((each) => each.name === state.picture) + by];
    if (picture) {
        enlarge(picture.name);
    }
}

// ---- controls ----

const choices = [...byId('shown').querySelectorAll('input')];
const all = (name) => document.querySelectorAll(`input[name=${name}]`);

function showOverlays() {
    document.documentElement.style.setProperty('--opacity', state.opacity / 100);
    document.body.classList.toggle('without-layers', !state.masks);
    all('opacity').forEach((input) => { input.value = state.opacity; });
    all('masks').forEach((input) => { input.checked = state.masks; });
}

/** The method by which pictures are sorted is shown in any case. */
function showChoices() {
    choices.forEach((choice) => {
        choice.disabled = choice.value === String(state.method);
        choice.checked = choice.disabled || state.shown.includes(choice.value);
    });
}

function showState() {
    byId('method').value = state.method;
    byId('sort').value = state.sort;
    byId('class').value = state.class === null ? '' : state.class;
    byId('text').value = state.text;
    showChoices();
    showOverlays();
    showList();
    showEnlarged();
}

/** A control changes the state and what is shown of it; the address follows when the change is complete. */
function listen(element, change, show, events = ['change']) {
    events.forEach((event) => element.addEventListener(event, () => {
        change(element);
        show();
        if (event === 'change') {
            writeAddress();
        }
    }));
}

listen(byId('method'), ({value}) => { state.method = Number(value); }, () => { showChoices(); showList(); });
listen(byId('sort'), ({value}) => { state.sort = value; }, showList);
listen(byId('class'), ({value}) => { state.class = value === '' ? null : Number(value); }, showList);
listen(byId('text'), ({value}) => { state.text = value; }, showList, ['input']);
byId('text').addEventListener('change', () => writeAddress());
choices.forEach((choice) => listen(choice, () => {
    state.shown = choices.filter((each) => each.checked && !each.disabled).map((each) => each.value);
}, showList));
all('opacity').forEach((input) => listen(input, ({value}) => { state.opacity = Number(value); }, showOverlays,
                                         ['input', 'change']));
all('masks').forEach((input) => listen(input, ({checked}) => { state.masks = checked; }, showOverlays));
document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());

byId('more').addEventListener('click', () => showMore());
byId('previous').addEventListener('click', () => step(-1));
byId('next').addEventListener('click', () => step(1));
byId('close').addEventListener('click', () => byId('enlarged').close());
stepByKeys(byId('enlarged'), step);
byId('enlarged').addEventListener('close', () => {
    if (byId('enlarged').open) {
        return;     // the event comes late: another picture has been opened since
    }
    const place = list.findIndex((each) => each.name === state.picture);
    state.picture = null;
    writeAddress();
    cardAt(place)?.querySelector('a').focus();
});
window.addEventListener('hashchange', () => {
    if (!isInAddress()) {
        state = fromAddress(location.hash);
        showState();
    }
});

makeSortable(byId('results'));
state = fromAddress(location.hash);
showState();
