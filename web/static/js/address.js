// A page that answers a form has no address that can be opened again: Back and
// reload would ask whether to send the form once more, or show nothing at all.
// It takes the address of the page to come back to.
const { address } = document.body.dataset;
if (address) history.replaceState(null, '', address);
