// Makes an element. Text is set as text: nothing that a delivery contains is ever read as HTML.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') element.className = value;
    else if (name === 'on') for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

// Control characters, and those that are invisible or change the direction of writing, as escapes.
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
const escape = (char) => `\\u{${char.codePointAt(0).toString(16)}}`;
export const lines = (text) => text.replace(ACTING, escape);
export const line = (text) => lines(text).replaceAll('\n', '\\n');

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

export const time = (at) => new Date(at).toLocaleTimeString([], { hour12: false });
export const moment = (at) => new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

// A header's value, in which bytes that are no text are escaped.
export function headerText(header) {
  if ('withheld' in header) return null;
  if (header.text !== undefined) return line(header.text);
  return Array.from(bytesOf(header.bytes), (byte) =>
    byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}

let fading;
export function toast(text) {
  const element = byId('toast');
  element.textContent = text;
  element.classList.add('shown');
  clearTimeout(fading);
  fading = setTimeout(() => element.classList.remove('shown'), 4000);
}
