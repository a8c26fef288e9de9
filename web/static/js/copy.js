// Buttons with data-copy put the text of an element into the clipboard. Where
// the browser does not let us, as over plain HTTP, the text is selected.
document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('button[data-copy]');
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    return;
  }
  const words = button.querySelector('[aria-live]');
  const before = words.textContent;
  if (before === button.dataset.copied) return;
  words.textContent = button.dataset.copied;
  setTimeout(() => { words.textContent = before; }, 3000);
});
