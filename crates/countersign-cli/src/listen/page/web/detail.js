import * as api from './api.js';
import * as body from './body.js';
import { byId, bytesOf, headerText, line, lines, make, moment, size, toast } from './dom.js';
import * as edit from './edit.js';
import * as list from './list.js';

let settings = { senders: [] };
let record = null;

export function setUp(values) {
  settings = values;
  edit.setUp(values);
}

// Shows a delivery. `null` shows none.
export async function show(id) {
  document.body.classList.toggle('open', id !== null);
  if (id === null) return;
  if (record?.id !== id) body.forget();
  await load(id);
}

// Loads the shown delivery anew.
export async function refresh() {
  if (list.current() !== null) await load(list.current());
}

async function load(id) {
  try {
    const loaded = await api.get(`deliveries/${id}`);
    // Another may have been chosen meanwhile.
    if (list.current() !== id) return;
    record = loaded;
    render();
  } catch (error) {
    toast(error.message);
  }
}

function render() {
  const detail = byId('detail');
  const position = detail.scrollTop;
  const target = make('h2', {}, make('b', {}, line(record.method)), ` ${line(record.target)}`);
  const facts = make(
    'p', { class: 'facts' },
    `#${record.id}, ${moment(record.at)}, ${size(record.body_length)}`,
    record.origin === 'sender' ? null : `, signed here after #${record.origin.resigned}`,
    record.is_kept ? null : ', not on disk',
  );
  detail.replaceChildren(
    make('button', { class: 'back quiet', on: { click: () => list.select(null) } }, '‹ Deliveries'),
    make('div', { class: 'title' }, target, facts, actions()),
    verdict(record.verdict),
    ...attempts(),
    fold('Body', true, body.view(record)),
    fold(`Headers (${record.headers.length})`, true, headers(record.headers)),
  );
  detail.scrollTop = position;
}

function actions() {
  const button = (text, key, run, title) =>
    make('button', { title: title ?? '', on: { click: run } }, text, make('kbd', {}, key));
  const canReplay = settings.forward !== null;
  const replayed = button('Replay', 'r', replay, canReplay ? '' : 'Start with --forward');
  replayed.className = 'primary';
  replayed.disabled = !canReplay;
  return make(
    'div', { class: 'actions' }, replayed, button('Edit and re-sign', 'e', () => edit.open(record)),
    button('Copy as curl', 'c', curl), make('button', { on: { click: () => body.download(record) } }, 'Download body'),
  );
}

function verdict(verdict) {
  if (verdict.is_verified) {
    return make('div', { class: 'verdict verified' }, make('h3', {}, 'Verified'),
      make('p', {}, line(verdict.sender), ', key ', make('code', {}, line(verdict.key))));
  }
  const causes = verdict.causes.map((cause) => make('li', {}, line(cause.message)));
  return make(
    'div', { class: 'verdict rejected' },
    make('h3', {}, 'Rejected: ', make('code', {}, line(verdict.reason ?? 'unknown'))),
    verdict.message ? make('p', {}, line(verdict.message)) : null,
    causes.length ? make('p', { class: 'label' }, verdict.is_proven ? 'Proven cause' : 'Likely cause') : null,
    causes.length ? make('ul', {}, ...causes) : null,
    verdict.advice ? make('p', { class: 'label' }, 'What to do') : null,
    verdict.advice ? make('p', {}, line(verdict.advice)) : null,
  );
}

function attempts() {
  return [...record.attempts].reverse().map((attempt, at) => {
    const outcome = list.outcome({ ...attempt, attempts: 1 });
    const kind = attempt.is_replay ? 'Replayed' : 'Forwarded';
    const title = make('span', {}, `${kind}: `, make('span', { class: outcome.class }, outcome.text),
      make('span', { class: 'when' }, ` ${moment(attempt.at)}`));
    const text = new TextDecoder().decode(bytesOf(attempt.body));
    const more = attempt.body_length > bytesOf(attempt.body).length ? make('p', { class: 'facts' }, `of ${size(attempt.body_length)}`) : null;
    return fold(title, false, make('div', {}, headers(attempt.headers), make('pre', {}, lines(text)), more), at);
  });
}

function headers(list) {
  const pair = (header) => {
    const text = headerText(header);
    const value = text === null ? make('i', {}, 'not kept and not shown, because it is a secret or was made here') : text;
    return [make('dt', {}, line(header.name)), make('dd', {}, value)];
  };
  return make('dl', { class: 'headers' }, ...list.flatMap(pair));
}

function fold(title, isOpen, content) {
  return make('details', { class: 'fold', open: isOpen }, make('summary', {}, title), content);
}

export async function replay() {
  if (record === null || list.current() !== record.id) return;
  await replayAll([record.id]);
}

// Sends deliveries to the service once more, and says how it went.
export async function replayAll(ids) {
  try {
    const { results } = await api.post('replay', { ids });
    const refused = results.find((result) => result.error);
    const good = results.filter((result) => result.status >= 200 && result.status < 300).length;
    if (ids.length === 1) toast(refused?.error ?? results[0].failure ?? `The service answered ${results[0].status}`);
    else toast(`${good} of ${ids.length} were answered with a 2xx${refused ? `; #${refused.id}: ${refused.error}` : ''}`);
  } catch (error) {
    toast(error.message);
  }
}

export async function curl() {
  if (record === null) return;
  try {
    const { command } = await api.get(`deliveries/${record.id}/curl`);
    await copy(command);
  } catch (error) {
    toast(error.message);
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied as curl');
  } catch {
    // The browser does not allow it.
    byId('copy-text').value = text;
    byId('copy').showModal();
    byId('copy-text').select();
  }
}

export const openEdit = () => record && edit.open(record);
