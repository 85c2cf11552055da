import * as body from './body.js';
import * as detail from './detail.js';
import { byId } from './dom.js';
import * as list from './list.js';

const KEYS = {
  j: () => list.move(1),
  k: () => list.move(-1),
  ArrowDown: () => list.move(1),
  ArrowUp: () => list.move(-1),
  '/': () => byId('search').focus(),
  r: detail.replay,
  R: replayShown,
  c: detail.curl,
  e: detail.openEdit,
  '?': () => byId('keys').showModal(),
  1: () => body.choose('tree'),
  2: () => body.choose('raw'),
  3: () => body.choose('hex'),
};

export function setUp() {
  byId('replay-shown').addEventListener('click', replayShown);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const { target } = event;
    const isField = target.matches('input, textarea, select');
    if (event.key === 'Escape') {
      if (isField) target.blur();
      else list.select(null);
    } else if (isField) {
      if (event.key === 'Enter') openFirst(target);
    } else if (event.key === 'Enter') {
      // A button does what it says.
      if (!target.matches('button, summary, a')) byId('detail').focus();
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
}

function openFirst(field) {
  field.blur();
  if (!list.shown().includes(list.current())) list.move(0);
}

function replayShown() {
  const ids = list.shown().reverse();
  if (ids.length === 0) return;
  byId('confirm-text').textContent = ids.length === 1 ? 'Replay 1 delivery?' : `Replay ${ids.length} deliveries?`;
  const dialog = byId('confirm');
  dialog.returnValue = 'no';
  dialog.showModal();
  dialog.addEventListener('close', () => dialog.returnValue === 'yes' && detail.replayAll(ids), { once: true });
}
