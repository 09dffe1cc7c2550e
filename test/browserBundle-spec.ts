import { expect } from 'chai';
import type { BuildOptions } from 'esbuild';
import { browserFiles, bundle } from './support/browser/bundle.ts';

const OPTIONS: BuildOptions = { minify: true, external: ['rxjs'] };

describe('A bundle for browsers', () => {
  for (const entry of [
    'lib/index.ts',
    'lib/ucwa/index.ts',
    'lib/ews/index.ts',
    'lib/testing/index.ts',
    'operators/index.ts',
  ]) {
    it(`of ${entry} contains neither cross-fetch nor a module of Node`, async () => {
      const { code, files } = await bundle(entry, { ...OPTIONS, plugins: [browserFiles] });
      expect(code).to.not.contain('node:').and.not.contain('getBuiltinModule');
      expect(files).to.not.contain('cross-fetch').and.not.contain('nodeFetch');
      expect(code.length).to.be.greaterThan(1000);
    });
  }

  it('contains cross-fetch if the bundler ignores the field `browser`', async () => {
    const { code, files } = await bundle('lib/index.ts', OPTIONS);
    expect(code).to.contain('node:');
    expect(files).to.contain('cross-fetch');
  });
});
