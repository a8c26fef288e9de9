// Passkeys: a button with data-passkey asks the server for something to sign, lets the phone or the computer sign it, and
// sends its form with the answer. What was signed is looked at by the server alone.
import { hush, say, sayFailed } from './say.js';

const able = typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

let busy = false;

async function sign(button) {
  const { passkey: purpose, of } = button.dataset;
  const answer = await fetch('/officer/passkey/ask', { method: 'POST', body: new URLSearchParams({ for: purpose, of: of ?? '' }) });
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  const { id, publicKey } = await answer.json();
  const credential = purpose === 'new'
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return { id, text: JSON.stringify(credential.toJSON()) };
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('button[data-passkey]');
  if (!button || busy) return;
  if (!able) {
    say(button.dataset.unable);
    return;
  }
  busy = true;
  button.setAttribute('aria-disabled', 'true');
  try {
    const { id, text } = await sign(button);
    const { form } = button;
    form.elements.namedItem(button.dataset.challenge).value = id;
    form.elements.namedItem(button.dataset.response).value = text;
    form.noValidate = true; // a code is not needed now
    hush();
    form.requestSubmit();
  } catch (error) {
    if (error instanceof DOMException) say(button.dataset.refused); // by the person, the device or the browser
    else sayFailed();
  } finally {
    busy = false;
    button.removeAttribute('aria-disabled');
  }
});
