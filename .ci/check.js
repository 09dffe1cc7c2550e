// Checks the types of all files, and lints them with the same programs: others would take half as long again.
import { ESLint } from 'eslint';
import ts from 'typescript';

// The page has a program of its own, because it has JSX.
const configs = ['tsconfig.json', 'docs/inspector/tsconfig.json'].map((path) =>
  ts.getParsedCommandLineOfConfigFile(path, {}, ts.sys),
);
const programs = configs.map(({ fileNames, options }) => ts.createProgram(fileNames, options));
const diagnostics = [
  ...configs.flatMap(({ errors }) => errors),
  ...programs.flatMap((program) => ts.getPreEmitDiagnostics(program)),
];
const typeErrors = ts.formatDiagnostics(diagnostics, ts.createCompilerHost(configs[0].options));

const eslint = new ESLint({
  overrideConfigFile: '.eslint.config.js',
  overrideConfig: {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: false, programs } },
  },
});
const results = await eslint.lintFiles('.');
const lintErrors = await (await eslint.loadFormatter()).format(results);

const messages = [typeErrors, lintErrors].filter((text) => text !== '');
for (const message of messages) console.error(message);
// The formatter has a line for each warning, too: there is none without a message.
process.exitCode = messages.length === 0 ? 0 : 1;
