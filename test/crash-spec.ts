import { expect } from 'chai';
import { ewsSimulator } from '../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';
import {
  killRepeatedly,
  KILLS,
  KILLS_TIMEOUT_MS,
  type ProcessRun,
  type OutcomeLine,
  outcomesIn,
  printFigures,
} from './support/processes/killRepeatedly.ts';

/** A line of a process that observes a mailbox. */
interface MailLine extends OutcomeLine {
  readonly type?: string;
  readonly watermark?: string;
  readonly item?: { readonly id: string };
}

/** A line of a process that observes presence: an event, with the links of its batch. */
interface PresenceLine extends OutcomeLine {
  readonly type?: string;
  readonly href?: string;
  readonly self?: string;
  readonly next?: string;
}

describe(`A process that observes a mailbox, and is killed ${KILLS} times,`, () => {
  it('loses nothing, repeats only the last batch, and reports every leftover', async function () {
    this.timeout(KILLS_TIMEOUT_MS);
    const server = ewsSimulator();
    const delivered: string[] = [];
    const seen = new Set<string>();

    const lives = await killRepeatedly<MailLine>({
      protocol: 'ews',
      server,
      onLine: ({ type, item }, _, isLast) => {
        if (type === 'newMail') seen.add(item!.id);
        // Each event triggers another mail.
        if (type !== undefined && !isLast) delivered.push(server.deliverMail());
        return delivered.every((id) => seen.has(id));
      },
    });

    // Nothing is lost, and no gap is emitted.
    const lost = delivered.filter((id) => !seen.has(id));
    expect(lost).to.deep.equal([]);
    const lines = lives.flatMap((life) => life.lines);
    expect(Math.max(...lives.map(({ files }) => files.length)), 'with a temporary one').to.be.at.most(2);
    expect(lines.filter(({ type }) => type === 'gap')).to.deep.equal([]);

    // Only the events after the last requested watermark of the previous process are repeated.
    const askedIn = ({ requests: { from, to } }: ProcessRun<MailLine>): string | undefined =>
      server.requests.slice(from, to).findLast(({ operation }) => operation === 'GetEvents')?.watermark;
    const all: { readonly id: string; readonly watermark: string | undefined }[] = [];
    let doubles = 0;
    for (const [index, life] of lives.entries()) {
      const asked =
        lives
          .slice(0, index)
          .map(askedIn)
          .findLast((watermark) => watermark !== undefined) ?? '';
      const mails = life.lines
        .filter(({ type }) => type === 'newMail')
        .map(({ item, watermark }) => ({ id: item!.id, watermark }));
      for (const { id, watermark } of mails) {
        const before = all.find((mail) => mail.id === id);
        if (before === undefined) continue;
        doubles += 1;
        expect(before.watermark).to.equal(watermark);
        expect(atob(watermark ?? '') > atob(asked)).to.equal(true);
      }
      // Without the repeated events, all are in the server's order.
      all.push(...mails.filter(({ id }) => !all.some((mail) => mail.id === id)));
    }
    expect(all.map(({ id }) => id)).to.deep.equal(delivered);

    // Each process uses the subscription of the first one.
    expect(server.requests.filter(({ operation }) => operation === 'Subscribe')).to.have.length(1);

    // A leftover is a subscription whose Subscribe was in flight at a kill, and each was reported.
    const unknown = outcomesIn(lives, 'Unknown').length;
    const left = server.subscriptions.length;
    expect(left).to.be.at.most(unknown);
    expect(outcomesIn(lives, 'Failed')).to.deep.equal([]);
    printFigures('EWS', {
      ...{ mails: delivered.length, doubles, lost: lost.length },
      ...{ 'left and told as Unknown': left, unknown },
    });
  });
});

describe(`A process that observes presence, and is killed ${KILLS} times,`, () => {
  it('loses nothing, repeats only the last batch, and reports every leftover', async function () {
    this.timeout(KILLS_TIMEOUT_MS);
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const sent: string[] = [];
    const seen = new Set<string>();
    /** The subscriptions that the last process found and has not removed, besides its own. */
    let stale: number | undefined;

    const send = (): void => {
      const contact = '/people/sara@contoso.com';
      const href = `${contact}/note/${sent.length + 1}`;
      sent.push(href);
      server.emit({
        type: 'updated',
        link: { rel: 'contactNote', href },
        in: { rel: 'contact', href: contact },
      });
    };

    const lives = await killRepeatedly<PresenceLine>({
      protocol: 'ucwa',
      server,
      onLine: ({ href }, count, isLast) => {
        const isNew = href !== undefined && sent.includes(href) && !seen.has(href);
        if (isNew) seen.add(href);
        // Each triggers another, and each process one more. The last has some time to remove its findings.
        if (isNew ? !isLast || count < 30 : count === 1) send();
        const isOver = count >= 30 && sent.every((one) => seen.has(one));
        if (isOver) stale ??= server.presenceSubscriptions.length - 1;
        return isOver;
      },
    });

    // Nothing is lost, and no gap is emitted.
    const lost = sent.filter((one) => !seen.has(one));
    expect(lost).to.deep.equal([]);
    const lines = lives.flatMap((life) => life.lines);
    expect(Math.max(...lives.map(({ files }) => files.length)), 'with a temporary one').to.be.at.most(2);
    expect(lines.filter(({ type }) => type === 'gap')).to.deep.equal([]);

    // Only the last batch of the previous process is repeated: it had not requested the next one.
    const all: PresenceLine[] = [];
    let doubles = 0;
    let asked: string | undefined;
    for (const { lines: recorded, requests } of lives) {
      const events = recorded.filter(({ href = '' }) => sent.includes(href));
      for (const event of events) {
        const before = all.find(({ href }) => href === event.href);
        if (before === undefined) continue;
        doubles += 1;
        expect(event, 'recognisable').to.deep.equal(before);
        expect(event.self).to.equal(asked);
      }
      all.push(...events.filter(({ href }) => !all.some((one) => one.href === href)));
      asked =
        server.requests.slice(requests.from, requests.to).findLast(({ path }) => path.includes('/events'))
          ?.path ?? asked;
    }
    // Without the repeated events, all are in the server's order.
    expect(all.map(({ href }) => href)).to.deep.equal(sent);

    // The last process could not remove subscriptions whose creation was in flight at a kill. Each was
    // reported.
    const unknown = outcomesIn(lives, 'Unknown').length;
    expect(stale).to.be.within(0, unknown);
    expect(outcomesIn(lives, 'Failed')).to.deep.equal([]);
    const applications = server.requests.filter(
      ({ path, status }) => path.endsWith('/applications') && status === 201,
    );
    expect(applications, 'one for all').to.have.length(1);
    // The server removes everything on the application together with it.
    const left = server.applications.length + server.presenceSubscriptions.length;
    expect(left).to.equal(0);
    printFigures('UCWA', {
      ...{ events: sent.length, doubles, lost: lost.length },
      ...{ 'stale and told as Unknown': stale ?? Infinity, unknown, left },
    });
  });
});
