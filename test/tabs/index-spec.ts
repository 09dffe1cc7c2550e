import { expect } from 'chai';
import * as tabs from '../../lib/tabs/index.ts';

describe('The entry rxchange/tabs', () => {
  it('exports only the API for applications', () => {
    expect(Object.keys(tabs).sort()).to.deep.equal(['connectTabs', 'serveTabs']);
  });
});
