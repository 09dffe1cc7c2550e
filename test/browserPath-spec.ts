import { expect } from 'chai';
import { browserPath } from './support/browser/browserPath.ts';

describe('npm run test:browser', () => {
  it('says how to install a browser if there is none', () => {
    const missing = { PATH: '', CHROMIUM: '/nowhere/chromium' };
    expect(() => browserPath(missing)).to.throw(/needs a browser: Chromium[^]*apt-get install chromium/);
  });

  it('takes the browser that CHROMIUM names', () => {
    expect(browserPath({ CHROMIUM: process.execPath })).to.equal(process.execPath);
  });
});
