// One click, one act: a form that changes something is sent once. Loaded last,
// so that it sees what the others have done with a submit.
const sent = new Set();

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute('method') !== 'post') return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  // Not disabled: a disabled button would take its name and value with it.
  for (const button of form.querySelectorAll('button:not([type="button"])')) {
    button.setAttribute('aria-disabled', 'true');
  }
});

// The page may come back as it was left, from the back-forward cache.
addEventListener('pageshow', () => {
  for (const form of sent) {
    for (const button of form.querySelectorAll('button[aria-disabled]')) {
      button.removeAttribute('aria-disabled');
    }
  }
  sent.clear();
});
