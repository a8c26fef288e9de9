// Shows a message about the network where the reader is: at the head of the
// dialog if one is open, else at the foot of the window.
export function say(text) {
  hush();
  const box = document.createElement('div');
  box.className = 'notice notice-error said';
  box.setAttribute('role', 'alert');
  const words = document.createElement('p');
  words.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'button button-quiet';
  close.textContent = document.body.dataset.close;
  close.addEventListener('click', hush);
  box.append(words, close);
  const dialog = document.querySelector('dialog[open] .dialog-body');
  if (!dialog) {
    document.body.append(box);
    return;
  }
  dialog.prepend(box);
  box.scrollIntoView({ block: 'nearest' });
}

export function sayFailed() {
  say(document.body.dataset.failed);
}

export function hush() {
  document.querySelector('.said')?.remove();
}
