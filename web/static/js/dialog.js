// Links with data-dialog open the page behind them as a dialog. The server
// answers "X-Fragment: dialog" with the page's content; a form in it that is
// refused comes back with its errors, and one that succeeds answers with
// "X-Location". Whatever else happens, the browser goes there as usual.
import { hush, sayFailed } from './say.js';

const HEADERS = { 'X-Fragment': 'dialog' };

const plain = new WeakSet(); // forms that the browser shall send itself

let opener;
let busy = false;
let leaving = false; // for another page: a second click must find us busy

function box() {
  let dialog = document.getElementById('dialog');
  if (dialog) return dialog;
  dialog = document.createElement('dialog');
  dialog.id = 'dialog';
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  dialog.addEventListener('close', () => {
    dialog.replaceChildren();
    // The grid may have been drawn anew under the dialog.
    const back = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
    back?.focus();
    opener = undefined;
  });
  document.body.append(dialog);
  return dialog;
}

// content returns the fragment in an answer, or null if it holds none.
async function content(answer) {
  if (!(answer.headers.get('Content-Type') ?? '').startsWith('text/html')) return null;
  const parsed = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return parsed.querySelector('[data-dialog-content]');
}

function fill(dialog, fragment) {
  dialog.replaceChildren(document.adoptNode(fragment));
  dialog.scrollTop = 0;
  if (!dialog.open) dialog.showModal();
  const first =
    dialog.querySelector('[data-error-summary]') ??
    dialog.querySelector('.dialog-body [autofocus]') ??
    dialog.querySelector('.dialog-body :is(input:not([type="hidden"], [readonly]), select, textarea)') ??
    dialog.querySelector('.dialog-body :is(button, a)');
  first?.focus();
}

async function open(link) {
  if (busy) return;
  busy = true;
  try {
    const answer = await fetch(link.href, { headers: HEADERS });
    const fragment = answer.redirected ? null : await content(answer);
    if (!fragment) {
      location.assign(link.href);
      return;
    }
    const dialog = box();
    if (!dialog.open) opener = link;
    fill(dialog, fragment);
    hush();
  } catch {
    sayFailed();
  } finally {
    busy = false;
  }
}

async function send(dialog, form, submitter) {
  if (busy) return;
  busy = true;
  dialog.setAttribute('aria-busy', 'true');
  try {
    const data = new FormData(form, submitter);
    const files = form.enctype === 'multipart/form-data';
    const answer = await fetch(submitter?.getAttribute('formaction') ?? form.getAttribute('action'), {
      method: 'POST',
      headers: HEADERS,
      body: files ? data : new URLSearchParams(data),
    });
    const to = answer.headers.get('X-Location') ?? (answer.redirected ? answer.url : '');
    if (to) {
      go(to);
      return;
    }
    const fragment = await content(answer);
    if (fragment) {
      fill(dialog, fragment);
      return;
    }
    plain.add(form);
    form.requestSubmit(submitter);
  } catch {
    sayFailed();
  } finally {
    if (!leaving) {
      busy = false;
      dialog.removeAttribute('aria-busy');
    }
  }
}

// go leads to a page; the one we are on must be fetched anew, and only once: its notice is told one time.
function go(to) {
  leaving = true;
  const url = new URL(to, location.href);
  const same = url.pathname === location.pathname && url.search === location.search;
  if (!same) {
    location.assign(url);
    return;
  }
  history.replaceState(history.state, '', url);
  location.reload();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-dialog]');
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link);
});

// A link of the error summary leads to its field.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('[data-error-summary] a[href^="#"]');
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.scrollIntoView({ block: 'center' });
});

document.addEventListener('submit', (event) => {
  const dialog = event.target.closest('dialog');
  if (!dialog || plain.has(event.target) || event.target.getAttribute('method') !== 'post') return;
  event.preventDefault();
  send(dialog, event.target, event.submitter);
});

// "Cancel" in a dialog leads back to the page it stands over: closing is enough.
document.addEventListener('click', (event) => {
  const cancel = event.target.closest?.('dialog a[data-cancel]');
  if (!cancel) return;
  event.preventDefault();
  cancel.closest('dialog').close();
});

// Back from where a dialog led to: the page comes without it.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  leaving = busy = false;
  document.getElementById('dialog')?.remove();
});
