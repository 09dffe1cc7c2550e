import { expect } from 'chai';
import type { Folder } from '../../../lib/ews/protocol/envelope.ts';
import { type PullOptions, resolvePullOptions } from '../../../lib/ews/pull/options.ts';

const good: PullOptions = { folders: ['inbox'], events: ['newMail'] };

describe('The options of a pull', () => {
  it('have defaults', () => {
    expect(resolvePullOptions(good)).to.deep.equal({
      request: {
        type: 'pull',
        folders: ['inbox'],
        events: ['newMail'],
        watermark: undefined,
        timeoutMinutes: 10,
      },
      timeoutMs: 600_000,
      intervalMs: 30_000,
      onLost: 'resume',
      graceMs: undefined,
      checkpoint: undefined,
    });
  });

  it('are used as given', () => {
    const plan = resolvePullOptions({
      allFolders: true,
      events: ['created', 'freeBusyChanged'],
      timeoutMinutes: 1440,
      pollIntervalSeconds: 43_200,
      watermark: 'W1',
      onLost: 'recreate',
      graceSeconds: 2.5,
    });
    expect(plan.request).to.deep.equal({
      type: 'pull',
      folders: undefined,
      events: ['created', 'freeBusyChanged'],
      watermark: 'W1',
      timeoutMinutes: 1440,
    });
    expect(plan).to.include({
      timeoutMs: 86_400_000,
      intervalMs: 43_200_000,
      onLost: 'recreate',
      graceMs: 2500,
    });
  });

  it('accept folders by name, by id, and of another mailbox', () => {
    const folders = [{ id: 'A=' }, { id: 'B', changeKey: 'C' }];
    expect(resolvePullOptions({ ...good, folders }).request.folders).to.deep.equal(folders);
    const shared = [
      { distinguished: 'inbox', mailbox: 'sara@contoso.com' },
      { distinguished: 'calendar', mailbox: 'sara@contoso.com' },
    ];
    expect(resolvePullOptions({ ...good, folders: shared }).request.folders).to.deep.equal(shared);
    expect(
      resolvePullOptions({ ...good, folders: [{ distinguished: 'inbox' }, 'calendar'] }).request.folders,
    ).to.have.length(2);
  });

  it('are copied, so that later changes have no effect', () => {
    const folders = ['inbox'];
    const plan = resolvePullOptions({ ...good, folders });
    folders.push('calendar');
    expect(plan.request.folders).to.deep.equal(['inbox']);
  });

  it('ignore undefined members', () => {
    const folder: object = { id: 'A', changeKey: undefined };
    const other: object = { distinguished: 'inbox', mailbox: undefined };
    expect(
      resolvePullOptions({ ...good, folders: [folder, other] as Folder[] }).request.folders,
    ).to.deep.equal([{ id: 'A' }, { distinguished: 'inbox' }]);
  });

  const bad: readonly [name: string, options: Record<string, unknown>, message: string][] = [
    ['no folders', { folders: undefined }, 'folders must be a list of at least one folder'],
    ['an empty list of folders', { folders: [] }, 'folders must be a list of at least one folder'],
    ['one folder in place of a list', { folders: 'inbox' }, 'folders must be a list of at least one folder'],
    [
      'folders and all folders',
      { allFolders: true },
      'folders must be a list of at least one folder, or left out',
    ],
    [
      'an id in place of a name',
      { folders: ['inbox', 'AAMk/='] },
      'folders[1] must be a distinguished folder name',
    ],
    ['an empty name', { folders: [''] }, 'folders[0] must be a distinguished folder name'],
    ['a name that is none', { folders: [{ distinguished: 5 }] }, 'folders[0].distinguished must be'],
    ['an empty id', { folders: [{ id: '' }] }, 'folders[0].id must be a text'],
    [
      'a change key that is none',
      { folders: [{ id: 'A', changeKey: 1 }] },
      'folders[0].changeKey must be a text',
    ],
    [
      'an empty mailbox',
      { folders: [{ distinguished: 'inbox', mailbox: '' }] },
      'folders[0].mailbox must be a text',
    ],
    [
      'an id that XML cannot carry',
      { folders: ['inbox', { id: '\u0000' }] },
      'folders[1].id must be text of characters',
    ],
    [
      'a folder that is none',
      { folders: [null] },
      'folders[0] must be a distinguished name, { id, changeKey? } or',
    ],
    ['another folder object', { folders: [{ name: 'inbox' }] }, 'folders[0] must be a distinguished name'],
    [
      'folders of two mailboxes',
      {
        folders: [
          { distinguished: 'inbox', mailbox: 'a@b.c' },
          { distinguished: 'inbox', mailbox: 'd@e.f' },
        ],
      },
      'folders must be in one mailbox',
    ],
    [
      'folders of one’s own and another mailbox',
      { folders: ['inbox', { distinguished: 'inbox', mailbox: 'a@b.c' }] },
      'folders must be in one mailbox',
    ],
    ['no events', { events: [] }, 'events must be a list of at least one of created, deleted'],
    ['events that are no list', { events: 'newMail' }, 'events must be a list of at least one of'],
    ['an unknown event', { events: ['newMail', 'NewMailEvent'] }, 'events[1] must be one of "created"'],
    ['the status, which comes by itself', { events: ['status'] }, 'events[0] must be one of'],
    ['no minute', { timeoutMinutes: 0 }, 'timeoutMinutes must be a whole number from 1 to 1440'],
    ['more than a day', { timeoutMinutes: 1441 }, 'timeoutMinutes must be a whole number from 1 to 1440'],
    ['half a minute', { timeoutMinutes: 1.5 }, 'timeoutMinutes must be a whole number'],
    [
      'an interval beyond half the timeout',
      { timeoutMinutes: 1, pollIntervalSeconds: 31 },
      'pollIntervalSeconds must be a number from 0.01 to 30',
    ],
    [
      'an interval of nothing',
      { pollIntervalSeconds: 0 },
      'pollIntervalSeconds must be a number from 0.01 to 300',
    ],
    ['an interval that is none', { pollIntervalSeconds: Number.NaN }, 'pollIntervalSeconds must be'],
    ['an empty watermark', { watermark: '' }, 'watermark must be a text'],
    [
      'an id that XML cannot carry',
      { folders: ['inbox', { id: '\u0001' }] },
      'folders[1].id must be text of',
    ],
    [
      'a change key that XML cannot carry',
      { folders: [{ id: 'A', changeKey: '\u0001' }] },
      'folders[0].changeKey must be text of',
    ],
    [
      'a mailbox that XML cannot carry',
      { folders: [{ distinguished: 'inbox', mailbox: '\u0001' }] },
      'folders[0].mailbox must be text of',
    ],
    ['a watermark that XML cannot carry', { watermark: '\u0001' }, 'watermark must be text of characters'],
    ['a negative grace', { graceSeconds: -1 }, 'graceSeconds must be a number from 0'],
    ['a grace of more than a day', { graceSeconds: 86_401 }, 'graceSeconds must be a number from 0 to 86400'],
  ];
  for (const [name, options, message] of bad) {
    it(`throw for ${name}, and name the option`, () => {
      const all: PullOptions = { ...good, ...options };
      expect(() => resolvePullOptions(all)).to.throw(TypeError, message);
    });
  }
});
