const choices = [...document.querySelectorAll('#settings input')];
let enlarged = null;            // the picture, and the number of its view

function image(className, src, alt) {
    return make('img', {className, src, alt});
}

/** What there is to see of a picture: itself, its true mask if it is known, and its superpixels by each setting. */
function viewsOf(picture) {
    const photograph = () => image('photograph', picture.photograph, picture.name);
    const framed = (...layers) => () => frame(picture.width, picture.height, photograph(),
                                              ...layers.map((each) => each()));
    const views = [{title: 'image', note: '', build: framed()}];
    if (picture.truth) {
        views.push({title: 'truth', note: '', build: framed(
            () => image('mask', picture.truth, `true mask of ${picture.name}`))});
    }
    picture.cuts.forEach((cut, number) => {
        if (choices[number].checked) {
            const title = data.candidates[number];
            const note = `${cut.count} superpixels` + (cut.iou ? `, at best ${cut.iou}` : '');
            views.push({title, note, build: framed(
                () => image('borders', cut.borders, `superpixels of ${picture.name}: ${title}`))});
        }
    });
    return views;
}

function figure(picture, view, number) {
    const button = make('button', {type: 'button', className: 'enlarge',
                                   ariaLabel: `Enlarge ${picture.name}, ${view.title}`});
    button.addEventListener('click', () => enlarge(picture, number));
    const framed = view.build();
    framed.append(button);
    return make('figure', {}, framed, make('figcaption', {}, make('b', {}, view.title), ' ' + view.note));
}

function showPictures() {
    byId('pictures').replaceChildren(...data.pictures.map((picture) => make('section', {},
        make('h2', {}, picture.name),
        make('div', {className: 'views'}, ...viewsOf(picture).map((view, number) => figure(picture, view, number))))));
}

/** The views of one picture lie over each other as one steps through them, so that their borders can be compared. */
function enlarge(picture, number) {
    const views = viewsOf(picture), dialog = byId('enlarged');
    if (!views[number]) {
        return;
    }
    enlarged = {picture, number};
    const {title, note, build} = views[number];
    byId('enlarged-name').replaceChildren(`${picture.name}: ${title} `, make('span', {className: 'faint'}, note));
    const framed = build();
    framed.style.maxWidth = `calc(78vh * ${picture.width / picture.height})`;
    byId('enlarged-view').replaceChildren(framed);
    byId('previous').disabled = number === 0;
    byId('next').disabled = number === views.length - 1;
    if (!dialog.open) {
        dialog.showModal();
        byId('close').focus();
    }
}

const step = (by) => enlarge(enlarged.picture, enlarged.number + by);
const switches = document.querySelectorAll('input[name=borders]');

choices.forEach((choice) => choice.addEventListener('change', showPictures));
switches.forEach((input) => input.addEventListener('change', () => {
    document.body.classList.toggle('without-borders', !input.checked);
    switches.forEach((each) => { each.checked = input.checked; });
}));
byId('previous').addEventListener('click', () => step(-1));
byId('next').addEventListener('click', () => step(1));
byId('close').addEventListener('click', () => byId('enlarged').close());
stepByKeys(byId('enlarged'), step);
showPictures();
