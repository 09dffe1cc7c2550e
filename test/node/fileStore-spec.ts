import fsPromises from 'node:fs/promises';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { firstValueFrom, forkJoin, lastValueFrom, type Observable } from 'rxjs';
import type { Json } from '../../lib/core/checkpoint/checkpoint.ts';
import { CheckpointError, type NodeProcess } from '../../lib/node/durableFile.ts';
import { fileCheckpoints } from '../../lib/node/fileStore.ts';

type Fs = typeof fsPromises;

/** This process, but for what is given; files of it belong to its user. */
function processWith(fs: Partial<Fs>, other: Partial<NodeProcess> = {}): { readonly process: NodeProcess } {
  const getBuiltinModule = ((name: string) =>
    name === 'node:fs/promises'
      ? { ...fsPromises, ...fs }
      : process.getBuiltinModule(name)) as NodeJS.Process['getBuiltinModule'];
  const { platform, geteuid } = process;
  return { process: { platform, ...(geteuid === undefined ? {} : { geteuid }), getBuiltinModule, ...other } };
}

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

  it('finds nothing without a file, and does not create one', async () => {
    expect(await found('inbox')).to.equal(undefined);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('saves several keys in one file that only this user reads', async () => {
    const store = fileCheckpoints(path);
    await done(store.save('inbox', { watermark: 'AQ==', held: ['1', null, 2, true] }));
    await done(store.save('__proto__', 'of another'));
    expect(await found('inbox')).to.deep.equal({ watermark: 'AQ==', held: ['1', null, 2, true] });
    expect(await found('__proto__')).to.equal('of another');
    expect(await found('constructor')).to.equal(undefined);
    expect(readdirSync(folder)).to.deep.equal(['mail']);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
  });

  it('keeps the other keys when one is saved or removed', async () => {
    await done(fileCheckpoints(path).save('a', 1));
    await done(fileCheckpoints(path).save('b', 2));
    await done(fileCheckpoints(path).save('b', 3));
    expect([await found('a'), await found('b')]).to.deep.equal([1, 3]);
    await done(fileCheckpoints(path).remove('a'));
    expect([await found('a'), await found('b')]).to.deep.equal([undefined, 3]);
  });

  it('writes the latest of many saves only', async () => {
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

  it('saves what the value was when it was asked to', async () => {
    const store = fileCheckpoints(path);
    const ids = ['1'];
    const saving = done(store.save('a', ids));
    ids.push('2');
    await saving;
    expect(await found('a')).to.deep.equal(['1']);
  });

  it('writes through no link beside it', async () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, `${path}.new`);
    await done(fileCheckpoints(path).save('a', 1));
    expect(readFileSync(victim, 'utf8')).to.equal('untouched');
    expect(await found('a')).to.equal(1);
  });

  it('creates each temporary file under a random name, with mode 600', async () => {
    const opened: (readonly unknown[])[] = [];
    const open: Fs['open'] = (name, flags, mode) => {
      if (flags === 'wx') opened.push([name, mode]);
      return fsPromises.open(name, flags, mode);
    };
    const store = fileCheckpoints(path, processWith({ open }));
    await done(store.save('a', 1));
    await done(store.save('a', 2));
    expect(opened).to.have.length(2);
    for (const [name, mode] of opened) {
      expect(String(name).slice(path.length)).to.match(/^\.[\da-f]{24}\.new$/);
      expect(mode).to.equal(0o600);
    }
    expect(opened[0]![0]).not.to.equal(opened[1]![0]);
  });

  it('completes a save when file and folder are on the disk', async () => {
    const steps: string[] = [];
    const noted = async <Value>(step: string, work: Promise<Value>): Promise<Value> => {
      const value = await work;
      steps.push(step);
      return value;
    };
    const open: Fs['open'] = async (name, ...rest) => {
      const file = await fsPromises.open(name, ...rest);
      const what = name === folder ? 'folder' : 'file';
      const sync = file.sync.bind(file);
      const writeFile = file.writeFile.bind(file);
      return Object.assign(file, {
        writeFile: (bytes: Uint8Array) => noted(`write ${what}`, writeFile(bytes)),
        sync: () => noted(`sync ${what}`, sync()),
      });
    };
    const rename: Fs['rename'] = (...names) => noted('rename', fsPromises.rename(...names));
    await done(fileCheckpoints(path, processWith({ open, rename })).save('a', 1));
    steps.push('saved');
    const folderSteps = process.platform === 'win32' ? [] : ['sync folder'];
    expect(steps).to.deep.equal(['write file', 'sync file', 'rename', ...folderSteps, 'saved']);
  });

  for (const step of ['writeFile', 'sync', 'rename'] as const) {
    it(`removes the temporary file when ${step} fails`, async () => {
      await done(fileCheckpoints(path).save('a', 1));
      const fail = (): Promise<never> => Promise.reject(new Error('full'));
      const open: Fs['open'] = async (...args) => {
        const file = await fsPromises.open(...args);
        return step === 'rename' ? file : Object.assign(file, { [step]: fail });
      };
      const store = fileCheckpoints(path, processWith(step === 'rename' ? { rename: fail } : { open }));
      const error = await failure(store.save('a', 2));
      expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unwritable' });
      expect(error).to.have.nested.property('cause.message', 'full');
      expect(readdirSync(folder)).to.deep.equal(['mail']);
      expect(await found('a')).to.equal(1);
    });
  }

  describe('after a crash', () => {
    it('removes what killed processes have left, and nothing else', async () => {
      const others = [
        ...['mail.new', 'mail.0123456789abcdef0123456.new', 'other.0123456789abcdef01234567.new'],
        'mail.0123456789ABCDEF01234567.new',
      ];
      for (const name of others) writeFileSync(join(folder, name), '');
      symlinkSync(join(folder, 'mail.new'), join(folder, 'mail.11111111111111111111111a.new'));
      mkdirSync(join(folder, 'mail.222222222222222222222222.new'));
      const kept = [...readdirSync(folder), 'mail'];
      for (const digit of '345') writeFileSync(`${path}.${digit.repeat(24)}.new`, 'rxchange checkpo');
      await done(fileCheckpoints(path).save('a', 1));
      expect(readdirSync(folder).sort()).to.deep.equal(kept.sort());
    });

    /** A process that dies before a step: that one never ends. */
    const dyingAfter = (
      steps: number,
    ): {
      readonly platform: { readonly process: NodeProcess };
      readonly died: Promise<false>;
      readonly end: () => Promise<unknown>;
    } => {
      let left = steps;
      let die: (value: false) => void = () => undefined;
      const died = new Promise<false>((resolve) => (die = resolve));
      const handles: fsPromises.FileHandle[] = [];
      const step = <Value>(work: () => Promise<Value>): Promise<Value> => {
        left -= 1;
        if (left >= 0) return work();
        die(false);
        return new Promise(() => undefined);
      };
      const open: Fs['open'] = (...args) =>
        step(async () => {
          const file = await fsPromises.open(...args);
          handles.push(file);
          const close = file.close.bind(file);
          const sync = file.sync.bind(file);
          const writeFile = file.writeFile.bind(file);
          return Object.assign(file, {
            writeFile: (data: Uint8Array) => step(() => writeFile(data)),
            sync: () => step(sync),
            close: () => step(close),
          });
        });
      const rename: Fs['rename'] = (...args) => step(() => fsPromises.rename(...args));
      return {
        platform: processWith({ open, rename }),
        died,
        end: () => {
          left = Infinity;
          return Promise.all(handles.map((file) => file.close().catch(() => undefined)));
        },
      };
    };

    it('leaves old or new checkpoints, and at most one temporary file', async () => {
      await done(fileCheckpoints(path).save('a', 0));
      let isSaved = false;
      for (let steps = 0; !isSaved; steps += 1) {
        const { platform, died, end } = dyingAfter(steps);
        const before = await found('a');
        const saving = done(fileCheckpoints(path, platform).save('a', steps + 1));
        isSaved = await Promise.race([saving.then(() => true), died]);
        expect(readdirSync(folder).length).to.be.at.most(2);
        expect([before, steps + 1]).to.include(await found('a'));
        await end();
        expect(steps).to.be.below(20);
      }
      await done(fileCheckpoints(path).save('a', 'last'));
      expect(readdirSync(folder)).to.deep.equal(['mail']);
    });
  });

  describe("with a file that is not this user's alone", () => {
    beforeEach(function () {
      // Windows has no POSIX owners and modes.
      if (process.platform === 'win32') this.skip();
    });

    /** Neither used nor replaced, whatever it is. */
    const refused = async (reason: RegExp, platform = processWith({})): Promise<void> => {
      const store = fileCheckpoints(path, platform);
      for (const work of [store.load('a'), store.save('a', 2), store.remove('a')]) {
        const error = await failure(work);
        expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unsafe', path });
        expect((error as Error).message)
          .to.match(reason)
          .and.to.include('move the file away');
      }
      expect(readdirSync(folder)).not.to.be.empty;
    };

    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o666]) {
      it(`refuses mode ${mode.toString(8)}, and says how to correct it`, async () => {
        await done(fileCheckpoints(path).save('a', 1));
        chmodSync(path, mode);
        await refused(new RegExp(`mode ${mode.toString(8)}.*chmod 600`));
        chmodSync(path, 0o600);
        expect(await found('a')).to.equal(1);
      });
    }

    it('refuses a symbolic link', async () => {
      const target = join(folder, 'target');
      await done(fileCheckpoints(target).save('a', 1));
      symlinkSync(target, path);
      await refused(/it is a symbolic link/);
      expect(await firstValueFrom(fileCheckpoints(target).load('a'))).to.equal(1);
    });

    it('refuses a folder', async () => {
      mkdirSync(path);
      await refused(/not a regular file/);
    });

    it('refuses a pipe, and does not wait for its writer', async () => {
      execFileSync('mkfifo', ['-m', '600', path]);
      await refused(/not a regular file/);
    });

    it('refuses a file of another user', async () => {
      await done(fileCheckpoints(path).save('a', 1));
      const { uid } = statSync(path);
      await refused(/belongs to user \d+/, processWith({}, { geteuid: () => uid + 1 }));
    });
  });

  it('has no modes and owners to look at on Windows', async () => {
    const { getBuiltinModule } = processWith({}).process;
    const windows = { platform: 'win32', getBuiltinModule } as const;
    await done(fileCheckpoints(path, { process: windows }).save('a', 1));
    chmodSync(path, 0o666);
    const store = fileCheckpoints(path, { process: windows });
    expect(await firstValueFrom(store.load('a'))).to.equal(1);
    await done(store.save('a', 2));
    expect(readdirSync(folder)).to.deep.equal(['mail']);
    expect(await found('a')).to.equal(2);
  });

  it('neither reads nor writes more than 64 MiB', async () => {
    const body = `[["a","1"]${' '.repeat(64 * 1024 * 1024)}]`;
    const sum = createHash('sha256').update(body).digest('hex');
    writeFileSync(path, `rxchange checkpoints 1 ${sum}\n${body}`, { mode: 0o600 });
    expect(await failure(fileCheckpoints(path).load('a'))).to.include({ problem: 'corrupt' });
    rmSync(path);
    const store = fileCheckpoints(path);
    const error = await failure(store.save('a', 'a'.repeat(64 * 1024 * 1024)));
    expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unwritable' });
    expect(error).to.have.nested.property('cause.message').that.includes('67108864 bytes');
    await done(store.save('a', 'short'));
    expect(await found('a')).to.equal('short');
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
      it(`errors, and neither uses nor replaces the file: ${how}`, async () => {
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

    const strangers: readonly (readonly [string, string])[] = [
      ['no JSON', 'hush, no JSON'],
      ['no array', '{"hush":1}'],
      ['null', 'null'],
      ['an array of other things', '["hush"]'],
      ['a pair of a key and no text', '[["inbox",5]]'],
      ['a pair with more in it', '[["inbox","1","hush"]]'],
    ];
    const withSum = (body: string): string =>
      `rxchange checkpoints 1 ${createHash('sha256').update(body).digest('hex')}\n${body}`;

    for (const [what, body] of strangers) {
      it(`errors without quoting a content that is ${what}`, async () => {
        writeFileSync(path, withSum(body), { mode: 0o600 });
        const store = fileCheckpoints(path);
        for (const work of [store.load('inbox'), store.save('inbox', 1)]) {
          const error = await failure(work);
          expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'corrupt', path });
          expect(inspect(error)).not.to.include('hush');
        }
        expect(readFileSync(path, 'utf8')).to.equal(withSum(body));
      });
    }

    it('errors without quoting a checkpoint that is no JSON', async () => {
      writeFileSync(path, withSum('[["inbox","hush"],["other","1"]]'), { mode: 0o600 });
      const error = await failure(fileCheckpoints(path).load('inbox'));
      expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'corrupt', path });
      expect(inspect(error)).not.to.include('hush');
      expect(await found('other')).to.equal(1);
    });

    it('continues as soon as the file was moved away', async () => {
      writeFileSync(path, 'torn', { mode: 0o600 });
      const store = fileCheckpoints(path);
      expect(await failure(store.load('a'))).to.be.instanceOf(CheckpointError);
      rmSync(path);
      expect(await firstValueFrom(store.load('a'))).to.equal(undefined);
      await done(store.save('a', 1));
      expect(await found('a')).to.equal(1);
    });
  });

  it('writes a value that it could not write with the next save', async () => {
    path = join(folder, 'later', 'mail');
    const store = fileCheckpoints(path);
    const error = await failure(store.save('a', 1));
    expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unwritable' });
    expect(error).to.have.nested.property('cause.code', 'ENOENT');
    mkdirSync(join(folder, 'later'));
    await done(store.save('b', 2));
    expect([await found('a'), await found('b')]).to.deep.equal([1, 2]);
  });

  it('says that it cannot read', async () => {
    const open: Fs['open'] = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }));
    const error = await failure(fileCheckpoints(path, processWith({ open })).load('a'));
    expect(error).to.be.instanceOf(CheckpointError).and.to.include({ problem: 'unreadable' });
    expect(error).to.have.nested.property('cause.code', 'EACCES');
  });

  it('does nothing before it is subscribed to', async () => {
    const store = fileCheckpoints(path);
    store.save('a', 1);
    store.remove('a');
    await firstValueFrom(store.load('a'));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('refuses an invalid path, and platforms without files', () => {
    expect(() => fileCheckpoints('')).to.throw(TypeError, 'path must be the path of a file, but it is ""');
    expect(() => fileCheckpoints(path, {})).to.throw(TypeError, 'needs Node');
    expect(() => fileCheckpoints(path, { process: {} })).to.throw(TypeError, 'needs Node');
  });
});
