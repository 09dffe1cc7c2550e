import { join } from 'node:path';
import { promisify } from 'node:util';
import webpack from 'webpack';

/** Builds `simulated` with webpack into `dist/webpack/main.js`, and fails at a warning. */
const folder = import.meta.dirname;
const compiler = webpack({
  mode: 'production',
  context: join(folder, 'simulated'),
  entry: './main.js',
  experiments: { outputModule: true },
  output: { path: join(folder, 'dist/webpack'), filename: 'main.js', module: true },
  // Its advice on sizes is for pages that users wait for.
  performance: false,
  // rxchange is a link here, to a folder with an rxjs of its own.
  resolve: { alias: { rxjs: join(folder, 'node_modules/rxjs') } },
});
const stats = await promisify(compiler.run.bind(compiler))();
if (stats.hasErrors() || stats.hasWarnings()) {
  console.error(stats.toString({ all: false, errors: true, warnings: true }));
  process.exitCode = 1;
}
