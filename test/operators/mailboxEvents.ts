interface Id {
  readonly id: string;
  readonly changeKey?: string;
}

interface Shape {
  readonly subscriptionId: string;
  readonly watermark?: string;
  readonly item?: Id;
  readonly folder?: Id;
  readonly parentFolder?: Id;
}

/** The shape of EWS's events, as far as the operators look at them. */
export type MailEvent =
  | (Shape & { readonly type: 'created' | 'deleted' | 'newMail' | 'freeBusyChanged' })
  | (Shape & { readonly type: 'modified'; readonly unreadCount?: number })
  | (Shape & { readonly type: 'moved' | 'copied'; readonly oldItem?: Id; readonly oldParentFolder?: Id })
  | { readonly type: 'status'; readonly subscriptionId: string; readonly watermark?: string }
  | { readonly type: 'gap'; readonly subscriptionId: string; readonly reason: string };

export const subscriptionId = 'JgBz';
export const inbox: Id = { id: 'AAMkInbox' };
export const archive: Id = { id: 'AAMkArchive' };
const lunch = { id: 'AAMkLunch', changeKey: 'CQAA' };

/** One event a letter, for marbles: what happens to one message, and what else there is. */
export const mail: Readonly<Record<'n' | 'k' | 'm' | 'v' | 'p' | 'd' | 'f' | 'b' | 's' | 'g', MailEvent>> = {
  n: { type: 'newMail', subscriptionId, watermark: 'AQ1', item: lunch, parentFolder: inbox },
  k: { type: 'created', subscriptionId, watermark: 'AQ2', item: lunch, parentFolder: inbox },
  m: { type: 'modified', subscriptionId, watermark: 'AQ3', item: lunch, parentFolder: inbox },
  /** The message was moved out of the inbox, */
  v: {
    type: 'moved',
    subscriptionId,
    item: { id: 'AAMkLunch2' },
    parentFolder: archive,
    oldItem: lunch,
    oldParentFolder: inbox,
  },
  /** copied into it, */
  p: {
    type: 'copied',
    subscriptionId,
    item: { id: 'AAMkLunch3' },
    parentFolder: inbox,
    oldItem: { id: 'AAMkLunch2' },
    oldParentFolder: archive,
  },
  /** and deleted from the archive. */
  d: { type: 'deleted', subscriptionId, item: { id: 'AAMkLunch2' }, parentFolder: archive },
  /** The inbox itself. */
  f: { type: 'modified', subscriptionId, folder: inbox, parentFolder: { id: 'AAMkRoot' }, unreadCount: 1 },
  b: { type: 'freeBusyChanged', subscriptionId, parentFolder: { id: 'AAMkCalendar' } },
  s: { type: 'status', subscriptionId, watermark: 'AQ4' },
  g: { type: 'gap', subscriptionId, reason: 'subscriptionLost' },
};

/** Malformed events by digit; an operator must not throw for them. */
export const malformed = {
  0: null,
  1: undefined,
  2: 'created',
  3: 7,
  4: {},
  5: { type: null, item: null, folder: null, parentFolder: null },
  6: { type: 7, item: 'AAMkLunch', folder: 'AAMkInbox', parentFolder: 'AAMkInbox' },
  7: { type: {}, item: {}, folder: {}, parentFolder: {}, oldParentFolder: {} },
  8: { type: [], item: { id: 7 }, folder: { id: null }, parentFolder: { id: [] } },
} as unknown as Record<string, MailEvent>;
