import { expect } from 'chai';
import type { Json } from '../../../lib/core/checkpoint/checkpoint.ts';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';

describe('memoryCheckpoints', () => {
  it('saves, loads and removes each key on subscription', () => {
    const store = memoryCheckpoints();
    const load = (key: string): (Json | undefined)[] => {
      const seen: (Json | undefined)[] = [];
      store.load(key).subscribe((value) => seen.push(value));
      return seen;
    };
    const saving = store.save('a', { id: 1 });
    expect(load('a')).to.deep.equal([undefined]);
    saving.subscribe();
    store.save('__proto__', 'b').subscribe();
    expect(load('a')).to.deep.equal([{ id: 1 }]);
    expect(load('__proto__')).to.deep.equal(['b']);
    store.remove('a').subscribe();
    expect(load('a')).to.deep.equal([undefined]);
    expect(load('__proto__')).to.deep.equal(['b']);
  });

  it('is not changed by later changes of the value', () => {
    const store = memoryCheckpoints();
    const ids = ['1'];
    store.save('a', ids).subscribe();
    ids.push('2');
    let found: Json | undefined;
    store.load('a').subscribe((value) => (found = value));
    expect(found).to.deep.equal(['1']);
  });
});
