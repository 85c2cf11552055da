import * as api from './api.js';
import { lines, make, size, toast } from './dom.js';
import { hex } from './hex.js';
import { tree } from './tree.js';

// How much of a body is loaded and shown at once, in bytes.
const PIECE = 32 << 10;
// The most that is shown as text. What is more is for a file.
const MOST_SHOWN = 2 << 20;
// The most that is read as JSON.
const MOST_PARSED = 16 << 20;

const KINDS = ['tree', 'raw', 'hex'];
let kind = 'tree';
// The view of the shown delivery, which stays when something else of it changes.
let current = null;

export function forget() {
  current = null;
}

export function view(record) {
  if (current === null || current.id !== record.id) current = { id: record.id, element: make('div', { class: 'body' }), record };
  if (!current.element.hasChildNodes()) render();
  return current.element;
}

export function choose(wanted) {
  kind = wanted;
  if (current !== null) render();
}

function render() {
  const { element, record } = current;
  const tab = (name) =>
    make('button', { 'aria-pressed': String(name === kind), on: { click: () => choose(name) } }, name);
  const content = make('div', { class: 'content' });
  element.replaceChildren(make('div', { class: 'tabs', role: 'group', ariaLabel: 'Body as' }, ...KINDS.map(tab)), content);
  if (!record.has_body) content.append(make('p', { class: 'facts' }, 'The body is not kept.'));
  else if (record.body_length === 0) content.append(make('p', { class: 'facts' }, 'The body is empty.'));
  else fill(content, record).catch((error) => content.append(make('p', { class: 'facts' }, error.message)));
}

async function fill(content, record) {
  const shown = kind;
  if (shown === 'hex') return hex(content, record);
  if (shown === 'raw') return raw(content, record);
  if (record.body_length > MOST_PARSED) {
    return content.append(make('p', { class: 'facts' }, `Too large for a tree: ${size(record.body_length)}.`));
  }
  const bytes = await api.bytes(record.id, 0, record.body_length);
  const root = tree(bytes);
  if (kind !== shown || current?.record !== record) return;
  if (root === null) {
    content.append(make('p', { class: 'facts' }, 'No JSON that can be shown as a tree.'));
    await raw(content, record);
  } else {
    content.append(root);
  }
}

// The text, a piece at a time: a line of 10 MB in one element would stop the browser.
async function raw(content, record) {
  const more = make('button', { class: 'quiet' });
  const text = make('div', { class: 'text' });
  const decoder = new TextDecoder();
  let from = 0;
  const next = async () => {
    more.disabled = true;
    const bytes = await api.bytes(record.id, from, PIECE);
    from += bytes.length;
    const isWhole = from >= record.body_length || bytes.length === 0;
    text.append(make('pre', {}, lines(decoder.decode(bytes, { stream: !isWhole }))));
    more.disabled = false;
    more.hidden = isWhole || from >= MOST_SHOWN;
    more.textContent = `Show more (${size(from)} of ${size(record.body_length)})`;
    if (!isWhole && from >= MOST_SHOWN) text.append(make('p', { class: 'facts' }, 'The rest is too long to show: download the body.'));
  };
  more.addEventListener('click', next);
  content.append(text, more);
  await next();
}

export async function download(record) {
  try {
    const url = URL.createObjectURL(await api.file(record.id));
    make('a', { href: url, download: `delivery-${record.id}.body` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) {
    toast(error.message);
  }
}
