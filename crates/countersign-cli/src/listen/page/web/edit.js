import * as api from './api.js';
import { byId, headerText, make, toast } from './dom.js';

// The largest body that is edited as text.
const MOST = 256 << 10;

// These are made anew for each request.
const MADE = ['connection', 'content-length', 'host', 'transfer-encoding'];

let made = [];
let record = null;
let original = null;

export function setUp(settings) {
  made = [...MADE, ...settings.senders.map((sender) => sender.header.toLowerCase())];
  byId('edit-sender').replaceChildren(...settings.senders.map(({ name }) => make('option', { value: name }, name)));
  byId('edit-cancel').addEventListener('click', () => byId('edit').close());
  byId('edit').querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
}

export async function open(delivery) {
  record = delivery;
  original = null;
  const sender = byId('edit-sender');
  if ([...sender.options].some((option) => option.value === record.verdict.sender)) sender.value = record.verdict.sender;
  const isEditable = (header) => !made.includes(header.name) && header.text !== undefined && headerText(header) === header.text;
  byId('edit-headers').value = record.headers.filter(isEditable).map((header) => `${header.name}: ${header.text}`).join('\n');
  byId('edit-error').textContent = '';
  const body = byId('edit-body');
  body.disabled = true;
  body.value = '';
  if (record.body_length <= MOST && record.has_body) {
    try {
      const bytes = await api.bytes(record.id, 0, MOST);
      const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      // A text field would change other line ends.
      if (!decoded.includes('\r')) {
        original = decoded;
        body.value = decoded;
        body.disabled = false;
      }
    } catch {
      // No text.
    }
  }
  byId('edit-note').textContent = body.disabled
    ? 'The body stays as it is: only a text of at most 256 KiB, without carriage returns, can be edited here.'
    : 'Signature and timestamp are made anew with the active key. What was signed is sent as a new delivery.';
  byId('edit').showModal();
}

async function send() {
  const headers = [];
  for (const text of byId('edit-headers').value.split('\n').filter((text) => text.trim())) {
    const at = text.indexOf(':');
    if (at < 1) {
      byId('edit-error').textContent = `Write name: value, not ${text}`;
      return;
    }
    headers.push([text.slice(0, at).trim(), text.slice(at + 1).trim()]);
  }
  const request = { after: record.id, sender: byId('edit-sender').value, headers };
  if (original !== null) request.body = byId('edit-body').value;
  try {
    const { status } = await api.post('resign', request);
    byId('edit').close();
    toast(`Signed and sent: the answer is ${status}`);
  } catch (error) {
    byId('edit-error').textContent = error.message;
  }
}
