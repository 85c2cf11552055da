import * as api from './api.js';
import { make, size } from './dom.js';

// How much is shown at once, in bytes.
const PIECE = 4 << 10;

// The bytes in rows of 16, a piece at a time.
export async function hex(content, record) {
  const rows = make('div', { class: 'text hex' });
  const more = make('button', { class: 'quiet' });
  let from = 0;
  const next = async () => {
    more.disabled = true;
    const bytes = await api.bytes(record.id, from, PIECE);
    rows.append(make('pre', {}, dump(bytes, from)));
    from += bytes.length;
    more.disabled = false;
    more.hidden = from >= record.body_length || bytes.length === 0;
    more.textContent = `Show more (${size(from)} of ${size(record.body_length)})`;
  };
  more.addEventListener('click', next);
  content.append(rows, more);
  await next();
}

function dump(bytes, start) {
  const text = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const left = digits.slice(0, 8).join(' ').padEnd(23);
    const right = digits.slice(8).join(' ').padEnd(23);
    const shown = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    text.push(`${(start + at).toString(16).padStart(8, '0')}  ${left}  ${right}  ${shown}`);
  }
  return `${text.join('\n')}\n`;
}
