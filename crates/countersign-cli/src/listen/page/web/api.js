// The token is behind `#`: no browser sends that to anybody.
const token = () => location.hash.slice(1);

export class Refusal extends Error {}

async function ask(path, options = {}) {
  const headers = { 'X-Countersign-Token': token(), ...options.headers };
  const answer = await fetch(`/api/${path}`, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) throw new Refusal('Open the address that the terminal shows: it ends in a token, which is new at each start.');
  let message = `${answer.status} ${answer.statusText}`;
  try {
    message = (await answer.json()).error ?? message;
  } catch {
    // The status says it.
  }
  throw new Error(message);
}

export async function get(path) {
  return (await ask(path)).json();
}

export async function post(path, value) {
  const headers = { 'Content-Type': 'application/json' };
  return (await ask(path, { method: 'POST', headers, body: JSON.stringify(value) })).json();
}

// A part of a body, as bytes.
export async function bytes(id, from, length) {
  return new Uint8Array(await (await ask(`deliveries/${id}/body?from=${from}&length=${length}`)).arrayBuffer());
}

export async function file(id) {
  return (await ask(`deliveries/${id}/body`)).blob();
}
