// Copies the files that pages use from node_modules into web/static/vendor,
// which git ignores and the Go build embeds. Run `npm ci` first.
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = join(root, 'node_modules/@fontsource/sarabun');
const to = join(root, 'web/static/vendor');

await mkdir(to, { recursive: true });
for (const name of await readdir(to)) {
  if (name !== 'README.md') await rm(join(to, name), { recursive: true });
}
for (const script of ['thai', 'latin']) {
  for (const weight of [400, 600, 700]) {
    const name = `sarabun-${script}-${weight}-normal.woff2`;
    await copyFile(join(from, 'files', name), join(to, name));
  }
}
await copyFile(join(from, 'LICENSE'), join(to, 'sarabun-LICENSE.txt'));
