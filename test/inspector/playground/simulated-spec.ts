import { expect } from 'chai';
import { simulatedPlayground } from '../../../lib/inspector/playground/simulated.ts';
import type { InspectorRecord } from '../../../lib/inspector/records.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';

const SARA = 'sip:sara@contoso.com';

describe('simulatedPlayground', () => {
  it('has all commands and streams', () => {
    const { commands, streams } = simulatedPlayground();
    expect(commands).to.have.length(11).and.include('loseResponse');
    expect(streams).to.include.members(['presence', 'sharedBoard', 'streamingNotifications']);
  });

  it('counts mail, and shows the availability of contacts', () => {
    const records: InspectorRecord[] = [];
    inVirtualTime(() => {
      const playground = simulatedPlayground();
      playground.records$.subscribe((record) => records.push(record));
      void playground.run({ do: 'setPresence', uri: SARA, availability: 'Busy' });
      at(1, () => void playground.run({ do: 'deliverMail' }));
      at(3, () => void playground.close());
    });
    expect(records.findLast((record) => record.type === 'server' && record.mail !== undefined)).to.include({
      mail: 1,
    });
    expect(records.findLast((record) => record.type === 'server' && record.presence !== undefined))
      .to.have.property('presence')
      .that.includes({ [SARA]: 'Busy' });
  });

  for (const [command, message] of [
    [{ do: 'unsubscribe', stream: 'UCWA 7' }, 'UCWA 7 has ended already'],
    [{ do: 'subscribe', to: 'toString' }, 'nothing named toString'],
    [{ do: 'constructor' }, 'Unknown command: constructor'],
    [{ do: 'setPresence', uri: 7, availability: 'Busy' }, 'uri'],
  ] as const)
    it(`rejects ${JSON.stringify(command)} with a sentence`, async () => {
      const playground = simulatedPlayground({ latencyMs: 0 });
      const failure = await playground.run(command as never).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.an('error').with.property('message').that.includes(message);
      await playground.close();
    });
});
