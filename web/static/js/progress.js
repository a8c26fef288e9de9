// Work that goes on by itself: the part of the page that shows it is fetched again until it is over.
const PAUSE = 1500; // ms

async function look(part) {
  let next = null;
  try {
    const answer = await fetch(part.dataset.refresh, { headers: { 'X-Fragment': 'grid' } });
    if (answer.ok && !answer.redirected) {
      next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(part.id);
    } else {
      location.reload(); // signed out or broken: the page itself says it best
      return;
    }
  } catch {
    // The network may come back.
  }
  if (document.querySelector('dialog[open]') || !next) {
    wait(part);
  } else if (next.dataset.refresh) {
    const inside = part.contains(document.activeElement) && document.activeElement.textContent;
    part.replaceWith(document.adoptNode(next));
    if (inside) [...next.querySelectorAll('a, button')].find((one) => one.textContent === inside)?.focus();
    wait(next);
  } else {
    location.reload();
  }
}

function wait(part) {
  setTimeout(() => look(part), PAUSE);
}

for (const part of document.querySelectorAll('[data-refresh]')) wait(part);
