import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { filesBelow } from './filesBelow.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
// In the repository, so that bare imports resolve; in a folder that git ignores.
const folder = join(root, 'coverage/examples');

/** An example in a document or a doc comment. */
export interface Example {
  /** File and line. */
  readonly where: string;
  readonly code: string;
  /** The output in its comments, line by line. */
  readonly prints: readonly string[];
  /** The file to compile and run. */
  readonly file: string;
}

const ENTRIES: Readonly<Record<string, string>> = {
  rxchange: 'lib/index.ts',
  'rxchange/ucwa': 'lib/ucwa/index.ts',
  'rxchange/ews': 'lib/ews/index.ts',
  'rxchange/tabs': 'lib/tabs/index.ts',
  'rxchange/inspector': 'lib/inspector/index.ts',
  'rxchange/operators': 'operators/index.ts',
  'rxchange/node': 'lib/node/index.ts',
  'rxchange/testing': 'lib/testing/index.ts',
  'rxchange/testing/http': 'lib/testing/http/index.ts',
};

/** Writes every example to a file that imports the sources in place of the package. */
export function collectExamples(): Example[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sources = [...filesOf('lib', '.ts'), ...filesOf('operators', '.ts')];
  const documents = ['README.md', 'CONTRIBUTING.md', ...filesOf('docs', '.md')];
  const found = [
    ...documents.flatMap((path) => fencesOf(path, readFileSync(join(root, path), 'utf8'))),
    ...sources.flatMap((path) => fencesOf(path, commentsOnly(readFileSync(join(root, path), 'utf8')))),
  ];
  return found.map(({ where, code }, index) => {
    const file = join(folder, `example-${index}.ts`);
    writeFileSync(file, `${fromSources(code, where)}\nexport {};\n`);
    const prints = [...code.matchAll(/^\s*\/\/ prints: ?(.*)$/gm)].map(([, line = '']) => line.trimEnd());
    return { where, code, prints, file };
  });
}

/** Type-checks all examples by the project's rules, and returns the messages of each file. */
export function compileExamples(examples: readonly Example[]): Map<string, string[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.parseJsonConfigFileContent(
    { compilerOptions: config.compilerOptions, files: [] },
    ts.sys,
    root,
  );
  const files = examples.map(({ file }) => file);
  // Unused declarations of an example are for its reader.
  const program = ts.createProgram(files, {
    ...options,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    declaration: false,
  });
  const messages = new Map<string, string[]>(files.map((file) => [file, []]));
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const list = file === undefined ? undefined : messages.get(resolve(file.fileName));
    const line =
      file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
    list?.push(`line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  }
  return messages;
}

/** Runs an example in a process until it ends, and resolves with its output, line by line. */
export function runExample({ file }: Example): Promise<string[]> {
  // An example is documentation, not a test: it adds no coverage.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  return new Promise((done, fail) => {
    execFile(
      process.execPath,
      ['--import', 'ts-blank-space/register', file],
      { cwd: root, env, timeout: 20_000 },
      (error, stdout, stderr) => {
        if (error === null && stderr === '') done(stdout.split('\n').slice(0, -1));
        else fail(new Error(`${error?.message ?? 'output on stderr'}\n${stderr}`));
      },
    );
  });
}

/** Returns the paths relative to the project's folder. */
function filesOf(folder: string, ending: string): string[] {
  return filesBelow(join(root, folder))
    .filter((path) => path.endsWith(ending))
    .map((path) => relative(root, path));
}

function fencesOf(path: string, text: string): { where: string; code: string }[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    where: `${path}:${text.slice(0, match.index).split('\n').length}`,
    code: match[1] ?? '',
  }));
}

/** Returns a text with only the doc comments, in their lines. */
function commentsOnly(source: string): string {
  let inside = false;
  return source
    .split('\n')
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = true;
      const text = inside ? line.replace(/^\s*\*\/?( |$)/, '') : '';
      if (line.includes('*/')) inside = false;
      return text;
    })
    .join('\n');
}

/** Replaces the names of the package by its sources, and resolves what is next to the document. */
function fromSources(code: string, path: string): string {
  const here = relative(folder, join(root, dirname(path)));
  return code
    .replaceAll(
      /(from )'\.\/(\w+\.ts)'/g,
      (_, keyword: string, name: string) => `${keyword}'${here}/${name}'`,
    )
    .replaceAll(/(from |import\()'(rxchange(?:\/\w+)*)'/g, (whole, keyword: string, name: string) => {
      const entry = ENTRIES[name];
      return entry === undefined ? whole : `${keyword}'${relative(folder, join(root, entry))}'`;
    });
}
