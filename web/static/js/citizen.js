// Citizen IDs: hyphens while typing, the check digit at once, and the person
// behind the ID as soon as it is whole. The server checks everything again.
import { sayFailed } from './say.js';

// The hyphens of 1-2345-67890-12-1 stand after these many digits.
const HYPHENS = [1, 5, 10, 12];
const LENGTH = 13;

export function digits(text) {
  return text
    .replace(/[๐-๙]/g, (d) => String(d.charCodeAt(0) - 0x0e50))
    .replace(/\D/g, '')
    .slice(0, LENGTH);
}

export function format(id) {
  let out = '';
  for (let i = 0; i < id.length; i++) {
    if (HYPHENS.includes(i)) out += '-';
    out += id[i];
  }
  return out;
}

export function valid(id) {
  if (!/^\d{13}$/.test(id)) return false;
  let sum = 0;
  for (let i = 0; i < LENGTH - 1; i++) sum += Number(id[i]) * (LENGTH - i);
  return (11 - (sum % 11)) % 10 === Number(id[LENGTH - 1]);
}

// reformat keeps the caret behind the same digit.
function reformat(input) {
  const before = digits(input.value.slice(0, input.selectionStart ?? input.value.length)).length;
  const id = digits(input.value);
  const text = format(id);
  if (text !== input.value) {
    input.value = text;
    if (document.activeElement === input) {
      const caret = format(id.slice(0, before)).length;
      input.setSelectionRange(caret, caret);
    }
  }
  return id;
}

function tell(input, id) {
  const whole = id.length === LENGTH;
  const ok = whole && valid(id);
  const message = input.closest('.field')?.querySelector('[data-citizen-message]');
  const fromServer = document.getElementById(`${input.id}-error`);
  if (fromServer) fromServer.hidden = true; // it spoke of what stood here before
  if (whole && !ok) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
  if (!message) return ok;
  message.classList.toggle('is-ok', ok);
  message.classList.toggle('is-wrong', whole && !ok);
  const text = !whole ? '' : ok ? input.dataset.ok : input.dataset.wrong;
  if (message.textContent !== text) message.textContent = text;
  return ok;
}

const asking = new WeakMap(); // form → the request under way

// chosen is whom the form's list of people names, if it has one.
const chosen = (form) => form.elements.namedItem('person')?.value ?? '';

// lookUp asks who is behind the ID. The ID travels in the body, never in a URL.
async function lookUp(form, input) {
  asking.get(form)?.abort();
  const target = document.getElementById(form.dataset.lookupTarget);
  if (!target) return;
  if (!valid(digits(input.value)) && !chosen(form)) {
    target.replaceChildren();
    return;
  }
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const secret = form.querySelector(`input[type="password"][name="${CSS.escape(name)}"]`);
    if (typeof value === 'string' && !secret) body.append(name, value);
  }
  const request = new AbortController();
  asking.set(form, request);
  target.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(form.dataset.lookupUrl, {
      method: 'POST',
      body,
      signal: request.signal,
      headers: { 'X-Fragment': 'lookup' },
    });
    if (answer.redirected || !answer.ok) throw new Error(`status ${answer.status}`);
    target.innerHTML = await answer.text();
  } catch (error) {
    if (error.name === 'AbortError') return;
    target.replaceChildren();
    sayFailed();
  }
  target.removeAttribute('aria-busy');
}

const known = new WeakMap(); // input → the digits last seen

document.addEventListener('input', (event) => {
  const input = event.target;
  if (!input.matches?.('input[data-citizen-id]')) return;
  const id = reformat(input);
  if (known.get(input) === id) return;
  known.set(input, id);
  if (id && chosen(input.form)) input.form.elements.namedItem('person').value = ''; // one or the other
  tell(input, id);
  if (input.form?.dataset.lookupUrl) lookUp(input.form, input);
});

// Another unit may mean another answer about the same person; a person chosen by name takes the place of an ID.
document.addEventListener('change', (event) => {
  const form = event.target.form;
  if (!form?.dataset.lookupUrl || event.target.tagName !== 'SELECT') return;
  const input = form.querySelector('input[data-citizen-id]');
  if (!input) return;
  if (event.target.name === 'person' && event.target.value) {
    input.value = '';
    known.set(input, '');
    tell(input, '');
  }
  lookUp(form, input);
});
