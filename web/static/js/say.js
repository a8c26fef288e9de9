// Shows a message about the network where the reader is: in the dialog if one
// is open, else at the foot of the window.
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
  (document.querySelector('dialog[open]') ?? document.body).append(box);
}

export function sayFailed() {
  say(document.body.dataset.failed);
}

export function hush() {
  document.querySelector('.said')?.remove();
}
