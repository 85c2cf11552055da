import * as api from './api.js';
import { byId, line, make, size, time } from './dom.js';

// More rows are made when somebody asks for them.
const STEP = 200;

const deliveries = new Map();
const rows = new Map();
let filter = 'all';
let words = [];
// The ids of deliveries whose headers or bodies contain the words.
let found = new Set();
let searching;
let limit = STEP;
let selected = null;
let onSelect = () => {};
let hasService = false;

const FILTERS = {
  all: () => true,
  verified: (delivery) => delivery.is_verified,
  rejected: (delivery) => !delivery.is_verified,
  failed: (delivery) => delivery.is_verified && outcome(delivery).class === 'bad',
};

// What became of a delivery at the service.
export function outcome({ status, failure, took_ms: took, attempts }) {
  if (attempts === 0) return { class: '', text: '' };
  const replayed = attempts > 1 ? `, ${attempts} attempts` : '';
  if (failure) return { class: 'bad', text: `${line(failure)}${replayed}` };
  return { class: status >= 200 && status < 300 ? 'good' : 'bad', text: `${status} in ${took} ms${replayed}` };
}

export function setUp(settings, select) {
  onSelect = select;
  hasService = settings.forward !== null;
  byId('search').addEventListener('input', (event) => {
    words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    limit = STEP;
    found = new Set();
    render();
    search();
  });
  byId('filters').addEventListener('click', ({ target }) => {
    if (!target.dataset.filter) return;
    filter = target.dataset.filter;
    limit = STEP;
    for (const button of byId('filters').children) button.setAttribute('aria-pressed', String(button === target));
    render();
  });
  byId('more').addEventListener('click', () => {
    limit += STEP;
    render();
  });
}

// Takes what changed. With `isWhole`, nothing else is there any more.
export function update(changes, isWhole) {
  if (isWhole) {
    deliveries.clear();
    rows.clear();
  }
  for (const id of deliveries.keys()) if (id < changes.oldest) forget(id);
  for (const delivery of changes.deliveries) {
    deliveries.set(delivery.id, delivery);
    rows.delete(delivery.id);
  }
  render();
  search();
}

// Looks for the words in what the list does not have, once nobody types any more.
function search() {
  clearTimeout(searching);
  if (words.length === 0) return;
  const asked = words;
  searching = setTimeout(async () => {
    try {
      const { ids } = await api.get(`search?words=${encodeURIComponent(asked.join(' '))}`);
      if (asked !== words) return;
      found = new Set(ids);
      render();
    } catch {
      // What the list has is searched all the same.
    }
  }, 250);
}

export const current = () => selected;
export const shown = () => matching().map((delivery) => delivery.id);

export function select(id) {
  rows.get(selected)?.firstChild.removeAttribute('aria-current');
  selected = id;
  const row = rows.get(id);
  row?.firstChild.setAttribute('aria-current', 'true');
  row?.scrollIntoView({ block: 'nearest' });
  onSelect(id);
}

// Selects the next delivery in the list, or the previous one.
export function move(step) {
  const ids = shown().slice(0, limit);
  if (ids.length === 0) return;
  const at = ids.indexOf(selected);
  select(at < 0 ? ids[0] : ids[Math.min(Math.max(at + step, 0), ids.length - 1)]);
}

function forget(id) {
  deliveries.delete(id);
  rows.get(id)?.remove();
  rows.delete(id);
}

// The newest first.
function matching() {
  const list = [...deliveries.values()].filter(FILTERS[filter]);
  const hasWords = (delivery) => found.has(delivery.id) || words.every((word) => text(delivery).includes(word));
  return list.filter(hasWords).sort((a, b) => b.id - a.id);
}

function text(delivery) {
  delivery.text ??= [
    `#${delivery.id}`, delivery.method, delivery.target, delivery.sender, delivery.reason, delivery.diagnosis,
    delivery.status, delivery.failure, delivery.is_verified ? 'verified' : 'rejected',
  ].join(' ').toLowerCase();
  return delivery.text;
}

function render() {
  const all = matching();
  const list = byId('list');
  const wanted = all.slice(0, limit).map((delivery) => {
    if (!rows.has(delivery.id)) rows.set(delivery.id, row(delivery));
    return rows.get(delivery.id);
  });
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((element, at) => {
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
  });
  byId('more').hidden = all.length <= limit;
  byId('empty').hidden = deliveries.size > 0;
  byId('replay-shown').disabled = all.length === 0;
  byId('count').textContent = all.length === deliveries.size ? `${all.length} ${all.length === 1 ? 'delivery' : 'deliveries'}` : `${all.length} of ${deliveries.size}`;
}

function row(delivery) {
  const { id } = delivery;
  const result = outcome(delivery);
  const verdict = delivery.is_verified
    ? make('span', { class: `result ${result.class}` }, result.text || (hasService ? 'no answer yet' : 'received'))
    : make('span', { class: 'result bad' }, line(delivery.reason ?? 'rejected'));
  const button = make(
    'button',
    { class: delivery.is_verified ? 'row verified' : 'row rejected', on: { click: () => select(id) } },
    make('span', { class: 'mark', role: 'img', ariaLabel: delivery.is_verified ? 'verified' : 'rejected' }),
    make('span', { class: 'sender' }, line(delivery.sender ?? 'unknown')),
    make('span', { class: 'when' }, time(delivery.at)),
    make('span', { class: 'target' }, make('b', {}, line(delivery.method)), ` ${line(delivery.target.slice(0, 300))}`),
    make('span', { class: 'size' }, size(delivery.body_length)),
    verdict,
    delivery.diagnosis ? make('span', { class: 'diagnosis' }, line(delivery.diagnosis)) : null,
    delivery.origin === 'sender' ? null : make('span', { class: 'badge' }, `re-signed from #${delivery.origin.resigned}`),
    delivery.is_kept ? null : make('span', { class: 'badge warn' }, 'not on disk'),
    make('span', { class: 'number' }, `#${id}`),
  );
  if (id === selected) button.setAttribute('aria-current', 'true');
  return make('li', {}, button);
}
