import { expect } from 'chai';
import type { InspectorRecord } from '../../../lib/inspector/records.ts';
import type { PlaygroundCommand } from '../../../lib/inspector/playground.ts';
import { runScenario, type Scenario, SCENARIOS } from '../../../lib/inspector/playground/scenarios.ts';
import { simulatedPlayground } from '../../../lib/inspector/playground/simulated.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';

/** Runs the steps of a scenario in virtual time, without promises, and returns the records. */
function recordsOf({ steps }: Scenario): readonly InspectorRecord[] {
  const records: InspectorRecord[] = [];
  const failures: unknown[] = [];
  inVirtualTime(() => {
    const playground = simulatedPlayground();
    playground.records$.subscribe((record) => records.push(record));
    let ms = 0;
    for (const { afterMs, run } of steps) {
      ms += afterMs;
      at(ms / 1000, () => {
        playground.run(run).catch((error: unknown) => failures.push(error));
      });
    }
    at(ms / 1000 + 20, () => void playground.close());
  });
  expect(failures).to.deep.equal([]);
  return records;
}

const outcomesIn = (records: readonly InspectorRecord[]): readonly string[] =>
  records.flatMap((record) =>
    record.type === 'release' && record.state !== 'pending'
      ? [`${record.stream ?? record.resource} ${record.state}`]
      : [],
  );

/** Returns the resources of the last record of each server. */
function leftIn(records: readonly InspectorRecord[]): readonly string[] {
  return ['UCWA', 'EWS'].flatMap((connection) => {
    const last = records.findLast((record) => record.type === 'server' && record.connection === connection);
    return last?.type === 'server' ? last.resources.map(({ resource }) => resource) : ['no record'];
  });
}

const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  'subscribe-and-unsubscribe': ['UCWA 1 Released', 'EWS 1 Released', 'application Released'],
  'mid-acquire': [
    'UCWA 2 Released',
    'EWS 1 Released',
    'EWS 2 Unknown',
    'UCWA 1 Released',
    'application Released',
  ],
  network: ['EWS 2 Released', 'UCWA 1 Released', 'EWS 1 Released', 'application Released'],
  forgotten: [
    'UCWA 1 EndedByServer',
    'EWS 1 EndedByServer',
    'application EndedByServer',
    'UCWA 1 EndedByServer',
    'EWS 1 EndedByServer',
    'UCWA 1 Released',
    'EWS 1 Released',
    'application Released',
  ],
  shared: ['UCWA 1 Released', 'application Released'],
};

describe('The scenarios of the playground', () => {
  for (const scenario of SCENARIOS) {
    const { name } = scenario;
    it(`${name}: ends as its text says`, () => {
      const records = recordsOf(scenario);
      expect(outcomesIn(records)).to.deep.equal(OUTCOMES[name]);
      // The id of a subscription whose response is lost is unknown: it expires.
      expect(leftIn(records)).to.deep.equal(name === 'mid-acquire' ? ['PullSubscription'] : []);
    });
  }

  it('network: shows the status and an unreachable server', () => {
    const records = recordsOf(SCENARIOS.find(({ name }) => name === 'network')!);
    const states = records.flatMap((record) => (record.type === 'status' ? [record.state] : []));
    expect(states).to.include.members(['live', 'waiting', 'closed']);
    expect(records.some((record) => record.type === 'server' && !record.isReachable)).to.equal(true);
    // The mail that arrived meanwhile may be lost on the stream.
    expect(records.some((record) => record.type === 'event' && record.name === 'gap')).to.equal(true);
  });

  it('forgotten: emits a gap in each stream', () => {
    const records = recordsOf(SCENARIOS.find(({ name }) => name === 'forgotten')!);
    const gaps = records.flatMap((record) =>
      record.type === 'event' && record.name === 'gap' ? [record.stream] : [],
    );
    expect(new Set(gaps)).to.deep.equal(new Set(['UCWA 1', 'EWS 1']));
  });

  it('shared: has one subscription, with the changed contacts', () => {
    const records = recordsOf(SCENARIOS.find(({ name }) => name === 'shared')!);
    const counts = records.flatMap((record) =>
      record.type === 'server' && record.connection === 'UCWA'
        ? [record.resources.filter(({ resource }) => resource === 'presenceSubscription').length]
        : [],
    );
    expect(Math.max(...counts)).to.equal(1);
    expect(
      records.some(
        (record) =>
          record.type === 'server' && record.resources.some(({ detail }) => detail.includes('grace')),
      ),
    ).to.equal(true);
  });

  it('have names for URLs, and different ones', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(names.every((name) => /^[a-z-]+$/.test(name))).to.equal(true);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('run one after another by runScenario', () => {
    const seen: string[] = [];
    inVirtualTime(({ expectObservable }) => {
      const playground = {
        run: ({ do: name }: PlaygroundCommand) => {
          seen.push(name);
          return Promise.resolve();
        },
      };
      const [first] = SCENARIOS;
      const short = { ...first!, steps: first!.steps.slice(0, 1) };
      expectObservable(runScenario(short, playground), '499ms !').toBe('');
      runScenario(short, playground).subscribe();
    });
    expect(seen).to.deep.equal(['subscribe']);
  });
});
