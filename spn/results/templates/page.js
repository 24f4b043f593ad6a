const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings among the children become text and are never read as HTML. */
function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

/** A photograph with layers over it, in a frame that has its shape before anything is loaded. */
function frame(width, height, ...images) {
    const element = make('div', {className: 'frame'}, ...images);
    element.style.aspectRatio = `${width} / ${height}`;
    return element;
}

/** Arrow keys in a dialog call `step` with 1 or -1. */
function stepByKeys(dialog, step) {
    dialog.addEventListener('keydown', (event) => {
        const by = {ArrowRight: 1, ArrowLeft: -1}[event.key];
        if (by && event.target.type !== 'range') {
            event.preventDefault();
            step(by);
        }
    });
}

/** Sort the rows of a table by the column whose heading is clicked: largest first, then smallest first. */
function makeSortable(table) {
    const headings = [...table.tHead.rows[0].cells];
    const value = (row, column) => parseFloat(row.cells[column].textContent);
    headings.forEach((heading, column) => {
        heading.querySelector('button').addEventListener('click', () => {
            const sign = heading.getAttribute('aria-sort') === 'descending' ? 1 : -1;
            headings.forEach((each) => each.removeAttribute('aria-sort'));
            heading.setAttribute('aria-sort', sign === 1 ? 'ascending' : 'descending');
            const rows = [...table.tBodies[0].rows].sort((a, b) => {
                const [x, y] = [value(a, column), value(b, column)];
                if (isNaN(x) && isNaN(y)) {
                    return sign * a.cells[column].textContent.localeCompare(b.cells[column].textContent);
                }
                return isNaN(x) ? 1 : isNaN(y) ? -1 : sign * (x - y);
            });
            table.tBodies[0].append(...rows);
        });
    });
}
