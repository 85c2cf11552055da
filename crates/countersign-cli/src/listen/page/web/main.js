import * as api from './api.js';
import * as detail from './detail.js';
import { byId } from './dom.js';
import * as keys from './keys.js';
import * as list from './list.js';

// The number of the last change that the list has.
let last = 0;
let isAsking = false;
let isDue = false;

// Asks for what changed. While an answer is awaited, further changes make one more question.
async function refresh() {
  isDue = true;
  if (isAsking) return;
  isAsking = true;
  try {
    while (isDue) {
      isDue = false;
      const after = last;
      const changes = await api.get(`deliveries?after=${after}`);
      last = changes.last;
      list.update(changes, after === 0);
      notice(changes.disk_failure);
      const shown = list.current();
      if (changes.deliveries.some((delivery) => delivery.id === shown)) detail.refresh();
      // Under load, many changes are one.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch (error) {
    notice(error.message);
  } finally {
    isAsking = false;
  }
}

function notice(text) {
  byId('notice').textContent = text ?? '';
  byId('notice').hidden = !text;
}

function live(state) {
  byId('live').className = state;
  byId('live').title = state;
}

function listen() {
  const source = new EventSource('/api/changes');
  source.addEventListener('open', () => {
    live('live');
    // The program may have started anew, and counts from 1 then.
    last = 0;
    refresh();
  });
  source.addEventListener('message', refresh);
  source.addEventListener('error', () => {
    live('away');
    // A browser gives up after some answers.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

async function start() {
  try {
    const settings = await api.get('settings');
    list.setUp(settings, (id) => detail.show(id));
    detail.setUp(settings);
    keys.setUp();
    byId('from').textContent = settings.receiver;
    byId('to').textContent = settings.forward ?? 'nowhere: start with --forward';
    byId('sample').textContent = `countersign send --sender ${settings.senders[0].name} --secret-env VARIABLE ${settings.receiver}/`;
    listen();
  } catch (error) {
    notice(error.message);
  }
}

addEventListener('hashchange', () => location.reload());
start();
