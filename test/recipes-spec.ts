import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const RECIPES = join(ROOT, 'docs/recipes');

describe('The recipe', () => {
  for (const page of readdirSync(RECIPES).filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(RECIPES, page), 'utf8');
    for (const [, path = '', code = ''] of text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) {
      it(`${page} shows code of ${path}`, () => {
        const file = join(ROOT, path);
        expect(existsSync(file)).to.equal(true);
        expect(readFileSync(file, 'utf8')).to.contain(code);
      });
    }
  }
});
