import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as operators from '../../operators/index.ts';

describe('rxchange/operators', () => {
  it('exports the operators and nothing else', () => {
    expect(Object.keys(operators)).to.have.members([
      'deleted',
      'distinctPresence',
      'folderEvents',
      'fromSender',
      'inFolder',
      'inCollection',
      'itemEvents',
      'countNewMail',
      'ofHref',
      'ofRel',
      'ofType',
      'retryWithBackoff',
      'debounceByItem',
      'toBoard',
      'takeUntilDeleted',
      'withResource',
    ]);
  });

  const ROOT = join(import.meta.dirname, '../..');
  const sources = readdirSync(join(ROOT, 'operators'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'operators', name), 'utf8'))
    .join('');
  for (const name of Object.keys(operators)) {
    it(`shows a marble diagram of ${name}`, () => {
      expect(sources).to.contain(`![Marble diagram of ${name}](../docs/marbles/${name}.svg)`);
      expect(existsSync(join(ROOT, `docs/marbles/${name}.svg`))).to.equal(true);
    });
  }
});
