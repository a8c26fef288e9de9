// Grids: filters apply after a pause, sort and pages without a new page. The
// state stands in the URL all the time; without this file the form and the
// links do the same.
import { hush, sayFailed } from './say.js';

const PAUSE = 400; // ms after the last key

let timer;
let request;
let typing; // the id of the filter that made the newest entry of the history

// status outlives the grid, so that screen readers hear the new count.
const status = document.createElement('p');
status.className = 'visually-hidden';
status.setAttribute('role', 'status');
document.body.append(status);

const grid = () => document.getElementById('grid');

// fields is what the form asks for, without what is empty or goes without saying.
function fields(form) {
  const list = new URLSearchParams();
  const over = replaced(form);
  for (const [name, value] of new FormData(form)) {
    const usual = form.elements[name].dataset?.usual;
    if (value.trim() !== '' && value !== usual && !over.has(name)) list.append(name, value);
  }
  return list;
}

// replaced are the fields that do not count: of a person found by ID and the field that shows his ID, that field as
// long as it stands as it was, and then the person.
function replaced(form) {
  const over = new Set();
  for (const person of form.querySelectorAll('input[data-shown-in]')) {
    const shown = form.elements[person.dataset.shownIn];
    over.add(shown.value === shown.defaultValue ? shown.name : person.name);
  }
  return over;
}

// digits is how many digits a text has: a citizen ID, or a part of one, may stand among other words.
function digits(text) {
  return (text.match(/[0-9๐-๙]/g) ?? []).length;
}

// A citizen ID, or so much of it that the rest can be worked out, must not stand in an address: then the form is
// posted, and the server answers with an address that names the person otherwise.
const WHOLE = 13;
const TELLING = 10;

function send(form, history, typed = false) {
  const asked = fields(form);
  if (form.getAttribute('method') === 'post' && [...asked.values()].some((value) => digits(value) >= TELLING)) {
    return show(form.action, history, typed, asked);
  }
  const url = new URL(form.dataset.gridPath, location.href);
  url.search = asked.toString();
  return show(url, history, typed);
}

async function show(url, history, typed = false, body = undefined) {
  clearTimeout(timer);
  request?.abort();
  const mine = (request = new AbortController());
  grid().setAttribute('aria-busy', 'true');
  try {
    const headers = { 'X-Fragment': 'grid' };
    const answer = await fetch(url, { method: body ? 'POST' : 'GET', body, headers, signal: mine.signal });
    const html = answer.ok && (body || !answer.redirected) ? await answer.text() : '';
    if (body) url = answer.url;
    const next = new DOMParser().parseFromString(html, 'text/html').getElementById('grid');
    if (!next) { // signed out, refused, broken: the page itself says it best
      if (body && !answer.redirected) grid().querySelector('form').submit();
      else location.assign(url);
      return;
    }
    replace(next, typed);
    if (history === 'push') window.history.pushState({ grid: true }, '', url);
    if (history === 'replace') window.history.replaceState({ grid: true }, '', url);
    keepBack(url);
    hush();
  } catch (error) {
    if (error.name === 'AbortError') return;
    grid().removeAttribute('aria-busy');
    sayFailed();
  }
}

// replace puts the new grid in place of the old one and keeps the focus, the
// caret and the opened filters of a phone.
function replace(next, typed) {
  const old = grid();
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const fresh = document.adoptNode(next);
  const open = old.querySelector('.grid-toggle')?.checked;
  const toggle = fresh.querySelector('.grid-toggle');
  if (toggle && open) toggle.checked = true;
  old.replaceWith(fresh);
  if (focus) {
    const twin = (focus.id && document.getElementById(focus.id)) || fresh.querySelector('.input, a');
    const found = typed && twin?.form?.querySelector(`input[data-shown-in="${twin.name}"]`); // what was typed is a person
    if (typed && !found && twin?.matches('input.input')) {
      twin.value = focus.value; // the server may have trimmed it
      twin.focus({ preventScroll: true });
      twin.setSelectionRange(focus.selectionStart, focus.selectionEnd);
    } else {
      twin?.focus({ preventScroll: true });
    }
  }
  const count = fresh.querySelector('[data-grid-count]');
  status.textContent = count ? count.textContent.trim() : '';
}

// keepBack lets a change of language come back to the grid as it is now.
function keepBack(url) {
  const back = document.querySelector('form[action="/language"] input[name="back"]');
  const at = new URL(url, location.href);
  if (back) back.value = at.pathname + at.search;
}

function apply(input) {
  const length = digits(input.value);
  if (input.form.getAttribute('method') === 'post' && length >= TELLING && length < WHOLE) return; // more is coming
  send(input.form, typing === input.id ? 'replace' : 'push', true);
  typing = input.id;
}

document.addEventListener('input', (event) => {
  const input = event.target;
  if (!input.matches?.('.grid-form input.input')) return;
  clearTimeout(timer);
  request?.abort(); // its answer would be stale
  grid().removeAttribute('aria-busy');
  timer = setTimeout(() => apply(input), PAUSE);
});

document.addEventListener('change', (event) => {
  if (!event.target.matches?.('.grid-form select')) return;
  typing = undefined;
  send(event.target.form, 'push');
});

document.addEventListener('submit', (event) => {
  if (!event.target.matches?.('.grid-form')) return;
  event.preventDefault();
  typing = undefined;
  send(event.target, 'push');
});

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-grid-link]');
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  typing = undefined;
  show(new URL(link.href), 'push');
});

addEventListener('popstate', () => {
  typing = undefined;
  if (grid()) show(new URL(location.href), 'none');
});
