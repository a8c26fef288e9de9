// Shows and hides what stands in a password field.
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('button[data-password]');
  if (!button) return;
  const input = document.getElementById(button.dataset.password);
  const show = input.type === 'password';
  input.type = show ? 'text' : 'password';
  button.firstElementChild.textContent = show ? button.dataset.hide : button.dataset.show;
  input.focus();
});

// Browsers offer to keep a password only while its field says it is one.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button[data-password]')) {
    document.getElementById(button.dataset.password).type = 'password';
  }
});
