import { expect } from 'chai';
import { platformOnline } from '../../../lib/core/backoff/online.ts';

describe('platformOnline', () => {
  it('should emit when the platform comes online, and leave no listener', () => {
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

  it('should never emit where the platform does not say, and not complete', () => {
    let recorded = 'nothing';
    const say = (what: string) => (): void => {
      recorded = what;
    };
    platformOnline({}).subscribe({ next: say('next'), complete: say('complete'), error: say('error') });
    platformOnline().subscribe({ next: say('next'), complete: say('complete'), error: say('error') });
    expect(recorded).to.equal('nothing');
  });
});
