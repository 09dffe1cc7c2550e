import { expect } from 'chai';
import { platformOnline } from '../../../lib/core/backoff/online.ts';

describe('platformOnline', () => {
  it('emits when the platform comes online, and removes its listener', () => {
    const platform = new EventTarget();
    let emitted = 0;
    const listening = platformOnline(platform).subscribe(() => (emitted += 1));
    platform.dispatchEvent(new Event('online'));
    platform.dispatchEvent(new Event('offline'));
    expect(emitted).to.equal(1);
    listening.unsubscribe();
    platform.dispatchEvent(new Event('online'));
    expect(emitted).to.equal(1);
  });

  it('neither emits nor completes on a platform without such an event', () => {
    let recorded = 'nothing';
    const say = (what: string) => (): void => {
      recorded = what;
    };
    platformOnline({}).subscribe({ next: say('next'), complete: say('complete'), error: say('error') });
    platformOnline().subscribe({ next: say('next'), complete: say('complete'), error: say('error') });
    expect(recorded).to.equal('nothing');
  });
});
