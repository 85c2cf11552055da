import { line, make } from './dom.js';

// How many children are made at once, and how much of a text.
const STEP = 100;
const TEXT = 1000;
// Up to this length, numbers are kept as they were written.
const MOST_EXACT = 1 << 20;

// A number that JavaScript would round, as it was written.
class Exact {
  constructor(source) {
    this.source = source;
  }
}

// More levels are no delivery, and would keep the browser busy for seconds.
const MOST_LEVELS = 500;

// The body as a tree, whose branches are made when they are opened. `null` if it is no JSON that can be shown.
export function tree(bytes) {
  if (isTooDeep(bytes)) return null;
  let value;
  try {
    value = parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  return make('div', { class: 'tree' }, node(null, value, true));
}

function isTooDeep(bytes) {
  let level = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x22) isText = !isText;
    else if (isText) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) level += 1;
    else if (byte === 0x5d || byte === 0x7d) level -= 1;
    if (level > MOST_LEVELS) return true;
  }
  return false;
}

function parse(text) {
  if (text.length > MOST_EXACT) return JSON.parse(text);
  const exact = (_key, value, context) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? new Exact(context.source) : value;
  try {
    return JSON.parse(text, exact);
  } catch {
    // No JSON, or too much for the function.
    return JSON.parse(text);
  }
}

function node(name, value, isOpen) {
  const label = name === null ? null : make('span', { class: 'name' }, `${line(name.slice(0, TEXT))}: `);
  if (value === null || typeof value !== 'object' || value instanceof Exact) {
    return make('div', { class: 'leaf' }, label, leaf(value));
  }
  const isList = Array.isArray(value);
  const keys = isList ? null : Object.keys(value);
  const length = isList ? value.length : keys.length;
  const hint = isList ? `[${length}]` : `{${length}}`;
  const branch = make('details', {}, make('summary', {}, label, make('span', { class: 'hint' }, hint)));
  let made = 0;
  const more = make('button', { class: 'quiet', on: { click: () => grow() } });
  function grow() {
    const end = Math.min(made + STEP, length);
    const children = [];
    for (; made < end; made += 1) {
      const key = isList ? String(made) : keys[made];
      children.push(node(key, value[key], false));
    }
    more.remove();
    branch.append(...children);
    if (made < length) {
      more.textContent = `Show more (${made} of ${length})`;
      branch.append(more);
    }
  }
  branch.addEventListener('toggle', () => branch.open && made === 0 && grow());
  if (isOpen) {
    branch.open = true;
    grow();
  }
  return branch;
}

function leaf(value) {
  if (value instanceof Exact) return make('span', { class: 'number' }, value.source);
  if (typeof value !== 'string') return make('span', { class: typeof value }, String(value));
  if (value.length <= TEXT) return make('span', { class: 'string' }, `"${line(value)}"`);
  const text = make('span', { class: 'string' }, `"${line(value.slice(0, TEXT))}`);
  let shown = TEXT;
  const more = make('button', { class: 'quiet' }, `… ${value.length - shown} more`);
  more.addEventListener('click', () => {
    text.append(line(value.slice(shown, shown + 65536)));
    shown += 65536;
    more.textContent = `… ${value.length - shown} more`;
    if (shown >= value.length) more.remove();
  });
  return make('span', {}, text, more);
}
