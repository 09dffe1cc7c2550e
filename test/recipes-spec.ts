import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const pages = ['docs/recipes', 'docs/guide'].flatMap((folder) =>
  readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith('.md') ? [`${folder}/${name}`] : [])),
);

describe('The page', () => {
  for (const page of pages) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    for (const [, path = '', code = ''] of text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) {
      it(`${page} shows code of ${path}`, () => {
        const file = join(ROOT, path);
        expect(existsSync(file)).to.equal(true);
        expect(readFileSync(file, 'utf8')).to.contain(code);
      });
    }
  }
});
