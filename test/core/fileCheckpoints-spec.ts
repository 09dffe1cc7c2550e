import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, forkJoin, lastValueFrom, type Observable } from 'rxjs';
import type { Json } from '../../lib/core/checkpoint.ts';
import { CheckpointError } from '../../lib/core/checkpointError.ts';
import { fileCheckpoints } from '../../lib/core/fileCheckpoints.ts';

describe('fileCheckpoints', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
    path = join(folder, 'mail');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const done = (work: Observable<never>): Promise<unknown> => lastValueFrom(work, { defaultValue: 'done' });
  const found = (key: string): Promise<Json | undefined> => firstValueFrom(fileCheckpoints(path).load(key));
  const failure = (work: Observable<unknown>): Promise<unknown> =>
    lastValueFrom(work, { defaultValue: 'done' }).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('should find nothing where there is no file, and write none by that', async () => {
    expect(await found('inbox')).to.equal(undefined);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('should save what another one finds, under several keys, in one file for this user alone', async () => {
    const store = fileCheckpoints(path);
    await done(store.save('inbox', { watermark: 'AQ==', held: ['1', null, 2, true] }));
    await done(store.save('__proto__', 'of another'));
    expect(await found('inbox')).to.deep.equal({ watermark: 'AQ==', held: ['1', null, 2, true] });
    expect(await found('__proto__')).to.equal('of another');
    expect(await found('constructor')).to.equal(undefined);
    expect(readdirSync(folder)).to.deep.equal(['mail']);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
  });

  it('should keep the other keys when one is saved anew or removed', async () => {
    await done(fileCheckpoints(path).save('a', 1));
    await done(fileCheckpoints(path).save('b', 2));
    await done(fileCheckpoints(path).save('b', 3));
    expect([await found('a'), await found('b')]).to.deep.equal([1, 3]);
    await done(fileCheckpoints(path).remove('a'));
    expect([await found('a'), await found('b')]).to.deep.equal([undefined, 3]);
  });

  it('should write the latest of many saves at a time, and not each of them', async () => {
    const store = fileCheckpoints(path);
    await done(store.save('n', 0));
    let writes = 0;
    const before = statSync(path).ino;
    const inodes = new Set<number>([before]);
    await lastValueFrom(
      forkJoin(
        Array.from({ length: 100 }, (_, n) => {
          const saving = store.save('n', n);
          return new Promise<void>((resolve) => {
            saving.subscribe({
              complete: () => {
                writes += 1;
                inodes.add(statSync(path).ino);
                resolve();
              },
            });
          });
        }),
      ),
    );
    expect(writes).to.equal(100);
    expect(await found('n')).to.equal(99);
    // The one before, that of the first save, and that of all others.
    expect(inodes.size).to.be.at.most(3);
  });

  it('should save what the value was when it was asked to', async () => {
    const store = fileCheckpoints(path);
    const ids = ['1'];
    const saving = done(store.save('a', ids));
    ids.push('2');
    await saving;
    expect(await found('a')).to.deep.equal(['1']);
  });

  it('should not mind what a crash has left of a file that was being written', async () => {
    await done(fileCheckpoints(path).save('a', 1));
    writeFileSync(`${path}.new`, 'rxchange checkpo');
    expect(await found('a')).to.equal(1);
    await done(fileCheckpoints(path).save('a', 2));
    expect(await found('a')).to.equal(2);
    expect(readdirSync(folder)).to.deep.equal(['mail']);
  });

  describe('with a file that is torn or damaged', () => {
    const damages: readonly (readonly [string, (text: string) => string])[] = [
      ['empty', () => ''],
      ['cut in its header', (text) => text.slice(0, 40)],
      ['cut after its header', (text) => text.slice(0, text.indexOf('\n') + 1)],
      ['cut before its last character', (text) => text.slice(0, -1)],
      ['longer than it was', (text) => `${text} `],
      ['other in one character', (text) => text.replace('AQ==', 'AR==')],
      ['full of zeros', (text) => '\0'.repeat(text.length)],
      ['of another program', () => '{"inbox":{"watermark":"AQ=="}}'],
    ];

    for (const [how, damage] of damages) {
      it(`should say so, and neither use it nor write over it: ${how}`, async () => {
        await done(fileCheckpoints(path).save('inbox', { watermark: 'AQ==' }));
        const damaged = damage(readFileSync(path, 'utf8'));
        writeFileSync(path, damaged);
        const store = fileCheckpoints(path);
        for (const work of [store.load('inbox'), store.save('inbox', 1), store.remove('inbox')]) {
          const error = await failure(work);
          expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'corrupt', path });
          expect((error as Error).message).to.include('Move the file away');
        }
        expect(readFileSync(path, 'utf8')).to.equal(damaged);
      });
    }

    it('should go on as soon as it was moved away', async () => {
      writeFileSync(path, 'torn');
      const store = fileCheckpoints(path);
      expect(await failure(store.load('a'))).to.be.instanceOf(CheckpointError);
      rmSync(path);
      expect(await firstValueFrom(store.load('a'))).to.equal(undefined);
      await done(store.save('a', 1));
      expect(await found('a')).to.equal(1);
    });
  });

  it('should say that it cannot write, and write what it could not with the next save', async () => {
    path = join(folder, 'later', 'mail');
    const store = fileCheckpoints(path);
    const error = await failure(store.save('a', 1));
    expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unwritable' });
    expect(error).to.have.nested.property('cause.code', 'ENOENT');
    mkdirSync(join(folder, 'later'));
    await done(store.save('b', 2));
    expect([await found('a'), await found('b')]).to.deep.equal([1, 2]);
  });

  it('should say that it cannot read', async () => {
    const error = await failure(fileCheckpoints(folder).load('a'));
    expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unreadable' });
    expect(error).to.have.nested.property('cause.code', 'EISDIR');
  });

  it('should do nothing before it is subscribed to', async () => {
    const store = fileCheckpoints(path);
    store.save('a', 1);
    store.remove('a');
    await firstValueFrom(store.load('a'));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('should refuse what is no path, and say where there are no files', () => {
    expect(() => fileCheckpoints('')).to.throw(TypeError, 'path must be the path of a file, but it is ""');
    expect(() => fileCheckpoints(path, {})).to.throw(TypeError, 'needs Node');
    expect(() => fileCheckpoints(path, { process: {} })).to.throw(TypeError, 'needs Node');
  });
});
