import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLES, exampleServer, installExamples, runInExamples } from '../support/browser/exampleApps.ts';
import { withContext } from '../support/browser/withContext.ts';

/** The scripts that each bundler has written, by the folder of `docs/examples/dist`. */
const BUILDS = {
  Vite: { folder: 'simulated/assets', build: ['node_modules/vite/bin/vite.js', 'build', 'simulated'] },
  webpack: { folder: 'webpack', build: ['webpack.js'] },
} as const;

describe('The simulators in a page', function () {
  this.timeout(300_000);

  before('install', () => installExamples());

  for (const [bundler, { folder, build }] of Object.entries(BUILDS))
    it(`run when ${bundler} bundles them, without a warning`, async () => {
      expect(await runInExamples(...build)).to.not.match(/warn/i);
      const scripts = readdirSync(join(EXAMPLES, 'dist', folder)).filter((name) => name.endsWith('.js'));
      const code = scripts.map((name) => readFileSync(join(EXAMPLES, 'dist', folder, name), 'utf8')).join('');
      expect(code).to.not.match(/node:|cross-fetch|getBuiltinModule/);

      const page = `<!doctype html><title>${bundler}</title><link rel="icon" href="data:,"><ol></ol>${scripts
        .map((name) => `<script type="module" src="../${folder}/${name}"></script>`)
        .join('')}`;
      const server = await exampleServer({ bundled: page });
      await withContext(async ({ context }) => {
        const tab = await context.newPage();
        await tab.goto(`${server.url}/bundled/`);
        await tab.getByText('left').waitFor();
        expect(await tab.locator('li').allTextContents()).to.deep.equal([
          'events$ subscribed',
          'presence subscribed',
          'presence created',
          '1 presence subscription',
          'presence unsubscribed',
          'the server announces the removal',
          'EWS newMail',
          '0 and 0 left',
        ]);
      }).finally(() => server.close());
    });
});
