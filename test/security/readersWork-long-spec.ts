import { expect } from 'chai';
import { fork } from 'node:child_process';
import { READERS } from '../support/complexity/readers.ts';
import type { ReaderWork } from '../support/complexity/readersWorker.ts';
import { SLOW_READERS } from '../support/complexity/slowReaders.ts';

describe('Hostile texts', function () {
  this.timeout(300_000);
  const found = new Map<string, string | undefined>();

  // The work is counted in a separate process, because counting changes built-in functions.
  before((done) => {
    let problems = '';
    const child = fork('test/support/complexity/readersWorker.ts', {
      execArgv: ['--no-opt', '--import', 'ts-blank-space/register'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.on('data', (chunk: Buffer) => (problems += chunk.toString()));
    child.on('message', ({ reader, superLinear }: ReaderWork) => found.set(reader, superLinear));
    child.on('close', (code) => done(code === 0 ? undefined : new Error(problems)));
  });

  for (const { name } of READERS) {
    it(`need work in proportion to their length: ${name}`, () => {
      expect(found.has(name)).to.equal(true);
      expect(found.get(name)).to.equal(undefined);
    });
  }

  for (const { name } of SLOW_READERS) {
    it(`are detected if they need more work: ${name}`, () => {
      expect(found.get(name)).to.be.a('string');
    });
  }
});
