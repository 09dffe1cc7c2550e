import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** An entry of `.size-limit.json`. */
interface Budget {
  readonly name: string;
  readonly limit: string;
}

describe('The table of sizes', () => {
  const budgets = JSON.parse(read('.size-limit.json')) as readonly Budget[];

  it('in the browser guide has the limit of every bundle', () => {
    const [, table = ''] = read('docs/guide/browser.md').split('## Sizes');
    const rows = [...table.matchAll(/^\| (.*?) *\| ([\d.]+) *\|$/gm)].map(([, name, kB]) => `${name}: ${kB}`);
    expect(rows).to.deep.equal(budgets.map(({ name, limit }) => `${name}: ${limit.replace(' kB', '')}`));
  });
});
